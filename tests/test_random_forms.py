"""Forms that draw: draw by draw where they draw in one order, as distributions where not."""

import random
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence import Between, Equivalence, Real
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.form import Form
from properties.cases.setting import Setting
from properties.judging.distributions import RUNS
from properties.judging.judge import Judge, Verdict
from properties.laws import LAWS
from properties.ways import DISTRIBUTIONS
from tests.numerics.pairs import Functions

KEPT = 0.75


class Dropped(Functions):
    """Dropout, and dropout by other draws of the same rate."""

    n: Annotated[int, Between(1, 4)]

    x = Real("*batch n")
    rate = 1 - KEPT
    forms = (
        lambda x: functional.dropout(x, 1 - KEPT),
        lambda x: x * (torch.rand(x.shape, dtype=x.dtype) > 1 - KEPT) / KEPT,
    )


class DroppedFromTheEnd(Dropped):
    """The same draws, from the last entry on."""

    forms = (Dropped.forms[0], lambda x: functional.dropout(x.flip(-1), 1 - KEPT).flip(-1))


class DroppedAlike(Dropped):
    """The same draws."""

    forms = (Dropped.forms[0], lambda x: x * functional.dropout(torch.ones_like(x), 1 - KEPT))


class DroppedMore(Dropped):
    """Another rate, by other draws."""

    forms = (Dropped.forms[0], lambda x: x * (torch.rand(x.shape, dtype=x.dtype) < 0.6) / 0.6)


class DroppedTogether(Dropped):
    """The right rate, but the entries of a row are dropped together."""

    forms = (
        Dropped.forms[0],
        lambda x: x * (torch.rand((*x.shape[:-1], 1), dtype=x.dtype) < KEPT) / KEPT,
    )


class FlippedMore(Dropped):
    """Signs that are turned more often: neither the norm nor the number of zeros tells."""

    forms = (
        lambda x: x * (1 - 2 * (torch.rand(x.shape) < 0.5).to(x.dtype)),
        lambda x: x * (1 - 2 * (torch.rand(x.shape) < 0.9).to(x.dtype)),
    )


def dropped_by(x: Tensor, drawn: Tensor) -> Tensor:
    return x * (drawn < KEPT) / KEPT


def drop_twice(x: Tensor) -> tuple[Tensor, Tensor]:
    return dropped_by(x, torch.rand(x.shape)), dropped_by(2 * x, torch.rand(x.shape))


def drop_twice_from_the_end(x: Tensor) -> tuple[Tensor, Tensor]:
    last, first = dropped_by(2 * x, torch.rand(x.shape)), dropped_by(x, torch.rand(x.shape))
    return first, last


def drop_once(x: Tensor) -> tuple[Tensor, Tensor]:
    drawn = torch.rand(x.shape)
    return dropped_by(x, drawn), dropped_by(2 * x, drawn)


def add_noise_twice(x: Tensor) -> tuple[Tensor, Tensor]:
    return x + torch.randn(x.shape), x - torch.randn(x.shape)


def add_noise_once(x: Tensor) -> tuple[Tensor, Tensor]:
    noise = torch.randn(x.shape)
    return x + noise, x - noise


class DroppedTwice(Dropped):
    """Two outputs, each dropped by draws of its own, in another order."""

    forms = (drop_twice, drop_twice_from_the_end)  # type: ignore[assignment]


class DroppedOnce(Dropped):
    """Two outputs that are dropped by the same draws: each alone is right."""

    forms = (drop_twice, drop_once)  # type: ignore[assignment]


class NoisyOnce(Dropped):
    """Two outputs that share their noise: nothing is zero."""

    forms = (add_noise_twice, add_noise_once)  # type: ignore[assignment]


def decided(claim: type[Equivalence], law: str = "forward", seed: int = 0) -> Verdict:
    case = Case(claim(n=3), {"batch": ()}, seed)  # type: ignore[call-arg]
    return Judge(Domain(claim), LAWS[law]).verdict(case)


@pytest.mark.parametrize("law", ["forward", "input_gradient"])
@pytest.mark.parametrize("claim", [Dropped, DroppedFromTheEnd, DroppedTwice])
def test_dropout_drawn_in_another_order_is_one_distribution(claim: type[Equivalence], law: str) -> None:
    verdict = decided(claim, law)
    assert (verdict.holds, verdict.decided) == (True, DISTRIBUTIONS), str(verdict.difference)


@pytest.mark.parametrize("claim", [DroppedMore, DroppedTogether, FlippedMore])
def test_another_distribution_is_refuted(claim: type[Equivalence]) -> None:
    verdict = decided(claim)
    assert verdict.decided == DISTRIBUTIONS
    assert verdict.difference is not None
    assert verdict.difference.kind == "distribution"


@pytest.mark.parametrize(("claim", "where"), [(DroppedOnce, "together"), (NoisyOnce, "together.sum")])
def test_outputs_that_share_a_draw_are_told_from_those_that_do_not(
    claim: type[Equivalence], where: str
) -> None:
    verdict = decided(claim)
    assert verdict.decided == DISTRIBUTIONS
    assert verdict.difference is not None
    assert verdict.difference.where.startswith(where)


@pytest.mark.parametrize("seed", range(1, 6))
def test_outputs_with_draws_of_their_own_are_alike_whatever_the_seed(seed: int) -> None:
    for claim in (Dropped, DroppedTwice):
        assert decided(claim, seed=seed).holds


def test_the_same_draws_are_compared_draw_by_draw() -> None:
    verdict = decided(DroppedAlike)
    assert verdict.holds
    assert verdict.decided != DISTRIBUTIONS


class Shifted(Functions):
    """A shift drawn from another library's generator, alike in both forms."""

    n: Annotated[int, Between(1, 4)]

    x = Real("*batch n")
    shift = staticmethod(random.random)
    off = 0.0

    def reference(self) -> nn.Module:
        return Adding(type(self).shift, 0)

    def candidate(self) -> nn.Module:
        return Adding(type(self).shift, self.off)


class Adding(nn.Module):
    def __init__(self, shift: Callable[[], float], off: float) -> None:
        super().__init__()
        self.shift = shift
        self.off = off

    def forward(self, x: Tensor) -> Tensor:
        return x + round(8 * self.shift()) + self.off


class ByPython(Shifted):
    """Drawn from Python's generator."""


class ByNumPy(Shifted):
    """Drawn from NumPy's generator."""

    shift = staticmethod(np.random.random)


class OffByPython(ByPython):
    """Wrong, whatever is drawn."""

    off = 0.5


@pytest.mark.parametrize("claim", [ByPython, ByNumPy])
def test_forms_that_draw_from_other_generators_are_compared_draw_by_draw(claim: type[Equivalence]) -> None:
    for seed in range(8):
        verdict = decided(claim, seed=seed)
        assert verdict.holds, str(verdict.difference)
        assert verdict.decided != DISTRIBUTIONS


def test_a_wrong_form_that_draws_from_python_is_refuted() -> None:
    assert not decided(OffByPython).holds


@pytest.mark.parametrize("claim", [Dropped, ByPython, ByNumPy, OffByPython])
def test_the_generators_of_a_user_are_left_as_they_were(claim: type[Equivalence]) -> None:
    def drawn() -> tuple[Any, ...]:
        return random.random(), np.random.random(), torch.rand(()).item()  # noqa: NPY002, S311

    random.seed(1)
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(3)
    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    expected = drawn()
    random.setstate(kept[0])
    np.random.set_state(kept[1])  # noqa: NPY002
    torch.set_rng_state(kept[2])
    decided(claim)
    assert drawn() == expected


def test_no_call_of_one_run_draws_what_another_run_draws() -> None:
    claim = Dropped(n=1)
    form = Form("candidate", claim, Drawing(), Setting())
    drawn = set()
    for form.draws in range(2 * RUNS):
        drawn |= {form.run(form.module, (), call=call)[0].item() for call in range(5)}
    assert len(drawn) == 2 * RUNS * 5


class Drawing(nn.Module):
    def forward(self) -> Tensor:
        return torch.rand((), dtype=torch.float64)
