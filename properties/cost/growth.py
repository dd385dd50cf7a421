"""How a cost grows with a size: the exponent of a power law, fitted over sizes that double."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log

from properties.cost.measure import Cost

DOUBLING = (32, 64, 128, 256)
"""The sizes that a growth is fitted to, where nothing else is said."""


@dataclass(frozen=True)
class Growth:
    """Exponents e of cost ~ size^e; None where nothing is needed at any size."""

    multiply_adds: float | None
    peak_forward_bytes: float | None
    peak_training_bytes: float | None


def growth(measured: Callable[[int], Cost], sizes: Sequence[int] = DOUBLING) -> Growth:
    """Measure the cost at each size, and give the exponents; ValueError as `exponent`."""
    costs = [measured(size) for size in sizes]
    return Growth(
        multiply_adds=exponent(sizes, [one.multiply_adds for one in costs]),
        peak_forward_bytes=exponent(sizes, [one.peak_forward_bytes for one in costs]),
        peak_training_bytes=exponent(sizes, [one.peak_training_bytes for one in costs]),
    )


def exponent(sizes: Sequence[int], values: Sequence[int]) -> float | None:
    """Give the least-squares slope of log(value) over log(size); None where all values are 0.

    Raises ValueError for fewer than two different positive sizes, and where some values are 0 and some not.
    """
    if len(set(sizes)) < 2 or min(sizes) <= 0:  # noqa: PLR2004  (a slope needs two)
        raise ValueError(
            f"a growth needs two different positive sizes or more, but got {list(sizes)}; give more"
        )
    if not any(values):
        return None
    if min(values) <= 0:
        raise ValueError(
            f"a power law is positive at every size, but got {list(values)} at {list(sizes)}; "
            "leave out the sizes at which nothing is needed"
        )
    places = _centred([log(size) for size in sizes])
    heights = _centred([log(value) for value in values])
    products = sum(place * height for place, height in zip(places, heights, strict=True))
    return products / sum(place * place for place in places)


def _centred(values: Sequence[float]) -> list[float]:
    mean = sum(values) / len(values)
    return [value - mean for value in values]
