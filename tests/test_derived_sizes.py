"""A size that follows from the fields is a property of the claim, and an axis is named by it."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from equivalence import AtLeast, Between, ClaimError, Equivalence, Index, Real
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.regime import Integers
from properties.cases.sample import Sample
from properties.judging.judge import Judge
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.report.document import CellRecord
from properties.running.cell import Cell, Plan
from properties.running.recording import record
from properties.running.refusals import MostlyRefusedError
from properties.running.suites import cells


class Heads(nn.Linear):
    """Linear, head by head: the outputs of one head are computed together."""

    def __init__(self, heads: int, size: int) -> None:
        super().__init__(heads * size, heads * size)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        weights, biases = self.weight.chunk(self.heads), self.bias.chunk(self.heads)
        heads = [nn.functional.linear(x, *one) for one in zip(weights, biases, strict=True)]
        return torch.cat(heads, dim=-1)


class SwapsHeads(Heads):
    """The heads come out in the wrong order."""

    def forward(self, x: Tensor) -> Tensor:
        heads: tuple[Tensor, ...] = super().forward(x).chunk(self.heads, -1)
        return torch.cat(heads[::-1], dim=-1)


class HeadsAreLinear(Equivalence):
    """A Linear computed head by head equals the whole one."""

    heads: Annotated[int, AtLeast(1)]
    size: Annotated[int, AtLeast(1)]
    form = Heads
    x = Real("*batch tokens features")

    @property
    def features(self) -> int:
        return self.heads * self.size

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, self.features)

    def candidate(self) -> nn.Module:
        return self.form(self.heads, self.size)


class SwappedHeadsAreLinear(HeadsAreLinear):
    """Heads in the wrong order equal the whole one."""

    form = SwapsHeads


class FreeHeadsAreLinear(HeadsAreLinear):
    """The same claim, written so that few cases fit."""

    x = Real("*batch tokens channels")


class LeftOver(Equivalence):
    """A size that is largest where its field is smallest."""

    size: Annotated[int, Between(1, 20)]
    x = Real("*batch rest")

    @property
    def rest(self) -> int:
        return 25 - self.size

    def reference(self) -> nn.Module:
        return nn.Linear(self.rest, 1)

    def candidate(self) -> nn.Module:
        return nn.Linear(self.rest, 1)


class PairIsEmbedding(Equivalence):
    """An embedding of classes of two halves; three channels are no field."""

    half: Annotated[int, AtLeast(1)]
    channels = 3
    i = Index("*batch", "classes")
    x = Real("*batch channels")

    class Adds(nn.Module):
        def __init__(self, classes: int, channels: int) -> None:
            super().__init__()
            self.rows = nn.Embedding(classes, channels)

        def forward(self, i: Tensor, x: Tensor) -> Tensor:
            return torch.add(self.rows(i), x)

    @property
    def classes(self) -> int:
        return 2 * self.half

    def reference(self) -> nn.Module:
        return self.Adds(self.classes, self.channels)

    def candidate(self) -> nn.Module:
        return self.Adds(self.classes, self.channels)


def sized(size: Callable[[Any], object]) -> type[Equivalence]:
    """A claim about Linear whose axis has a size computed by a function."""

    class Sized(Equivalence):
        """Linear equals itself."""

        low: Annotated[int, AtLeast(1)]
        x = Real("*batch features")
        features = property(size)

        def reference(self) -> nn.Module:
            return nn.Linear(4, 2)

        def candidate(self) -> nn.Module:
            return nn.Linear(4, 2)

    return Sized


def recorded(cell: Cell) -> CellRecord:
    error = None
    try:
        cell.test(Plan())()
    except MostlyRefusedError as refused:
        error = refused
    return record(cell, cell.domain.name, 0.0, error)


def check(claim: type[Equivalence], law: str) -> None:
    (cell,) = cells(Domain(claim), [law])
    cell.test(Plan())()
    assert cell.tally.executed
    assert not cell.tally.outside, "no case is drawn that the reference refuses"


@pytest.mark.parametrize(
    "law", ["forward", "parameter_gradient", "rows", "layout", "rejects", "initialisation"]
)
def test_no_case_is_lost_where_one_size_follows_from_others(law: str) -> None:
    check(HeadsAreLinear, law)


def test_a_property_is_no_free_axis_and_gives_the_shape() -> None:
    domain = Domain(HeadsAreLinear)
    assert domain.axes == {"batch": True, "tokens": False}
    case = Case(HeadsAreLinear(heads=3, size=5), {"batch": (2,), "tokens": (7,)}, 0)
    assert case.shape(HeadsAreLinear.x) == (2, 7, 15)
    assert domain.sizes(case) == {"heads": 3, "size": 5, "features": 15, "batch": 2, "tokens": 7}


def test_the_smallest_counterexample_is_found_in_the_fields() -> None:
    (cell,) = cells(Domain(SwappedHeadsAreLinear), ["forward"])
    with pytest.raises(Refuted) as refuted:
        cell.test(Plan())()
    assert "heads=2, size=1" in str(refuted.value)


def test_a_case_is_traced_anew_where_what_follows_is_larger_than_in_the_largest() -> None:
    judge = Judge(Domain(LeftOver), LAWS["forward"])
    small, large = (Case(LeftOver(size=size), {"batch": ()}, 0) for size in (17, 1))
    assert judge.tracing.exactness(small) is judge.tracing.exactness(small)
    assert judge.tracing.exactness(small) is not judge.tracing.exactness(large)
    check(LeftOver, "forward")


def test_an_index_may_be_below_what_follows_and_an_axis_may_have_a_number_of_the_claim() -> None:
    case = Case(PairIsEmbedding(half=4), {"batch": (2,)}, 0)
    assert case.shape(PairIsEmbedding.x) == (2, 3)
    for law in ("forward", "rejects", "parameter_gradient"):
        check(PairIsEmbedding, law)


@pytest.mark.parametrize("value", [-1, 2.5, None, "4", True])
def test_what_is_no_size_is_refused_before_a_case_is_drawn(value: object) -> None:
    with pytest.raises(ClaimError) as error:
        cells(Domain(sized(lambda _: value)), ["forward"])
    assert f"features is {value!r}; take as fields what varies freely" in str(error.value)


def test_what_is_no_size_for_some_fields_alone_is_an_error_and_no_refusal() -> None:
    (cell,) = cells(Domain(sized(lambda claim: -1 if claim.low == 3 else 4)), ["forward"])
    with pytest.raises(ClaimError, match="features is -1"):
        cell.test(Plan())()


class HeadsOfFeatures(Equivalence):
    """A size that is one only where the reference accepts the fields."""

    heads: Annotated[int, Between(0, 3)]
    width: Annotated[int, Between(0, 3)]
    taken: Annotated[int, Between(0, 1)]
    x = Real("*batch size rest")

    @property
    def size(self) -> int:
        return 6 // self.heads

    @property
    def rest(self) -> int:
        return self.width - self.taken

    def reference(self) -> nn.Module:
        if not self.heads or self.taken > self.width:
            message = "no such heads"
            raise ValueError(message)
        return nn.Linear(self.rest, 2)

    def candidate(self) -> nn.Module:
        return nn.Linear(self.rest, 2)


@pytest.mark.parametrize("law", ["forward", "input_gradient", "rows", "rejects", "parameter_count"])
def test_what_is_no_size_where_the_reference_refuses_is_outside_the_claim(law: str) -> None:
    (cell,) = cells(Domain(HeadsOfFeatures), [law])
    cell.test(Plan())()
    assert cell.tally.executed
    assert cell.tally.outside


def test_a_bound_of_indices_counts_among_the_sizes_and_is_reached() -> None:
    domain = Domain(PairIsEmbedding)
    case = Case(PairIsEmbedding(half=2), {"batch": (500,)}, 0)
    assert domain.sizes(case)["classes"] == 4
    drawn = Sample(case, Integers(3)).inputs[0]
    assert drawn.unique().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("axis", ["inputs", "source", "initial", "x"])
def test_a_free_axis_may_have_any_other_name(axis: str) -> None:
    claim = type("Free", (sized(lambda _: 4),), {"x": Real(f"*batch {axis} 4")})
    assert Domain(claim).axes == {"batch": True, axis: False}


def test_a_number_of_numpy_is_a_size() -> None:
    check(sized(lambda claim: np.prod((claim.low, 4)) // claim.low), "forward")


def test_an_option_that_has_a_value_is_drawn_and_does_not_follow() -> None:
    class Chosen(LeftOver):
        """An option is no bound, whatever number it is by default."""

        groups: Literal[1, 2] = 1
        i = Index("*batch", "groups")

    with pytest.raises(ClaimError, match="below='groups' is none"):
        Domain(Chosen)


def test_a_bool_of_the_claim_is_no_size() -> None:
    claim = type("Flagged", (LeftOver,), {"x": Real("*batch biased"), "biased": True})
    with pytest.raises(ClaimError, match="'biased' is a bool of the claim and no size"):
        Domain(claim)


def test_a_name_is_a_field_or_a_property_and_not_both() -> None:
    class Both(LeftOver):
        """A size that the base draws."""

        size = property(lambda _: 3)

    with pytest.raises(ClaimError, match="'size' is both"):
        Domain(Both)


def test_a_property_that_is_nearly_an_axis_is_named() -> None:
    claim = type("Misspelt", (HeadsAreLinear,), {"x": Real("*batch tokens feature")})
    with pytest.raises(ClaimError, match="is no field and nearly 'features'"):
        Domain(claim)


def test_what_follows_cannot_be_pinned() -> None:
    with pytest.raises(ClaimError, match="'features' was given; it follows from the fields"):
        Domain(HeadsAreLinear, {"features": 4})
