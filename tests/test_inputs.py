"""Kinds of inputs: what one stands for, what lies outside, and that shrinking stays inside."""

from typing import Annotated

import pytest
import torch
from torch import Tensor, nn

from equivalence.claim import AtLeast, Equivalence, Index, Real
from equivalence.variable import Variable
from properties.cases.domain import Domain
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan

KINDS = (Real("*batch size"), Index("*batch", "size"))
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


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_lies_outside_does_not_fit_until_it_is_clamped(kind: Variable, size: int) -> None:
    x = drawn(kind, size)
    for words, wrong in kind.outside(x, lambda _: size or 1):
        assert (wrong.shape, wrong.dtype) == (x.shape, x.dtype)
        assert kind.misfit(wrong, lambda _: size), words
        assert not kind.misfit(kind.clamp(wrong, lambda _: size), lambda _: size), words


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_another_dtype_is_another(kind: Variable) -> None:
    x = drawn(kind, 5)
    dtypes = [wrong.dtype for _, wrong in kind.retyped(x)]
    assert len({x.dtype, *dtypes}) == len(dtypes) + 1 > 1


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
