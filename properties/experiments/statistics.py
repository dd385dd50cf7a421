"""The spread over seeds: the mean, and how far another form's mean may lie from it by chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

QUANTILES = (63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169)
"""Student's t at 99.5 %, by degrees of freedom from 1; beyond them the last, which is wider than needed."""


def margin(reference: Sequence[float], others: int) -> float:
    """Return t · s · √(1/n + 1/m): how far the mean of m runs lies from that of these n, 99 times in 100.

    s is the deviation of the n runs alone, t Student's 99.5 % quantile of n - 1 degrees: for m runs that are
    drawn as the n are. n is at least 2.
    """
    runs = len(reference)
    t = QUANTILES[min(runs - 1, len(QUANTILES)) - 1]
    return t * stdev(reference) * math.sqrt(1 / runs + 1 / others)


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean, the least and the largest."""
    return fmean(values), min(values), max(values)
