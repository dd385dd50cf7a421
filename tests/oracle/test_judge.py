"""What the judge decides beyond one comparison: the float32 run and the premise of a law, each broken too."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from equivalence import Dim, Equivalence, Real
from properties.cases.domain import Domain
from properties.cases.regime import Integers
from properties.judging import judge
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan


class SlipsInSingle(nn.Linear):
    """Right in float64 alone, as a kernel that was written for one dtype."""

    def forward(self, x: Tensor) -> Tensor:
        wrong = 1 if x.dtype == torch.float32 else 0
        return super().forward(x) + wrong


class SlipIsLinear(Equivalence):
    """A slip that shows in float32 alone."""

    features: Dim
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 2)

    def candidate(self) -> nn.Module:
        return SlipsInSingle(self.features, 2)


class InMemoryOrder(nn.Module):
    """Reads x in the order of its memory, whatever its strides say."""

    def forward(self, x: Tensor) -> Tensor:
        return x.as_strided((x.numel(),), (1,))


class Viewed(nn.Module):
    """Raises where x is not contiguous."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view(x.numel())


class Flattened(Equivalence):
    """Two forms that are the same, and right on every layout."""

    rows: Dim
    columns: Dim
    x = Real("rows columns")

    def reference(self) -> nn.Module:
        return nn.Flatten(-2)

    def candidate(self) -> nn.Module:
        return nn.Flatten(-2)


class MemoryIsMemory(Flattened):
    """Two forms that are the same, and both wrong on a transposed input."""

    def reference(self) -> nn.Module:
        return InMemoryOrder()

    def candidate(self) -> nn.Module:
        return InMemoryOrder()


class ViewIsView(Flattened):
    """Two forms that are the same, and both raise on a transposed input."""

    def reference(self) -> nn.Module:
        return Viewed()

    def candidate(self) -> nn.Module:
        return Viewed()


class MemoryIsFlatten(Flattened):
    """A candidate that alone is wrong on a transposed input."""

    def candidate(self) -> nn.Module:
        return InMemoryOrder()


class ViewIsFlatten(Flattened):
    """A candidate that alone raises on a transposed input."""

    def candidate(self) -> nn.Module:
        return Viewed()


def run(claim: type[Equivalence], law: str) -> Cell:
    cell = Cell(Domain(claim), LAWS[law])
    cell.test(Plan())()
    return cell


def test_a_slip_in_float32_alone_is_refuted() -> None:
    with pytest.raises(Refuted, match="exact integers in float32"):
        run(SlipIsLinear, "forward")


def test_without_the_float32_run_the_slip_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "_integers", lambda _, exactness: [Integers(exactness.bits)])
    assert run(SlipIsLinear, "forward").tally.executed


@pytest.mark.parametrize("claim", [MemoryIsFlatten, ViewIsFlatten])
def test_a_layout_that_the_candidate_alone_mistakes_is_refuted(claim: type[Equivalence]) -> None:
    with pytest.raises(Refuted):
        run(claim, "layout")


@pytest.mark.parametrize("claim", [MemoryIsMemory, ViewIsView])
def test_a_layout_that_both_forms_mistake_is_outside_the_claim(claim: type[Equivalence]) -> None:
    assert run(claim, "layout").tally.outside


@pytest.mark.parametrize("claim", [MemoryIsMemory, ViewIsView])
def test_without_its_premise_the_law_would_cry_wolf(
    claim: type[Equivalence], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LAWS, "layout", replace(LAWS["layout"], premise=None))
    with pytest.raises(Refuted):
        run(claim, "layout")
