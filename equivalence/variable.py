"""What a claim quantifies over: sizes, masks, and tensors with named axes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


class ClaimError(Exception):
    """A claim or a law that cannot be checked as written: place, rule, value and remedy."""

    place: str = ""
    """path:line of the claim's class, where one is at fault."""

    def __str__(self) -> str:
        """Open with the place, as compilers do."""
        message = super().__str__()
        return f"{self.place}: {message}" if self.place else message


@dataclass(frozen=True)
class AtLeast:
    """size >= low, for a claim about every size from there on; used as Annotated[int, AtLeast(1)]."""

    low: int

    def __post_init__(self) -> None:
        """Refuse a bound that is no size."""
        if self.low < 0:
            message = f"AtLeast needs low >= 0, but got low={self.low}"
            raise ClaimError(message)


@dataclass(frozen=True)
class Between:
    """low <= size <= high, for a claim about these sizes only; used as Annotated[int, Between(1, 4)]."""

    low: int
    high: int

    def __post_init__(self) -> None:
        """Refuse a range that holds no size."""
        if not 0 <= self.low <= self.high:
            message = f"Between needs 0 <= low <= high, but got low={self.low}, high={self.high}"
            raise ClaimError(message)


@dataclass(frozen=True)
class Over:
    """The two axes of a mask, by field name; used as Annotated[Mask, Over("out_features in_features")]."""

    axes: str


@dataclass(frozen=True)
class Mask:
    """A (rows, columns) pattern of live entries as text, one word of 0 and 1 a row: Mask("10/01").

    Plain data, so that a case that holds one can be read, compared and replayed.
    """

    rows: str

    def tensor(self, rows: int, columns: int) -> Tensor:
        """Give the (rows, columns) bool tensor, True where an entry lives; ValueError on another size."""
        words = self.rows.split("/") if rows else []
        if len(words) != rows or any(len(word) != columns for word in words):
            message = f"a ({rows}, {columns}) mask needs {rows} words of {columns} digits, but got {self!r}"
            raise ValueError(message)
        digits = [[digit == "1" for digit in word] for word in words]
        return torch.tensor(digits, dtype=torch.bool).reshape(rows, columns)


@dataclass(frozen=True)
class Variable:
    """A tensor with named axes: a field's name has the field's size, `*name` is any number of free axes.

    A property's name has the size that the property computes of the fields, as features = heads · size. The
    rows of starred axes are computed alone (the law `rows`); any other name is a free axis of its own.
    """

    axes: str


@dataclass(frozen=True)
class Real(Variable):
    """A real tensor, as in Real("*batch height width")."""


@dataclass(frozen=True)
class Index(Variable):
    """A tensor of integers 0 <= i < below, as in Index("*batch", "classes"): a size or a property."""

    below: str
