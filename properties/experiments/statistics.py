"""The spread over seeds: the mean, and how far another form's mean may lie from it by chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

LEAST = 3
"""Runs; two of them have a spread that says nothing."""
QUANTILES = (14.089, 7.453, 5.598, 4.773, 4.317, 4.029, 3.833, 3.690, 3.581)
"""Student's t at 99.75 %, by degrees of freedom from 2; beyond them the last, which is wider than needed."""


def margin(reference: Sequence[float], others: int) -> float:
    """Return t · s · √(1/n + 1/m): how far the mean of m runs lies from that of n, 199 times in 200.

    The n runs are `reference`, 3 or more; s is their deviation alone, t Student's 99.75 % quantile of n - 1
    degrees, so that 0.5 % lie beyond on both sides: for m runs that are drawn as the n are. Of two such
    quantities, one or the other leaves its margin at most once in 100, however they hang together.
    """
    runs = len(reference)
    t = QUANTILES[min(runs - LEAST, len(QUANTILES) - 1)]
    return t * stdev(reference) * math.sqrt(1 / runs + 1 / others)


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean, the least and the largest."""
    return fmean(values), min(values), max(values)
