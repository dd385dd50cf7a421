"""A failure keeps its kind while it shrinks, and the kind that tells most is shown."""

from dataclasses import replace
from typing import Annotated

import pytest
import torch
from torch import Tensor, nn

from equivalence import AtLeast, Equivalence, Real
from properties.cases.domain import Domain
from properties.laws import LAWS
from properties.laws.registry import ANOTHER_FUNCTION
from properties.refutation.counterexample import Refuted
from properties.report.document import CounterexampleRecord
from properties.running.cell import Cell, Plan

Size = Annotated[int, AtLeast(1)]
SEEDS = range(4)


class Norm(nn.Module):
    """(x - mean) / root of the variance, which is unbiased where `correction` is 1: 0/0 for one number."""

    def __init__(self, correction: int) -> None:
        super().__init__()
        self.correction = correction

    def forward(self, x: Tensor) -> Tensor:
        centred: Tensor = x - x.mean(-1, keepdim=True)
        variance = centred.square().sum(-1, keepdim=True) / (x.shape[-1] - self.correction)
        return centred / (variance + 1e-5).sqrt()


class UnbiasedIsBiased(Equivalence):
    """A layer norm by the unbiased variance."""

    features: Size
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Norm(0)

    def candidate(self) -> nn.Module:
        return Norm(1)


class Merged(nn.Module):
    """Linear by m · w / |w|, the norm over the inputs of each output; nan where w is 0."""

    def __init__(self, features: int, power: int) -> None:
        super().__init__()
        self.power = power
        self.w = nn.Parameter(torch.ones(2, features))
        self.m = nn.Parameter(torch.ones(2, 1))

    def forward(self, x: Tensor) -> Tensor:
        norm = self.w.square().sum(-1, keepdim=True).sqrt()
        return nn.functional.linear(x, self.m**self.power * self.w / norm)


class SquaredMagnitude(Equivalence):
    """A merge that squares the magnitude."""

    features: Size
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Merged(self.features, 1)

    def candidate(self) -> nn.Module:
        return Merged(self.features, 2)


class WithoutNorm(SquaredMagnitude):
    """A merge that forgets the norm: nan beside a number where w is 0."""

    class Plain(Merged):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.linear(x, self.m * self.w)

    def candidate(self) -> nn.Module:
        return self.Plain(self.features, 1)


class Rounded(nn.Linear):
    """Linear whose outputs lose what lies below 4, in either dtype."""

    def forward(self, x: Tensor) -> Tensor:
        return (super().forward(x) / 4).floor() * 4


class RoundedIsLinear(Equivalence):
    """Wrong in float64 and in float32, in some cases in one of them alone."""

    features: Size
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 1, bias=False)

    def candidate(self) -> nn.Module:
        return Rounded(self.features, 1, bias=False)


class Single(nn.Linear):
    """Linear, and 1 too many in float32."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + int(x.dtype == torch.float32)


class SingleIsLinear(RoundedIsLinear):
    """Wrong in float32 alone."""

    def candidate(self) -> nn.Module:
        return Single(self.features, 1, bias=False)


class Picky(nn.Linear):
    """Linear that is negated from three features on, and does not know what to do with two."""

    slip: type[Exception] = ValueError

    def forward(self, x: Tensor) -> Tensor:
        if self.in_features == 2:
            message = "two"
            raise self.slip(message)
        return -super().forward(x) if self.in_features > 2 else super().forward(x)


class PickyIsLinear(RoundedIsLinear):
    """Raises in cases that are smaller than those in which it differs."""

    def candidate(self) -> nn.Module:
        return Picky(self.features, 1, bias=False)


class Never(Picky):
    """Linear that is never computed."""

    def forward(self, x: Tensor) -> Tensor:
        message = f"no {tuple(x.shape)}"
        raise TypeError(message)


class NeverIsLinear(RoundedIsLinear):
    """Raises in all cases."""

    def candidate(self) -> nn.Module:
        return Never(self.features, 1, bias=False)


def shown(
    claim: type[Equivalence], seed: int, law: str = "forward", profile: str = "gate"
) -> CounterexampleRecord:
    with pytest.raises(Refuted) as refuted:
        Cell(Domain(claim), LAWS[law]).test(Plan(seed=seed, profile=profile))()
    return refuted.value.record


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wrong_norm_is_not_shown_for_one_number_whose_variance_is_none(seed: int) -> None:
    found = shown(UnbiasedIsBiased, seed)
    assert "features=2" in found.case
    assert "nan" not in found.difference


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("law", ["forward", "input_gradient"])
@pytest.mark.parametrize("claim", [SquaredMagnitude, WithoutNorm])
def test_a_wrong_merge_is_not_shown_as_zero_over_zero(claim: type[Equivalence], law: str, seed: int) -> None:
    found = shown(claim, seed, law)
    assert "features=1" in found.case
    assert "nan" not in found.difference
    assert found.reference_output is not None
    assert "nan" not in found.reference_output.entries


@pytest.mark.parametrize("seed", range(12))
def test_what_is_wrong_in_float64_is_not_said_to_be_wrong_in_float32(seed: int) -> None:
    assert shown(RoundedIsLinear, seed).kind == "another function"


@pytest.mark.parametrize("profile", ["gate", "explore"])
def test_what_is_wrong_in_float32_alone_is_found_and_shrunk(profile: str) -> None:
    found = shown(SingleIsLinear, 0, profile=profile)
    assert found.kind == "another function in float32"
    assert "features=1" in found.case


@pytest.mark.parametrize("seed", SEEDS)
def test_a_difference_is_shown_rather_than_an_exception(seed: int) -> None:
    found = shown(PickyIsLinear, seed)
    assert found.kind == "another function"
    assert "features=3" in found.case


def test_a_difference_does_not_shrink_into_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Picky, "slip", NameError)
    first = set()
    for seed in range(11):
        with pytest.raises((Refuted, NameError)) as error:
            Cell(Domain(PickyIsLinear), LAWS["forward"]).test(Plan(seed=seed))()
        first.add(error.type)
    assert first == {Refuted, NameError}


def test_an_exception_in_every_case_is_shown_in_the_smallest() -> None:
    found = shown(NeverIsLinear, 0)
    assert found.kind == "raises"
    assert "features=1, batch=()" in found.case


def test_the_worst_case_seen_is_larger_than_the_one_shown_or_not_told() -> None:
    for seed in range(12):
        for claim in (PickyIsLinear, RoundedIsLinear, SquaredMagnitude):
            found = shown(claim, seed)
            assert found.candidate_output is not None
            assert found.reference_output is not None
            pairs = zip(found.candidate_output.entries, found.reference_output.entries, strict=True)
            gap = max(abs(float(one) - float(other)) for one, other in pairs)
            assert not found.worst or float(found.worst.split()[1]) > gap


@pytest.mark.parametrize(
    ("law", "where", "kind"),
    [
        ("forward", "output[0]", ANOTHER_FUNCTION),
        ("modes", "call 1, eval[0]", ANOTHER_FUNCTION),
        ("modes", "call 2, eval[0]", "state"),
        ("modes", "buffer.running_mean[0]", "state"),
        ("training_muon", "weight[0, 0]", "another training run"),
        ("cost", "multiply-adds", "another cost"),
    ],
)
def test_a_law_says_of_which_kind_its_failures_are(law: str, where: str, kind: str) -> None:
    assert LAWS[law].kind_at(where) == kind


def test_a_circumstance_that_only_chose_float32_is_not_named() -> None:
    domain = Domain(SingleIsLinear)
    case = replace(domain.typical, under=("no_grad", "autocast"))
    cell = Cell(domain, LAWS["forward"])
    verdict = cell.judge.verdict(case)
    assert not verdict.holds
    assert cell.judge.verdict(replace(case, under=())).holds
    assert cell._in_plainer_use(verdict).case == replace(case, under=()).single
