"""What a claim quantifies over: sizes, masks, and tensors with named axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

SizeOf = Callable[[str], int]
"""The size that a name stands for in a case: a field, or a property of the claim."""


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

    A kind of variable is one class: it says which tensors of a shape it stands for. To add one, override what
    it does otherwise than a tensor of any real numbers.
    """

    axes: str

    real: ClassVar[bool] = False
    """Whether its entries are real numbers, which can be differentiated in, and be inf or nan."""

    @property
    def bounds(self) -> tuple[str, ...]:
        """The names of the sizes that its entries depend on, beside those of its axes."""
        return ()

    def draw(self, shape: tuple[int, ...], size: SizeOf, generator: torch.Generator) -> Tensor:
        """Return a tensor that it stands for; each of them has a chance."""
        raise NotImplementedError

    def misfit(self, value: Tensor, size: SizeOf) -> str:  # noqa: ARG002  (for those that have bounds)
        """Return what its entries are, where those of a tensor are others; empty where they fit."""
        return ""

    def clamp(self, value: Tensor, size: SizeOf) -> Tensor:  # noqa: ARG002  (for those that have bounds)
        """Return the nearest tensor that it stands for."""
        return value

    def outside(self, x: Tensor, size: SizeOf) -> Iterator[tuple[str, Tensor]]:  # noqa: ARG002  (as above)
        """Give tensors of the same shape and dtype that it does not stand for, each after what it is with."""
        yield from ()

    def retyped(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Give the same entries in dtypes that it does not have, each after what it is with."""
        yield "another dtype", x.float() if x.dtype == torch.float64 else x.double()


@dataclass(frozen=True)
class Real(Variable):
    """A real tensor, as in Real("*batch height width")."""

    real: ClassVar[bool] = True

    def draw(self, shape: tuple[int, ...], size: SizeOf, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """Return N(0, 1) in float32, where nobody asks for other numbers."""
        return torch.randn(shape, generator=generator)

    def retyped(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Give another dtype, and integers."""
        yield from super().retyped(x)
        yield "integers", x.long()


AT_AN_END = 0.5
"""The share of integers that are drawn from the ends of their range alone."""


@dataclass(frozen=True)
class Index(Variable):
    """A tensor of integers 0 <= i < below, as in Index("*batch", "classes"): a size or a property.

    Where `ignored` is given, as in Index("*batch", "classes", ignored=-100), an entry may be that too.
    """

    below: str
    ignored: int | None = None

    @property
    def bounds(self) -> tuple[str, ...]:
        """What it is below."""
        return (self.below,)

    def draw(self, shape: tuple[int, ...], size: SizeOf, generator: torch.Generator) -> Tensor:
        """Return any index with the same chance, but 0 and the largest oftener; 0 where there is none."""
        drawn = _between(0, self._largest(size), shape, generator)
        if self.ignored is None:
            return drawn
        # Of a row none, some or all: a mean over what is left breaks where nothing is.
        return drawn.masked_fill(Bool(self.axes).draw(shape, size, generator), self.ignored)

    def misfit(self, value: Tensor, size: SizeOf) -> str:
        """Return the range, where an entry lies outside it."""
        largest = self._largest(size)
        fits = bool(((value >= 0) & (value <= largest) | self._is_ignored(value)).all())
        beside = "" if self.ignored is None else f" or {self.ignored}"
        return "" if fits else f"integers from 0 to {largest}{beside}"

    def clamp(self, value: Tensor, size: SizeOf) -> Tensor:
        """Return the nearest indices."""
        return torch.where(self._is_ignored(value), value, value.clamp(0, self._largest(size)))

    def outside(self, x: Tensor, size: SizeOf) -> Iterator[tuple[str, Tensor]]:
        """Give the integers next to the range."""
        if x.numel():
            below = size(self.below)
            yield "a negative index", torch.full_like(x, -1 if self.ignored != -1 else -2)
            yield f"an index of {below}", torch.full_like(x, below)

    def _largest(self, size: SizeOf) -> int:
        return max(0, size(self.below) - 1)

    def _is_ignored(self, value: Tensor) -> Tensor:
        return torch.zeros_like(value, dtype=torch.bool) if self.ignored is None else value == self.ignored


@dataclass(frozen=True)
class Lengths(Variable):
    """A tensor of integers least <= n <= most, as in Lengths("*batch", "steps"): what counts of a row."""

    most: str
    least: int = 1

    @property
    def bounds(self) -> tuple[str, ...]:
        """What it goes up to."""
        return (self.most,)

    def draw(self, shape: tuple[int, ...], size: SizeOf, generator: torch.Generator) -> Tensor:
        """Return any length with the same chance, but the least and the most oftener."""
        return _between(*self._ends(size), shape, generator)

    def misfit(self, value: Tensor, size: SizeOf) -> str:
        """Return the range, where an entry lies outside it."""
        least, most = self._ends(size)
        fits = bool(((value >= least) & (value <= most)).all())
        return "" if fits else f"integers from {least} to {most}"

    def clamp(self, value: Tensor, size: SizeOf) -> Tensor:
        """Return the nearest lengths."""
        return value.clamp(*self._ends(size))

    def outside(self, x: Tensor, size: SizeOf) -> Iterator[tuple[str, Tensor]]:
        """Give the integers next to the range."""
        if x.numel():
            least, most = self._ends(size)
            yield f"a length of {least - 1}", torch.full_like(x, least - 1)
            yield f"a length of {most + 1}", torch.full_like(x, most + 1)

    def _ends(self, size: SizeOf) -> tuple[int, int]:
        # Of nothing there is no length but 0.
        return min(self.least, size(self.most)), size(self.most)


def _between(least: int, most: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw integers from a range, both ends oftener."""
    drawn = torch.randint(least, most + 1, shape, generator=generator)
    # Tables and blocks break at their ends, which few of many integers meet.
    ends = least + (most - least) * torch.randint(2, shape, generator=generator)
    return torch.where(torch.rand(shape, generator=generator) < AT_AN_END, ends, drawn)


@dataclass(frozen=True)
class Bool(Variable):
    """A tensor of True and False, as in Bool("*batch places"): a padding mask, what is kept, a choice."""

    def draw(self, shape: tuple[int, ...], size: SizeOf, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """Return rows of which a third is all False and a third all True, where forms break: nothing left."""
        rates = 3 * torch.rand((*shape[:-1], 1) if shape else shape, generator=generator) - 1
        return torch.rand(shape, generator=generator) < rates

    def retyped(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Give another dtype, and integers."""
        yield from super().retyped(x)
        yield "integers", x.long()
