"""What the law of fresh parameters says of forms that copy, that nearly copy, and of other dtypes."""

import copy
import itertools
from collections.abc import Callable
from typing import Annotated, ClassVar

import pytest
import torch
from torch import Tensor, nn

from equivalence.claim import Between, Equivalence, Real, Theta
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.regime import Reals
from properties.cases.sample import Sample
from properties.judging.judge import Judge
from properties.laws import LAWS
from properties.laws.constructions import fresh_draws, once

LAW = LAWS["initialisation"]


class Twice(nn.Module):
    """A layer and its deep copy."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Linear(features, features)
        self.second = copy.deepcopy(self.first)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.second(self.first(x).tanh())
        return output


class EqualRows(nn.Linear):
    """A layer whose rows start alike."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        with torch.no_grad():
            self.weight.copy_(self.weight[:1].expand_as(self.weight))


class NearlyTwice(Twice):
    """A layer and its copy, with a little noise."""

    def __init__(self, features: int) -> None:
        super().__init__(features)
        with torch.no_grad():
            self.second.weight.add_(1e-3 * torch.randn(features, features))


class Frozen(nn.Module):
    """A weight that is never trained, as a parameter."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features, features), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight


class Buffered(nn.Module):
    """A weight that is never trained, as a buffer."""

    weight: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.randn(features, features))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight


class Square(Equivalence):
    """A layer equals another of its kind."""

    features: Annotated[int, Between(1, 4)]

    x = Real("*batch features")
    of_reference: ClassVar[Callable[[int], nn.Module]]
    of_candidate: ClassVar[Callable[[int], nn.Module]]

    def reference(self) -> nn.Module:
        return type(self).of_reference(self.features)

    def candidate(self) -> nn.Module:
        return type(self).of_candidate(self.features)


def square(
    reference: Callable[[int], nn.Module], candidate: Callable[[int], nn.Module], **said: object
) -> type[Square]:
    """Claim that two square layers are the same one."""
    names = {"of_reference": staticmethod(reference), "of_candidate": staticmethod(candidate)}
    return type("Claimed", (Square,), {**names, **said})


def linear(features: int) -> nn.Module:
    return nn.Linear(features, features)


def equal_rows(features: int) -> nn.Module:
    return EqualRows(features, features)


def half_norm(features: int) -> nn.Module:
    return nn.Sequential(nn.Linear(features, features).half(), nn.LayerNorm(features))


def refuted(claim: type[Square], cases: int = 4) -> str:
    """Say what the law finds in the first wide cases; empty where it holds."""
    domain = Domain(claim)
    judge = Judge(domain, LAW)
    verdicts = [judge.verdict(case) for case in itertools.islice(domain.wide(), cases)]
    return next((str(verdict.difference) for verdict in verdicts if verdict.difference), "")


@pytest.mark.parametrize(
    "claim",
    [
        square(Twice, Twice),
        square(equal_rows, equal_rows),
        square(NearlyTwice, NearlyTwice, fresh_entries_independent=False),
        square(Frozen, Buffered),
        square(half_norm, half_norm),
        square(linear, lambda size: linear(size).half(), carry=lambda _, theta: halved(theta)),
        square(linear, linear, carry=lambda _, theta: doubled(theta)),
    ],
    ids=[
        "deep copies",
        "equal rows",
        "near copies",
        "no parameter",
        "two dtypes",
        "half",
        "carried in double",
    ],
)
def test_what_both_forms_draw_alike_is_right(claim: type[Square]) -> None:
    assert refuted(claim) == ""


def halved(theta: Theta) -> Theta:
    return {name: value.half() for name, value in theta.items()}


def doubled(theta: Theta) -> Theta:
    return {name: value.double() for name, value in theta.items()}


def test_an_entry_that_both_forms_copy_counts_once() -> None:
    for reference, left in ((equal_rows, 1), (linear, 4)):
        case = Case(square(reference, equal_rows)(features=4), {"batch": ()}, 0)
        sample = Sample(case, Reals(torch.float64))
        for fresh in once(*(fresh_draws(form, sample) for form in (sample.reference, sample.candidate))):
            assert fresh["weight"].live.sum() == 4 * left
            assert fresh["bias"].live.all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_fresh_parameter_of_another_dtype_is_refuted(dtype: torch.dtype) -> None:
    def other(features: int) -> nn.Module:
        return linear(features).to(dtype)

    assert refuted(square(linear, other)) == f"dtype.weight: candidate {dtype}, reference torch.float32"
    assert refuted(square(other, linear)) == f"dtype.weight: candidate torch.float32, reference {dtype}"


def test_a_copy_in_one_form_alone_is_refuted() -> None:
    def apart(features: int) -> nn.Module:
        return nn.Sequential(nn.Linear(features, features), nn.Linear(features, features))

    def copied(features: int) -> nn.Module:
        return nn.Sequential(*Twice(features).children())

    for said in ({}, {"fresh_entries_independent": False}):
        assert "in the candidate alone" in refuted(square(apart, copied, **said))
        assert "in the reference alone" in refuted(square(copied, apart, **said))
