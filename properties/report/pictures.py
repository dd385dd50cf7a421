"""Tensors and coverage as small coloured tables: each entry has its text, and a shade beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from properties.report.document import TensorRecord
from properties.report.numbers import count

SHADES = 4
"""Steps of colour, apart from none."""
MOST_OPTIONS = 24
"""Options of one field that are shown, the most frequent ones."""


@dataclass(frozen=True)
class Entry:
    """One square of a picture."""

    text: str
    exact: str
    """The text without rounding."""
    style: str
    """The class of its colour: p1 to p4 above zero, n1 to n4 below, z at zero, s for inf and nan."""
    wrong: bool = False


@dataclass(frozen=True)
class Block:
    """The last two axes of a tensor at one place of its leading axes."""

    label: str
    """[0, 2, :, :], or empty where there are no leading axes."""
    rows: Sequence[Sequence[Entry]]


def blocks(tensor: TensorRecord, scale: float) -> Iterator[Block]:
    """Give a tensor as matrices, one for every place of its leading axes; none where it has no entries."""
    if tensor.omitted or not tensor.entries:
        return
    rows, columns = (1, 1, *tensor.shape)[-2:]
    wrong = set(tensor.wrong)
    entries = [_entry(value, scale, wrong=place in wrong) for place, value in enumerate(tensor.entries)]
    every = iter(entries)
    for place in product(*map(range, tensor.shape[:-2])):
        label = f"[{', '.join([*map(str, place), ':', ':'])}]" if place else ""
        yield Block(label, [list(islice(every, columns)) for _ in range(rows)])


def scale(*tensors: TensorRecord | None) -> float:
    """Return the largest finite magnitude: two tensors side by side share their colours."""
    every = (value for tensor in tensors if tensor for value in tensor.entries)
    return max((abs(value) for value in every if not isinstance(value, str)), default=0)


def shape(tensor: TensorRecord) -> str:
    """Return 2 × 3 float64, or scalar float64."""
    return f"{' × '.join(map(str, tensor.shape)) or 'scalar'} {tensor.dtype.removeprefix('torch.')}"


def absence(tensor: TensorRecord) -> str:
    """Say why a tensor's entries are not shown; empty where they are."""
    if tensor.omitted:
        some = "".join(f", {place} = {entry}" for place, entry in tensor.notable.items())
        return (
            f"{count(math.prod(tensor.shape))} entries, too many to show{some}{', …' if tensor.more else ''}"
        )
    return "" if tensor.entries else "no entries: an axis has size 0"


def _entry(value: float | str, scale: float, *, wrong: bool) -> Entry:
    exact = str(int(value)) if isinstance(value, bool) else str(value).removesuffix(".0")
    # Two wrong sides may differ in the last digit only, so these are not rounded.
    rounded = isinstance(value, float) and not wrong
    return Entry(f"{value:.5g}" if rounded else exact, exact, _colour(value, scale), wrong)


def _colour(value: float | str, scale: float) -> str:
    if isinstance(value, str):
        return "s"
    if value == 0:
        return "z"
    return f"{'p' if value > 0 else 'n'}{_shade(abs(value), scale)}"


def _shade(part: float, whole: float) -> int:
    return max(1, math.ceil(SHADES * (part / whole)))


@dataclass(frozen=True)
class Coverage:
    """Which sizes and options were drawn, and how often."""

    columns: Sequence[int]
    """Every size that any field had."""
    grid: Mapping[str, Sequence[Entry | None]]
    """Field -> an entry for every column, none where that size was not drawn."""
    options: Mapping[str, Sequence[tuple[str, Entry]]]
    """Field that is no size -> its options."""
    others: Mapping[str, int]
    """Field -> how many options are left out."""


def coverage(sizes: Mapping[str, Mapping[str, int]]) -> Coverage:
    """Sort fields into sizes, which share their columns, and options, which do not."""
    numeric = {name: drawn for name, drawn in sizes.items() if drawn and all(map(str.isdecimal, drawn))}
    words = {name: drawn for name, drawn in sizes.items() if drawn and name not in numeric}
    columns = sorted({int(size) for drawn in numeric.values() for size in drawn})
    grid = {name: _row(drawn, columns) for name, drawn in numeric.items()}
    options = {name: list(_options(drawn)) for name, drawn in words.items()}
    others = {name: len(drawn) - MOST_OPTIONS for name, drawn in words.items() if len(drawn) > MOST_OPTIONS}
    return Coverage(columns, grid, options, others)


def _row(drawn: Mapping[str, int], columns: Sequence[int]) -> list[Entry | None]:
    cases = {int(size): number for size, number in drawn.items()}
    most = max(cases.values())
    return [_drawn(cases[size], most) if size in cases else None for size in columns]


def _options(drawn: Mapping[str, int]) -> Iterator[tuple[str, Entry]]:
    most = max(drawn.values())
    frequent = sorted(drawn, key=lambda option: -drawn[option])[:MOST_OPTIONS]
    for option in frequent:
        yield option, _drawn(drawn[option], most)


def _drawn(cases: int, most: int) -> Entry:
    return Entry(count(cases), str(cases), f"c{_shade(cases, max(most, 1))}")
