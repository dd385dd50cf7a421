"""Kinds of fields, one class each: which values are tried, and how one is read, written and shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import torch
from torch import Tensor

from equivalence.variable import AtLeast, Between, Mask, Over

SPAN = 6
LARGE = 19
"""Small cases draw a size from its least value to SPAN above it, and now and then LARGE above it."""
LARGEST_SPAN = 16
"""A case beyond this is traced by itself."""
WIDE = (20, 6, 12, 8)
"""Sizes of wide cases, for laws that need many entries; unequal, so that no fan is like another."""
SIZE_BOUND = 2**63
"""What torch and numpy count with."""
WRITTEN = "a Dim, Annotated[int, Between(low, high)], bool, Literal or Annotated[Mask, Over(axes)]"
"""How a field is annotated."""
FLIPPED = str.maketrans("01", "10")

Shape = tuple[int, int]
Kind = TypeVar("Kind", bound="Field")


class Field:
    """A field of a claim. What a kind does not override is what a value does that is plain data."""

    names: Sequence[str] = ()
    """What the source of a value reads of equivalence.variable."""

    def read(self, word: str) -> Any:
        """Read a value from a word of the command line; ValueError for one that is none."""
        raise NotImplementedError

    def keeps(self, plain: object) -> bool:
        """Whether a value of a file has the very type of its values: 1 is not true, and "1" is no size."""
        raise NotImplementedError

    def plain(self, value: Any) -> Any:
        """Return a value as a replay file and a command line have it."""
        return value

    def source(self, value: Any) -> str:
        """Write a value as Python; TypeError for one that its repr does not make again."""
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, bool | int | float | None):
            return repr(value)
        raise TypeError(
            f"a field of a script is a number, a word, a truth value or a mask, but one is {value!r}"
        )

    def shown(self, value: Any) -> Tensor | None:  # noqa: ARG002  (for those that are a tensor)
        """Return the tensor that a counterexample shows a value as; None where it is written in its line."""
        return None

    def covered(self, value: Any) -> str:
        """Say in a word what a value adds to the cases of a run."""
        return str(value)

    def other(self, value: Any) -> Any:
        """Return another value that leaves every shape as it is; the same where there is none."""
        return value


@dataclass(frozen=True)
class Choice(Field):
    """One of a few values: a bool or a Literal."""

    values: tuple[Any, ...]

    def drawn(self, *, wide: bool) -> Sequence[Any]:  # noqa: ARG002  (a choice has no size)
        """Return what is drawn from."""
        return self.values

    def usual(self, sizes: Iterator[int]) -> Any:  # noqa: ARG002  (for sizes)
        """Return the last value, and take no size."""
        return self.values[-1]

    def cut(self, value: Any, sizes: Iterator[int]) -> Any:  # noqa: ARG002  (for sizes)
        """Return the value: no case is smaller by its options."""
        return value

    def largest(self, value: Any) -> Any:
        """Return the value: no case is larger by its options."""
        return value

    def above(self, steps: int) -> Any:  # noqa: ARG002  (for sizes)
        """Return the last value."""
        return self.values[-1]

    def read(self, word: str) -> Any:
        """Read true, False, tanh; ValueError for another word."""
        named = {str(choice).lower(): choice for choice in self.values}
        if word.lower() not in named:
            raise ValueError(f"is one of {', '.join(named)}")
        return named[word.lower()]

    def keeps(self, plain: object) -> bool:
        """Whether it is one of them, and of the same type."""
        return any(type(choice) is type(plain) and choice == plain for choice in self.values)


@dataclass(frozen=True)
class SizeField(Field):
    """A size from low to high, or without end."""

    stated: AtLeast | Between
    low: int
    high: int | None = None

    def __str__(self) -> str:
        """Write it as in a claim."""
        return str(self.stated)

    def within(self, size: int) -> int:
        """Return the nearest size of the field."""
        size = max(size, self.low)
        return size if self.high is None else min(size, self.high)

    def drawn(self, *, wide: bool) -> Sequence[int]:
        """Return what is drawn from: 1 and up first; 0 shows little, and a large size takes long."""
        if self.high is not None:
            return range(max(self.low, self.high - 1) if wide else self.low, self.high + 1)
        if wide:
            return [max(self.low, size) for size in WIDE]
        usual = range(max(1, self.low), self.low + SPAN + 1)
        # Code that works in blocks errs beyond the first.
        return [*usual, *([0] if self.low == 0 else []), self.low + LARGE]

    def usual(self, sizes: Iterator[int]) -> int:
        """Return the size nearest to the next one."""
        return self.within(next(sizes))

    def cut(self, value: int, sizes: Iterator[int]) -> int:
        """Return the size nearest to the next one, or to the value where that is smaller."""
        return self.within(min(value, next(sizes)))

    def largest(self, value: int) -> int:  # noqa: ARG002  (for choices)
        """Return the largest size that is drawn, or more."""
        return self.low + LARGE if self.high is None else self.within(self.low + LARGEST_SPAN)

    def above(self, steps: int) -> int:
        """Return the size so many steps above the least."""
        return self.within(self.low + steps)

    def read(self, word: str) -> int:
        """Read 28; ValueError for a word that is no size of the field."""
        if self.within(size := int(word)) != size:
            raise ValueError(f"lies outside {self}")
        return read_size(word)

    def keeps(self, plain: object) -> bool:
        """Whether it is an integer."""
        return type(plain) is int


@dataclass(frozen=True)
class MaskField(Field):
    """A mask over two size fields, which are drawn before it."""

    stated: Over
    names = (Mask.__name__,)

    def __str__(self) -> str:
        """Write it as in a claim."""
        return str(self.stated)

    @property
    def over(self) -> tuple[str, ...]:
        """The fields that give its rows and columns."""
        return tuple(self.stated.axes.split())

    def read(self, word: str) -> Mask:
        """Read 10/01; whether it fits its sizes is asked once they are known."""
        return Mask(word)

    def keeps(self, plain: object) -> bool:
        """Whether it is a word."""
        return type(plain) is str

    def check(self, value: Mask, shape: Shape) -> None:
        """Refuse a mask of another size, or of other digits; ValueError."""
        rows, columns = shape
        words = value.rows.split("/") if rows or value.rows else []
        if len(words) != rows or any(len(word) != columns or set(word) - {"0", "1"} for word in words):
            raise ValueError(f"is {rows} words of {columns} digits 0 or 1, split by /, but was given others")

    def plain(self, value: Mask) -> str:
        """Return its rows, which `read` takes."""
        return value.rows

    def source(self, value: Mask) -> str:
        """Write Mask("10/01")."""
        return f"Mask({json.dumps(value.rows)})"

    def shown(self, value: Mask) -> Tensor:
        """Return its digits."""
        rows = value.rows.split("/")
        return torch.tensor([[int(digit) for digit in row] for row in rows], dtype=torch.int64)

    def covered(self, value: Mask) -> str:
        """Say how many entries live: none, some or all."""
        if "1" not in value.rows:
            return "none alive"
        return "some alive" if "0" in value.rows else "all alive"

    def other(self, value: Mask) -> Mask:
        """Return the mask with what is dead alive, and what is alive dead."""
        return Mask(value.rows.translate(FLIPPED))


def field_of(hint: Any) -> Field | None:
    """Return the kind of field that an annotation stands for; None for one that is none."""
    if hint is bool:
        return Choice((False, True))
    if get_origin(hint) is Literal:
        return Choice(get_args(hint))
    remarks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((make(one) for one in remarks for kind, make in KINDS.items() if isinstance(one, kind)), None)


def of_kind(kind: type[Kind], fields: Mapping[str, Field]) -> dict[str, Kind]:
    """Return the fields of one kind."""
    return {name: one for name, one in fields.items() if isinstance(one, kind)}


def full(shape: Shape) -> Mask:
    """Return the mask whose entries all live."""
    rows, columns = shape
    return mask_of("1" * (rows * columns), shape)


def mask_of(digits: str, shape: Shape) -> Mask:
    """Return the mask of these digits, row after row."""
    rows, columns = shape
    return Mask("/".join(digits[row * columns : (row + 1) * columns] for row in range(rows)))


def read_size(word: str) -> int:
    """Read a size; ValueError for a word that is none, or is beyond what torch counts with."""
    try:
        size = int(word)
    except ValueError:
        size = -1
    if not 0 <= size < SIZE_BOUND:
        raise ValueError("is no size: an integer from 0 up, and below 2^63")
    return size


KINDS: Mapping[type, Callable[[Any], Field]] = {
    AtLeast: lambda stated: SizeField(stated, stated.low),
    Between: lambda stated: SizeField(stated, stated.low, stated.high),
    Over: MaskField,
}
"""What is said of a field in its annotation -> its kind."""
