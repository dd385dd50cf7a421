"""Cases -> which sizes, options and corners they covered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from properties.cases.case import Case, Shape
from properties.cases.definition import field_values
from properties.circumstances.registry import written

PRIMES = {5, 7, 11, 13, 17, 19}
"""2 and 3 come in every run."""
PLAIN = "none"
"""How no leading axes and no circumstances are written."""


def sizes_covered(cases: Iterable[Case]) -> dict[str, dict[str, int]]:
    """Count for every field, free axis and look of the values how many cases had which one."""
    counted: dict[str, Counter[str]] = {}
    for case in cases:
        fields = {name: kind.covered(value) for name, kind, value in field_values(case.claim)}
        axes = {name: _written(shape) for name, shape in case.axes.items()}
        manners = {"values": case.values, "under": written(case.under) or PLAIN}
        for name, word in {**fields, **axes, **manners}.items():
            counted.setdefault(name, Counter())[word] += 1
    return {name: dict(sorted(values.items(), key=_order)) for name, values in counted.items()}


def corners_covered(cases: Iterable[Case], *, non_contiguous: bool) -> dict[str, int]:
    """Count the cases with a size of 0, of 1, with equal sizes, a prime above 3, or odd strides."""
    corners = dict.fromkeys(("zero", "one", "equal", "prime", "non-contiguous"), 0)
    for case in cases:
        sizes = _sizes(case)
        corners["zero"] += 0 in sizes
        corners["one"] += 1 in sizes
        corners["equal"] += len({size for size in sizes if size > 1}) < sum(size > 1 for size in sizes)
        corners["prime"] += not PRIMES.isdisjoint(sizes)
        corners["non-contiguous"] += non_contiguous
    return corners


def _sizes(case: Case) -> list[int]:
    fields = [value for value in vars(case.claim).values() if type(value) is int]
    return [*fields, *(size for shape in case.axes.values() for size in shape)]


def _written(shape: Shape) -> str:
    return "x".join(map(str, shape)) or PLAIN


def _order(counted: tuple[str, int]) -> tuple[int, str]:
    word = counted[0]
    return (int(word) if word.isdigit() else len(word) + 1000, word)
