"""Lines that once said what is not so, or nothing: each says what is."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from equivalence import Dim, Equivalence, Real
from equivalence.claim import Theta
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.refutation.wiring import wiring
from properties.running.cell import Cell


class Left(nn.Linear):
    """Linear that leaves a tensor behind when it is moved."""

    def __init__(self, features: int) -> None:
        super().__init__(features, 2)
        self.left = [torch.ones(2)]

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.left[0]


class LeftIsLinear(Equivalence):
    """A layer with a tensor that no module knows is Linear."""

    features: Dim
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 2)

    def candidate(self) -> nn.Module:
        return Left(self.features)


class Multiplied(nn.Linear):
    """Linear that takes an infinity for 1."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.nan_to_num(posinf=1.0))


class MultipliedIsLinear(LeftIsLinear):
    """What replaces an infinity is Linear."""

    def candidate(self) -> nn.Module:
        return Multiplied(self.features, 2)


def refuted(claim: type[Equivalence], law: str, case: Case) -> Refuted:
    with pytest.raises(Refuted) as found:
        Cell(Domain(claim), LAWS[law]).check(case)
    return found.value


def test_a_candidate_that_raises_on_meta_is_quoted() -> None:
    found = refuted(LeftIsLinear, "state", Case(LeftIsLinear(features=1), {"batch": ()}, 0))
    assert found.record.difference.startswith("on meta.call: candidate raised RuntimeError: ")
    assert found.record.difference.endswith(", reference returned")


def test_nonfinite_names_the_entry_that_was_set_and_the_output_that_it_reaches() -> None:
    case = Case(MultipliedIsLinear(features=3), {"batch": (2,)}, 1)
    found = refuted(MultipliedIsLinear, "nonfinite", case).record.difference
    assert found.startswith("inf in x[")
    row = found.removeprefix("inf in x[")[0]
    # Linear computes each row alone: what reaches an output lies in its row.
    assert f"] reaches output[{row}, 0]: candidate 0, reference 1" in found


SQUASHES: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "even": lambda x: x.square().tanh(),
}
"""Functions that do not move by a small step where the input is large; one by no large step either."""


class Squashed(nn.Linear):
    """Linear in such a function."""

    def __init__(self, features: int, squash: str, sign: float = 1.0, lost: int = 0) -> None:
        super().__init__(features, 1, bias=False)
        self.squash, self.sign, self.lost = squash, sign, lost

    def forward(self, x: Tensor) -> Tensor:
        kept = x * (torch.arange(x.shape[-1]) >= self.lost)
        return self.sign * SQUASHES[self.squash](super().forward(kept))


class NegatedSquashed(Equivalence):
    """A layer is not its negative, and reads all that it reads."""

    squash = "tanh"
    lost = 0
    x = Real("*batch 2")

    def reference(self) -> nn.Module:
        return Squashed(2, self.squash)

    def candidate(self) -> nn.Module:
        return Squashed(2, self.squash, -1.0, self.lost)


class Lost(NegatedSquashed):
    """A layer that does not read its first input."""

    lost = 1


class LostRelu(Lost):
    """The same behind a relu."""

    squash = "relu"


class Doubled(NegatedSquashed):
    """Linear is no tanh, which is saturated."""

    def candidate(self) -> nn.Module:
        return nn.Sequential(nn.Linear(2, 1, bias=False))

    def carry(self, theta: Theta) -> Theta:
        return {"0.weight": theta["weight"]}


class Relu(Doubled):
    """Linear is no relu, whose input may be far below 0."""

    squash = "relu"


class Even(Doubled):
    """Linear is no even function."""

    squash = "even"


@pytest.mark.parametrize("claim", [NegatedSquashed, Doubled, Relu, Even])
@pytest.mark.parametrize("seed", range(20))
def test_a_saturated_form_is_not_said_to_read_nothing(claim: type[Equivalence], seed: int) -> None:
    assert wiring(Domain(claim), Case(claim(), {"batch": ()}, seed)) == []


@pytest.mark.parametrize("claim", [Lost, LostRelu])
def test_what_a_saturated_form_does_not_read_is_still_said(claim: type[Equivalence]) -> None:
    said = {
        sentence
        for seed in range(20)
        for sentence in wiring(Domain(claim), Case(claim(), {"batch": ()}, seed))
    }
    assert said == {
        "output [0] reads x [1], should read x [0] and x [1]",
        "output [0] reads weight [0, 1], should read weight [0, 0] and weight [0, 1]",
    }


class Wide(Equivalence):
    """A layer that loses one of many outputs."""

    x = Real("*batch 65")

    def reference(self) -> nn.Module:
        return nn.Identity()

    def candidate(self) -> nn.Module:
        return Scaled()


class Scaled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.ones(65).index_fill(0, torch.tensor(self.places()), 2.0)

    def places(self) -> Sequence[int]:
        return [3, 64]


class ScaledAll(Scaled):
    def places(self) -> Sequence[int]:
        return range(65)


class AllWide(Wide):
    """A layer that doubles them all."""

    def candidate(self) -> nn.Module:
        return ScaledAll()


def test_of_many_numbers_those_are_shown_that_matter() -> None:
    text = str(refuted(Wide, "forward", Case(Wide(), {"batch": ()}, 0)))
    assert "\n    x of shape (65,): [64] = 1\n" in text
    # What the line above has said is not said again.
    assert text.count("candidate 2, reference 1") == 1
    assert "more" not in text


def test_of_those_that_matter_a_few_are_shown_and_the_rest_are_counted() -> None:
    found = refuted(AllWide, "forward", Case(AllWide(), {"batch": ()}, 0))
    drawn = found.judge.values(found.verdict)
    different = int((drawn["x"] != 0).sum())
    assert different > 8
    found.values = drawn
    text = str(found)
    assert text.count(f" … and {different - 8} more\n") == 2
    assert text.count("candidate ") == 1 + 8
    assert f"x of shape (65,): [0] = {drawn['x'][0]:g}, " in text
