"""Equations held against their disturbed runs: what differs, what is less precise, what leaves the range."""

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from properties.oracle import rounding
from properties.oracle.agreement import Equation
from properties.oracle.disturbance import Disturbance
from properties.oracle.nearness import (
    first_beyond_a_few_units,
    first_beyond_noise,
    first_less_precise,
    within_range,
)


def tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def spread(plain: Equation, noise: float, runs: int = 8) -> Sequence[Equation]:
    """Give runs of an equation, both sides moved to and fro by the noise."""
    moved = [noise * (-1) ** run for run in range(runs)]
    return [Equation({"y": plain.reference["y"] + by}, {"y": plain.candidate["y"] + by}) for by in moved]


def test_a_difference_is_held_against_the_noise() -> None:
    for times, differs in ((15, False), (17, True)):
        plain = Equation({"y": tensor(1.0)}, {"y": tensor(1 + times * 1e-9)})
        found = first_beyond_noise(plain, spread(plain, 1e-9), rounding.CONSTANT)
        assert (found.difference is not None) == differs
        assert found.used == pytest.approx(times, rel=1e-3)
        assert not found.decisive
        assert ("17 times what rounding explains" in str(found.difference)) == differs
    far = Equation({"y": tensor(1.0)}, {"y": tensor(1 + 1e-3)})
    assert first_beyond_noise(far, spread(far, 1e-9), rounding.CONSTANT).decisive


def test_the_least_noise_is_granted_where_no_run_shows_any() -> None:
    plain = Equation({"y": tensor(0.0)}, {"y": tensor(1e-47)})
    still = [plain] * 8
    found = first_beyond_noise(plain, still, rounding.CONSTANT)
    assert "no rounding explains it" in str(found.difference)
    tiny = torch.finfo(torch.float32).tiny
    assert first_beyond_noise(plain, still, rounding.CONSTANT, least=tiny).difference is None


def test_structure_shape_and_whole_numbers_are_compared_as_they_are() -> None:
    one = tensor(1.0)
    for reference, candidate, kind in (
        ({"y": (one,)}, {"y": (one, one)}, "structure"),
        ({"y": one}, {"z": one}, "structure"),
        ({"y": one}, {"y": torch.stack([one, one])}, "shape"),
        ({"y": one}, {"y": one.float()}, "dtype"),
        ({"y": torch.tensor([2**60])}, {"y": torch.tensor([2**60 + 1])}, "value"),
        ({"y": (one, 1)}, {"y": (one, 2)}, "value"),
    ):
        equation = Equation(reference, candidate)
        few, noisy = first_beyond_a_few_units(equation), first_beyond_noise(equation, [equation], 1e9)
        for found in (few, noisy.difference):
            assert found is not None
            assert found.kind == kind


def test_a_run_of_another_structure_is_left_out() -> None:
    plain = Equation({"y": tensor(1.0)}, {"y": tensor(1 + 1e-8)})
    other = Equation({"y": (tensor(9.0), tensor(9.0))}, {"z": tensor(9.0)})
    assert first_beyond_noise(plain, [*spread(plain, 1e-9), other], rounding.CONSTANT).difference is None
    assert first_beyond_noise(plain, [other], rounding.CONSTANT).difference is not None


def test_what_has_left_the_range_on_both_sides_says_nothing() -> None:
    reference = {"y": (tensor(math.inf, math.nan, 1.0, math.inf),), "n": 3}
    candidate = {"y": (tensor(math.nan, -math.inf, 2.0, 5.0),), "n": 3}
    found = within_range(Equation(reference, candidate))
    assert found.reference["y"][0].tolist() == [0.0, 0.0, 1.0, math.inf]
    assert found.candidate["y"][0].tolist() == [0.0, 0.0, 2.0, 5.0]
    assert found.reference["n"] == 3
    unlike = Equation((tensor(math.inf),), (tensor(math.nan), tensor(1.0)))
    assert within_range(unlike).candidate == unlike.candidate


def disturbed(reference, candidate, x: Tensor, runs: int = 32) -> tuple[Equation, list[Equation]]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    plain, found = Equation(reference(x), candidate(x)), []
    for number in range(runs):
        with Disturbance(number):
            found.append(Equation(reference(x), candidate(x)))
    return plain, found


def two_passes(x: Tensor) -> Tensor:
    return (x - x.mean(-1, keepdim=True)).square().mean(-1)


def one_pass(x: Tensor) -> Tensor:
    return x.square().mean(-1) - x.mean(-1).square()


@pytest.mark.parametrize("seed", range(8))
def test_a_variance_in_one_pass_rounds_onto_a_coarse_grid_and_is_the_same_function(seed: int) -> None:
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 1e5
    plain, runs = disturbed(two_passes, one_pass, x)
    assert first_beyond_a_few_units(plain) is not None
    assert first_beyond_noise(plain, runs, rounding.CONSTANT).difference is None
    less = first_less_precise(plain, runs, 4.0)
    assert less is not None
    assert "times less precise" in str(less)
    assert (
        first_less_precise(
            Equation(plain.candidate, plain.reference),
            [Equation(one.candidate, one.reference) for one in runs],
            4.0,
        )
        is None
    )


@pytest.mark.parametrize("seed", range(8))
def test_a_product_that_is_off_by_1e_13_is_another_function(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x, weight = (torch.randn(8, 8, generator=generator, dtype=torch.float64) for _ in range(2))
    plain, runs = disturbed(lambda x: x @ weight, lambda x: x @ weight * (1 + 1e-13), x)
    assert first_beyond_noise(plain, runs, rounding.CONSTANT).difference is not None
    plain, runs = disturbed(lambda x: x @ weight, lambda x: (weight.T @ x.T).T.flip(0).flip(0), x)
    assert first_beyond_noise(plain, runs, rounding.CONSTANT).difference is None
    assert first_less_precise(plain, runs, 4.0) is None


def test_where_a_reference_leaves_float16_nothing_is_said() -> None:
    reference, candidate = torch.tensor([math.inf, 1.0, 1.0]), torch.tensor([1.0, math.inf, 1.0])
    single = within_range(Equation(reference, candidate))
    assert torch.equal(single.reference, reference)
    half = within_range(Equation(reference.half(), candidate.half()))
    assert half.reference.tolist() == [0.0, 1.0, 1.0]
    assert half.candidate.tolist() == [0.0, math.inf, 1.0]
