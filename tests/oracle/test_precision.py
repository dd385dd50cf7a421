"""The ladder lets rounding pass and stops a difference of meaning, at every conditioning."""

import math

import pytest
import torch
from properties.oracle.precision import allowance_used
from torch import Tensor

from properties.oracle.agreement import Equation, first_difference_beyond_rounding


def both(function, *inputs: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    return function(*inputs), function(*(value.double() for value in inputs))


def verdict(reference, candidate, *inputs: Tensor) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001
    left, right = both(reference, *inputs), both(candidate, *inputs)
    difference = first_difference_beyond_rounding(Equation(left[0], right[0]), Equation(left[1], right[1]))
    return difference is None


@pytest.mark.parametrize("terms", [1, 7, 256, 4096])
@pytest.mark.parametrize("seed", range(10))
def test_another_order_of_summation_is_rounding(terms: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x, weight = torch.randn(8, terms, generator=generator), torch.randn(terms, 5, generator=generator)
    assert verdict(lambda x, w: x @ w, lambda x, w: (x.flip(1).unsqueeze(-1) * w.flip(0)).sum(1), x, weight)


@pytest.mark.parametrize("seed", range(10))
def test_softmax_without_the_shift_is_rounding(seed: int) -> None:
    x = torch.randn(4, 9, generator=torch.Generator().manual_seed(seed))
    assert verdict(lambda x: x.softmax(-1), lambda x: x.exp() / x.exp().sum(-1, keepdim=True), x)


@pytest.mark.parametrize("seed", range(10))
def test_an_ill_conditioned_variance_is_rounding(seed: int) -> None:
    x = 100 + torch.randn(50, generator=torch.Generator().manual_seed(seed))
    assert verdict(lambda x: x.var(correction=0), lambda x: (x * x).mean() - x.mean() ** 2, x)


@pytest.mark.parametrize("change", [1e-3, 1e-6, 1e-9])
def test_a_small_change_of_meaning_is_seen(change: float) -> None:
    x = torch.randn(16, 64, generator=torch.Generator().manual_seed(0))
    assert not verdict(lambda x: x.softmax(-1), lambda x: x.softmax(-1) * (1 + change), x)


def test_a_form_that_computes_in_float32_inside_is_named() -> None:
    x = torch.randn(16, 64, generator=torch.Generator().manual_seed(0))
    left, right = both(lambda x: x.exp().sum(-1), x), both(lambda x: x.float().exp().sum(-1).to(x.dtype), x)
    difference = first_difference_beyond_rounding(Equation(left[0], right[0]), Equation(left[1], right[1]))
    assert difference is not None
    assert "float32 inside" in difference.remark


@pytest.mark.parametrize("reference", [0.0, 1e-300])
def test_a_used_allowance_is_a_number_that_a_report_can_hold(reference: float) -> None:
    tiny, huge = (torch.tensor(value, dtype=torch.float64) for value in (reference, 1e300))
    # 1e300 in float32 is infinite, which is no noise.
    used = allowance_used((tiny.float(), tiny), (huge.float(), huge))
    assert math.isfinite(used)
    assert used > 1
