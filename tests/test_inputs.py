"""Kinds of inputs: what one stands for, what lies outside, and that shrinking stays inside."""

from typing import Annotated

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softmax

from equivalence.claim import AtLeast, Bool, Dim, Equivalence, Index, Lengths, Real
from equivalence.variable import Variable
from properties.cases.domain import Domain
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan

KINDS = (
    Real("*batch size"),
    Index("*batch", "size"),
    Index("*batch", "size", ignored=-100),
    Lengths("*batch", "size"),
    Lengths("*batch", "size", least=0),
    Bool("*batch size"),
)
SIZES = (0, 1, 5)


class Table(nn.Module):
    def __init__(self, rows: int, *, last: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows))
        self.register_buffer("scale", torch.ones(rows))
        self.scale: Tensor
        self.scale[-1] = last

    def forward(self, i: Tensor) -> Tensor:
        return (self.weight * self.scale)[i]


class DoublesTheLast(Equivalence):
    """The last row is doubled; an index of -1 names it too."""

    rows: Annotated[int, AtLeast(3)]
    i = Index("*batch", "rows")

    def reference(self) -> nn.Module:
        return Table(self.rows)

    def candidate(self) -> nn.Module:
        return Table(self.rows, last=2.0)


class Kept(nn.Module):
    """softmax over the places that are kept; where none is, nan."""

    def __init__(self, features: int, hidden: float = -torch.inf, *, inverted: bool = False) -> None:
        super().__init__()
        self.score = nn.Linear(features, 1)
        self.hidden = hidden
        self.inverted = inverted

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        hidden = keep if self.inverted else ~keep
        return softmax(self.score(x).squeeze(-1).masked_fill(hidden, self.hidden), -1)


class Chosen(Kept):
    """The same, by a choice."""

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        return softmax(torch.where(keep, self.score(x).squeeze(-1), self.hidden), -1)


class Added(Kept):
    """The same, by a bias that is added: where nothing is kept its gradient is nan, and that of a fill 0."""

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        bias = torch.zeros(keep.shape, dtype=x.dtype, device=x.device).masked_fill(~keep, -torch.inf)
        return softmax(self.score(x).squeeze(-1) + bias, -1)


class ChosenIsFilled(Equivalence):
    """A score may be chosen or filled in."""

    same = "module"
    features: Dim
    x = Real("*batch places features")
    keep = Bool("*batch places")

    def reference(self) -> nn.Module:
        return Kept(self.features)

    def candidate(self) -> nn.Module:
        return Chosen(self.features)


class AddedIsFilled(ChosenIsFilled):
    """A mask may be added or filled in, but for gradients."""

    def candidate(self) -> nn.Module:
        return Added(self.features)


class NeverQuiteHidden(ChosenIsFilled):
    """Of a row with nothing kept, -1e4 makes the same as of one that is all kept."""

    def candidate(self) -> nn.Module:
        return Kept(self.features, hidden=-1e4)


class KeepsTheOthers(ChosenIsFilled):
    """True means hidden."""

    def candidate(self) -> nn.Module:
        return Kept(self.features, inverted=True)


def drawn(kind: Variable, size: int) -> Tensor:
    return kind.draw((3, 4), lambda _: size, torch.Generator().manual_seed(0))


def test_half_of_the_indices_are_at_an_end() -> None:
    x = Index("*batch", "size").draw((2000,), lambda _: 1000, torch.Generator().manual_seed(0))
    for end in (0, 999):
        assert 0.2 < (x == end).double().mean() < 0.3
    assert len(x.unique()) > 500


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_is_drawn_fits_and_is_left_as_it_is(kind: Variable, size: int) -> None:
    x = drawn(kind, size)
    assert x.shape == (3, 4)
    assert kind.misfit(x, lambda _: size) == ""
    assert torch.equal(kind.clamp(x, lambda _: size), x)


@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_lies_outside_does_not_fit_until_it_is_clamped(kind: Variable, size: int) -> None:
    x = drawn(kind, size)
    for words, wrong in kind.outside(x, lambda _: size):
        assert (wrong.shape, wrong.dtype) == (x.shape, x.dtype)
        assert kind.misfit(wrong, lambda _: size), words
        assert not kind.misfit(kind.clamp(wrong, lambda _: size), lambda _: size), words


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_another_dtype_is_another(kind: Variable) -> None:
    x = drawn(kind, 5)
    dtypes = [wrong.dtype for _, wrong in kind.retyped(x)]
    assert len({x.dtype, *dtypes}) == len(dtypes) + 1 > 1


def test_of_a_row_of_indices_none_or_some_or_all_are_ignored() -> None:
    kind = Index("*batch", "size", ignored=-100)
    x = kind.draw((900, 20), lambda _: 5, torch.Generator().manual_seed(0))
    hidden = (x == -100).sum(-1)
    assert set(x.unique().tolist()) == {-100, 0, 1, 2, 3, 4}
    assert all(0.3 < (hidden == count).double().mean() < 0.4 for count in (0, 20))
    assert kind.misfit(torch.tensor([-1]), lambda _: 5) == "integers from 0 to 4 or -100"
    assert kind.clamp(torch.tensor([-100, -7, 9]), lambda _: 5).tolist() == [-100, 0, 4]
    last = Index("*batch", "size", ignored=-1)
    assert all(last.misfit(wrong, lambda _: 5) for _, wrong in last.outside(x, lambda _: 5))


@pytest.mark.parametrize("least", [0, 1])
def test_every_length_is_drawn_both_ends_oftener(least: int) -> None:
    kind = Lengths("*batch", "steps", least)
    x = kind.draw((2000,), lambda _: 5, torch.Generator().manual_seed(0))
    assert set(x.tolist()) == {*range(least, 6)}
    assert all((x == end).double().mean() > 0.3 for end in (least, 5))
    assert kind.draw((3,), lambda _: 0, torch.Generator()).tolist() == [0, 0, 0]
    assert Lengths("*batch", "steps", least=4).draw((3,), lambda _: 2, torch.Generator()).tolist() == [
        2,
        2,
        2,
    ]
    assert kind.misfit(torch.tensor([6]), lambda _: 5) == f"integers from {least} to 5"


class MeanOfLengths(Equivalence):
    """The mean over the first n steps of each row: by a mask, and by a loop."""

    same = "function"
    steps: Annotated[int, AtLeast(1)]
    x = Real("rows steps")
    n = Lengths("rows", "steps")
    ends_late = 0

    def reference(self) -> nn.Module:
        return MaskedMean()

    def candidate(self) -> nn.Module:
        return LoopedMean(self.ends_late)


class MaskedMean(nn.Module):
    def forward(self, x: Tensor, n: Tensor) -> Tensor:
        counts = torch.arange(x.shape[1], device=x.device) < n[:, None]
        return torch.where(counts, x, 0).sum(1) / n


class LoopedMean(nn.Module):
    def __init__(self, ends_late: int) -> None:
        super().__init__()
        self.ends_late = ends_late

    def forward(self, x: Tensor, n: Tensor) -> Tensor:
        means = [row[: length + self.ends_late].sum() / length for row, length in zip(x, n, strict=True)]
        return torch.stack(means) if means else x.sum(1) / n


class OneStepTooMany(MeanOfLengths):
    """One step more than counts, where there is one."""

    ends_late = 1


def test_a_mean_over_lengths_is_the_same_by_a_mask_and_by_a_loop() -> None:
    Cell(Domain(MeanOfLengths), LAWS["forward"]).test(Plan())()
    with pytest.raises(Refuted) as found:
        Cell(Domain(OneStepTooMany), LAWS["forward"]).test(Plan())()
    values, _ = found.value.smallest
    assert (values["n"].tolist(), found.value.verdict.case.size("steps")) == ([1], 2)


class LossIsItsMean(Equivalence):
    """cross_entropy with an ignored class is the mean of -log softmax over what is left."""

    same = "function"
    classes: Annotated[int, AtLeast(1)]
    x = Real("rows classes")
    i = Index("rows", "classes", ignored=-100)
    forgets = False

    def reference(self) -> nn.Module:
        return nn.CrossEntropyLoss()

    def candidate(self) -> nn.Module:
        return MeanLoss(forgets=self.forgets)


class MeanLoss(nn.Module):
    def __init__(self, *, forgets: bool) -> None:
        super().__init__()
        self.forgets = forgets

    def forward(self, x: Tensor, i: Tensor) -> Tensor:
        counts = i != -100
        losses = -x.log_softmax(-1).gather(1, i.clamp(min=0)[:, None]).squeeze(1)
        return (losses * counts).sum() / (len(i) if self.forgets else counts.sum())


class CountsTheIgnored(LossIsItsMean):
    """The mean over all rows."""

    forgets = True


def test_a_loss_over_what_is_not_ignored() -> None:
    Cell(Domain(LossIsItsMean), LAWS["forward"]).test(Plan())()
    with pytest.raises(Refuted) as found:
        Cell(Domain(CountsTheIgnored), LAWS["forward"]).test(Plan())()
    assert -100 in found.value.smallest[0]["i"]


def test_every_index_is_drawn_and_both_sides_of_the_range_are_outside() -> None:
    kind = Index("*batch", "size")
    x = kind.draw((200,), lambda _: 5, torch.Generator().manual_seed(0))
    assert set(x.tolist()) == {0, 1, 2, 3, 4}
    assert [wrong.unique().tolist() for _, wrong in kind.outside(x, lambda _: 5)] == [[-1], [5]]
    assert not [*kind.outside(x[:0], lambda _: 5)], "without entries none is outside"


def test_the_smallest_index_that_shows_a_failure_is_not_negative() -> None:
    with pytest.raises(Refuted) as found:
        Cell(Domain(DoublesTheLast), LAWS["forward"]).test(Plan())()
    values, _ = found.value.smallest
    assert values["i"].max() == found.value.verdict.case.size("rows") - 1
    assert values["i"].min() >= 0


def test_rows_of_bool_are_all_true_or_all_false_or_neither() -> None:
    x = Bool("*batch size").draw((900, 20), lambda _: 20, torch.Generator().manual_seed(0))
    full, empty = x.all(-1).double().mean(), (~x).all(-1).double().mean()
    assert x.dtype == torch.bool
    assert 0.3 < full < 0.4
    assert 0.3 < empty < 0.4
    assert Bool("").draw((), lambda _: 0, torch.Generator().manual_seed(0)).shape == ()


@pytest.mark.parametrize("law", ["forward", "input_gradient", "rows", "layout", "rejects", "state", "modes"])
def test_two_ways_to_mask_are_the_same(law: str) -> None:
    cell = Cell(Domain(ChosenIsFilled), LAWS[law])
    cell.test(Plan())()
    assert cell.tally.executed > 10


@pytest.mark.parametrize(
    ("claim", "law"),
    [(NeverQuiteHidden, "forward"), (KeepsTheOthers, "forward"), (AddedIsFilled, "input_gradient")],
)
def test_a_wrong_mask_is_refuted_by_a_small_one(claim: type[Equivalence], law: str) -> None:
    with pytest.raises(Refuted) as found:
        Cell(Domain(claim), LAWS[law]).test(Plan())()
    values, _ = found.value.smallest
    assert values["keep"].dtype == torch.bool
    assert values["keep"].numel() <= 3
    if claim is not KeepsTheOthers:
        assert not values["keep"].any()
        assert "keep [0" in str(found.value)


def test_added_is_filled_but_for_gradients() -> None:
    Cell(Domain(AddedIsFilled), LAWS["forward"]).test(Plan())()
