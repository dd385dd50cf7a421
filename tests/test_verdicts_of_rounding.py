"""One function in two ways of rounding, or two functions: the judge tells them apart at every seed."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from equivalence import Equivalence, Real
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.sample import OutsideDomainError
from properties.cases.values import LARGE, LIMIT, LOOKS
from properties.judging import noise
from properties.judging.judge import Judge, Verdict
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan
from properties.running.recording import Status, record
from properties.ways import ROUNDING
from tests.numerics.pairs import OfRows, Size

FUNCTION = ("forward", "input_gradient", "second_derivative")
SEEDS = 16
"""Two of them in float32."""


def judged(claim: type[Equivalence], law: str, seeds: int = SEEDS, **fields: Any) -> list[Verdict]:
    """Decide a row of so many numbers, at many seeds and with every look of the values."""
    judge, looks = Judge(Domain(claim), LAWS[law]), list(LOOKS)
    cases = (Case(claim(**fields), {"batch": (2,)}, seed, looks[seed % len(looks)]) for seed in range(seeds))
    found = []
    for case in cases:
        try:
            found.append(judge.verdict(case))
        except OutsideDomainError:
            # Both forms leave the range of the dtype there.
            assert case.values in LARGE
    return found


def refuted(claim: type[Equivalence], law: str, plan: Plan | None = None) -> Refuted:
    with pytest.raises(Refuted) as error:
        Cell(Domain(claim), LAWS[law]).test(plan or Plan())()
    return error.value


class SharpSoftmax(OfRows):
    """softmax(100 x) by its definition: float32 gives exactly 0 and 1."""

    forms = (
        lambda x: (100 * x).softmax(-1),
        lambda x: (
            (100 * (x - x.amax(-1, keepdim=True).detach())).exp()
            / (100 * (x - x.amax(-1, keepdim=True).detach())).exp().sum(-1, keepdim=True)
        ),
    )


def mean_square(x: Tensor) -> Tensor:
    return x.float().square().mean(-1, keepdim=True) + 1e-6


class UpcastNorm(OfRows):
    """Both forms compute in float32, whatever comes in, one ulp of float32 apart."""

    forms = (
        lambda x: (x.float() * mean_square(x).rsqrt()).to(x.dtype),
        lambda x: (x.float() / mean_square(x).sqrt()).to(x.dtype),
    )


class Norm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return centred / (centred.square().mean(-1, keepdim=True) + self.eps).sqrt() * self.weight + self.bias


class NormByDefinition(Equivalence):
    """A layer norm by its definition; of one entry, its gradient is 0, up to rounding."""

    n: Size

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.LayerNorm(self.n)

    def candidate(self) -> nn.Module:
        return Norm(self.n)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("law", FUNCTION)
@pytest.mark.parametrize("claim", [SharpSoftmax, UpcastNorm, NormByDefinition])
def test_one_function_is_refuted_at_no_seed(claim: type[Equivalence], law: str, n: int) -> None:
    verdicts = judged(claim, law, n=n)
    assert len(verdicts) > SEEDS // 2
    assert [str(verdict.difference) for verdict in verdicts if not verdict.holds] == []


def test_without_the_noise_of_disturbed_runs_right_forms_would_be_refuted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(noise, "disturbed_runs", lambda *_: iter([]))
    for claim, n in ((SharpSoftmax, 3), (UpcastNorm, 3), (NormByDefinition, 1)):
        assert any(not verdict.holds for law in FUNCTION for verdict in judged(claim, law, n=n))


class Times(nn.Linear):
    """Linear times a factor, in the dtypes given."""

    def __init__(self, n: int, factor: float, dtypes: tuple[torch.dtype, ...]) -> None:
        super().__init__(n, 3)
        self.factor = factor
        self.dtypes = dtypes

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (self.factor if x.dtype in self.dtypes else 1)


class SlightlyOff(Equivalence):
    """A Linear that is off by 1e-13."""

    n: Size
    off = 1 + 1e-13, (torch.float64,)

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.Linear(self.n, 3)

    def candidate(self) -> nn.Module:
        return Times(self.n, *self.off)


def test_a_linear_that_is_off_by_1e_13_is_refuted_wherever_it_runs_in_float64() -> None:
    for verdict in judged(SlightlyOff, "forward", n=4):
        assert verdict.holds == verdict.case.in_single
        assert verdict.holds or verdict.decided == ROUNDING


class OffInSingle(SlightlyOff):
    """A Linear that is 1 % off in float32 alone."""

    off = 1.01, (torch.float32,)


class SoftmaxOffInSingle(OfRows):
    """A softmax that is 1 % off in float32 alone."""

    forms = (lambda x: x.softmax(-1), lambda x: x.softmax(-1) * (1.01 if x.dtype == torch.float32 else 1))


@pytest.mark.parametrize("claim", [OffInSingle, SoftmaxOffInSingle])
def test_a_slip_in_float32_alone_is_refuted_and_told_so(claim: type[Equivalence]) -> None:
    error = refuted(claim, "forward")
    assert error.verdict.regime.dtype == torch.float32
    assert error.record.kind == "another function in float32"


class SingleInside(OfRows):
    """The same function, in float32 inside."""

    forms = (lambda x: x.tanh() * x.sigmoid(), lambda x: (x.float().tanh() * x.float().sigmoid()).to(x.dtype))


@pytest.mark.parametrize("law", FUNCTION)
def test_a_form_in_float32_inside_is_the_same_function(law: str) -> None:
    assert all(verdict.holds for verdict in judged(SingleInside, law, n=3))


def test_a_form_in_float32_inside_is_less_precise_and_told_where() -> None:
    error = refuted(SingleInside, "precision")
    assert error.record.kind == "the same function, less precise"
    assert "times less precise" in error.record.difference
    assert "float32" in error.record.difference


class SingleInReference(SingleInside):
    """A candidate that is more precise."""

    forms = SingleInside.forms[::-1]


@pytest.mark.parametrize("claim", [SingleInReference, UpcastNorm, NormByDefinition, SlightlyOff])
def test_only_a_candidate_that_loses_digits_is_less_precise(claim: type[Equivalence]) -> None:
    assert all(verdict.holds for verdict in judged(claim, "precision", n=3))


class Checkpointed(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = checkpoint(super().forward, x, use_reentrant=False)
        return output


class CheckpointedIsPlain(Equivalence):
    """What is computed again in backward sees the parameters that it was computed with."""

    n: Size

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.n, 4), nn.Tanh(), nn.Linear(4, 2))

    def candidate(self) -> nn.Module:
        return Checkpointed(nn.Linear(self.n, 4), nn.Tanh(), nn.Linear(4, 2))


@pytest.mark.parametrize("law", ["forward", "input_gradient", "parameter_gradient"])
def test_a_checkpointed_form_is_the_plain_one(law: str) -> None:
    assert all(verdict.holds for verdict in judged(CheckpointedIsPlain, law, n=3))


class CausalMask(OfRows):
    """Scores above the diagonal are -inf, filled in or chosen."""

    forms = (
        lambda x: (x[..., None] * x[..., None, :]).masked_fill(above(x), -math.inf),
        lambda x: torch.where(above(x), -math.inf, x[..., None] * x[..., None, :]),
    )


def above(x: Tensor) -> Tensor:
    return torch.ones(x.shape[-1], x.shape[-1], dtype=torch.bool).triu(1)


class CausalWeights(OfRows):
    """The softmax of such scores."""

    forms = (
        lambda x: CausalMask.forms[0](x).softmax(-1),
        lambda x: CausalMask.forms[1](x).log_softmax(-1).exp(),
    )


@pytest.mark.parametrize("law", ["forward", "input_gradient", "precision"])
@pytest.mark.parametrize("claim", [CausalMask, CausalWeights])
def test_minus_infinity_in_both_forms_is_no_difference(claim: type[OfRows], law: str) -> None:
    assert all(verdict.holds for verdict in judged(claim, law, n=3))


class Unmasked(CausalMask):
    """A mask of -inf that leaves the first row open."""

    forms = (
        CausalMask.forms[0],
        lambda x: torch.where(above(x).cumsum(0) > 1, -math.inf, x[..., None] * x[..., None, :]),
    )


def test_minus_infinity_in_one_form_is_a_difference() -> None:
    verdicts = judged(Unmasked, "forward", n=3)
    assert not any(verdict.holds for verdict in verdicts if verdict.case.values != LIMIT)


class Once(torch.autograd.Function):
    """x², whose gradient is no function to differentiate."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            message = "differentiated once alone"
            raise RuntimeError(message)
        (x,) = ctx.saved_tensors
        found: Tensor = 2 * x * gradient
        return found


def once(x: Tensor) -> Tensor:
    found: Tensor = Once.apply(x)  # type: ignore[no-untyped-call]
    return found


class OnceIsSquare(OfRows):
    """A reference without a second derivative."""

    forms = (once, torch.square)


class SquareIsOnce(OfRows):
    """A candidate without one."""

    forms = (torch.square, once)


def test_a_second_derivative_that_the_reference_lacks_does_not_apply() -> None:
    cell = Cell(Domain(OnceIsSquare), LAWS["second_derivative"])
    cell.test(Plan())()
    found = record(cell, "once", 0.0, None)
    assert found.status == Status.DOES_NOT_APPLY
    assert found.reason == "the reference has no second derivative: differentiated once alone"


def test_a_second_derivative_that_the_candidate_alone_lacks_is_a_difference() -> None:
    assert refuted(SquareIsOnce, "second_derivative").record.kind == "raises"
