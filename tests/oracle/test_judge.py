"""What the judge decides beyond one comparison: the float32 run and the premise of a law, each broken too."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence import Dim, Equivalence, Real
from equivalence.claim import Theta
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.regime import Integers
from properties.judging import judge
from properties.judging.judge import Judge
from properties.judging.numbers import integers
from properties.laws import LAWS
from properties.oracle.exact import SINGLE_EVERY, Exactness
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan
from tests.stored import Stored, StoredIsLinear


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


class OffIsLinear(SlipIsLinear):
    """A slip that shows in every dtype."""

    class Off(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + 1

    def candidate(self) -> nn.Module:
        return self.Off(self.features, 2)


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


class StoredAsIs(nn.Module):
    """Keeps the weight as Linear does, but transposed in memory, and reads it in that order."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.Linear(features, 2).weight.detach().T.contiguous().T)

    def forward(self, x: Tensor) -> Tensor:
        features = self.weight.shape[1]
        return functional.linear(x, self.weight.T.view(-1).view(features, 2).T)


class StoredIsStored(StoredIsLinear):
    """Two forms that read the memory of their parameters, one of them of a transposed one."""

    def reference(self) -> nn.Module:
        return StoredAsIs(self.features)


class WritesStored(Stored):
    """Writes into its weight while gradients are recorded, which torch refuses of a parameter."""

    def forward(self, x: Tensor) -> Tensor:
        self.weight.mul_(1)
        return super().forward(x)


class ClampsStored(Stored):
    """Writes into its weight under no_grad, as torch allows."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.weight.mul_(1)
        return super().forward(x)


class WritesIsLinear(StoredIsLinear):
    """A form that raises wherever it is trained."""

    def candidate(self) -> nn.Module:
        return WritesStored(self.features)


class ClampsIsLinear(StoredIsLinear):
    """A right form that writes into its weight."""

    def candidate(self) -> nn.Module:
        return ClampsStored(self.features)


class ClampsViewIsLinear(ClampsIsLinear):
    """The same, of what carry gives as a view of something computed."""

    def carry(self, theta: Theta) -> Theta:
        computed = theta["weight"].T.contiguous()
        return {"weight": computed.view(-1).view(computed.shape)}


class Halves(nn.Module):
    """Two parameters, each read from the start of its memory."""

    def __init__(self, features: int) -> None:
        super().__init__()
        weight = nn.Linear(features, 2).weight.detach()
        self.first, self.second = nn.Parameter(weight[:1].clone()), nn.Parameter(weight[1:].clone())

    def forward(self, x: Tensor) -> Tensor:
        rows = [one.as_strided(one.shape, one.stride(), 0) for one in (self.first, self.second)]
        return functional.linear(x, torch.cat(rows))


class HalvesAreLinear(StoredIsLinear):
    """A candidate whose parameters carry cuts out of one."""

    def candidate(self) -> nn.Module:
        return Halves(self.features)

    def carry(self, theta: Theta) -> Theta:
        return {"first": theta["weight"][:1], "second": theta["weight"][1:]}


class WritesComputedIsLinear(StoredIsLinear):
    """A candidate that writes into what carry computes, in the order of its own."""

    def carry(self, theta: Theta) -> Theta:
        return {"weight": theta["weight"].T.contiguous()}

    def candidate(self) -> nn.Module:
        return WritesStored(self.features)


def run(claim: type[Equivalence], law: str) -> Cell:
    cell = Cell(Domain(claim), LAWS[law])
    cell.test(Plan())()
    return cell


def test_a_slip_in_float32_alone_is_refuted() -> None:
    with pytest.raises(Refuted, match="exact integers in float32"):
        run(SlipIsLinear, "forward")


def test_without_the_float32_run_the_slip_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "integers", lambda _, exactness: (Integers(exactness.bits),))
    domain = Domain(SlipIsLinear, {"under": ("not autocast",)})
    cell = Cell(domain, LAWS["forward"])
    cell.test(Plan())()
    assert cell.tally.executed


@pytest.mark.parametrize("seed", range(2 * SINGLE_EVERY))
def test_every_eighth_case_runs_in_float32_in_place_of_float64(seed: int) -> None:
    decides = Judge(Domain(StoredIsLinear), LAWS["forward"])
    case = Case(StoredIsLinear(features=3), {"batch": (2,)}, seed)
    regime = decides.verdict(case).regime
    assert regime.dtype == (torch.float32 if seed % SINGLE_EVERY == SINGLE_EVERY - 1 else torch.float64)


@pytest.mark.parametrize(
    ("single_bits", "dtypes"), [(9, "float32"), (1, "float64 float32"), (0, "float64"), (-1, "float64")]
)
def test_float32_stands_in_for_float64_where_it_has_bits_enough(single_bits: int, dtypes: str) -> None:
    case = Case(StoredIsLinear(features=3), {"batch": ()}, SINGLE_EVERY - 1)
    regimes = integers(case, Exactness(15, single_bits, degree=2, piecewise=False))
    assert " ".join(f"{regime.dtype}".removeprefix("torch.") for regime in regimes) == dtypes


@pytest.mark.parametrize(("claim", "dtype"), [(OffIsLinear, torch.float64), (SlipIsLinear, torch.float32)])
def test_what_differs_in_both_dtypes_is_reported_in_float64(
    claim: type[SlipIsLinear], dtype: torch.dtype
) -> None:
    decides = Judge(Domain(claim), LAWS["forward"])
    verdict = decides.verdict(Case(claim(features=3), {"batch": ()}, SINGLE_EVERY - 1))
    assert not verdict.holds
    assert verdict.regime.dtype == dtype


@pytest.mark.parametrize("law", ["forward", "parameter_gradient", "second_derivative", "state", "training"])
@pytest.mark.parametrize(
    "claim", [StoredIsLinear, StoredIsStored, ClampsIsLinear, ClampsViewIsLinear, HalvesAreLinear]
)
def test_a_form_may_count_on_the_memory_of_its_own_parameters(claim: type[Equivalence], law: str) -> None:
    assert run(claim, law).tally.executed


@pytest.mark.parametrize("law", ["forward", "parameter_gradient", "second_derivative", "rows"])
@pytest.mark.parametrize("claim", [WritesIsLinear, WritesComputedIsLinear])
def test_a_form_that_writes_into_what_is_trained_is_refuted(claim: type[Equivalence], law: str) -> None:
    with pytest.raises(Refuted, match="requires grad is being used in an in-place operation"):
        run(claim, law)


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
    monkeypatch.setitem(LAWS, "layout", replace(LAWS["layout"], presumed=False))
    with pytest.raises(Refuted):
        run(claim, "layout")
