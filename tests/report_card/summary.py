"""The figures of the mutants' tables: shares found and rejected, and seconds, by way and by law."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.report_card.finding import PRODUCT, Held, Tried
from tests.report_card.pairs import Judged


def share(trials: Sequence[Tried]) -> float:
    """Give the share of runs that found their mutant; not a number where there are none."""
    return float(np.mean([one.found for one in trials])) if trials else float("nan")


def never(trials: Sequence[Tried]) -> list[str]:
    """Name the mutants that no run found."""
    return [one.mutant for one in trials if not one.seconds]


def of_way(trials: Sequence[Tried], way: str) -> list[Tried]:
    """Give the trials of one way."""
    return [one for one in trials if one.way == way]


def of_laws(trials: Sequence[Tried], laws: Sequence[str]) -> list[Tried]:
    """Give the trials of mutants that one of these laws sees first."""
    return [one for one in trials if one.law in laws]


def seconds(trials: Sequence[Tried]) -> tuple[float, float, float]:
    """Give the median, the 90th percentile and the maximum of the seconds to a counterexample."""
    taken = [value for one in trials for value in one.seconds]
    if not taken:
        return (float("nan"),) * 3
    middle, high = np.quantile(taken, [0.5, 0.9])
    return float(middle), float(high), max(taken)


def rejected(held: Sequence[Held], way: str) -> tuple[int, int, int, int]:
    """Give right forms, those rejected in some run, runs, and runs that rejected."""
    found = [one for one in held if one.way == way]
    return (
        len(found),
        sum(one.rejected > 0 for one in found),
        sum(one.runs for one in found),
        sum(one.rejected for one in found),
    )


def of_pairs(judged: Sequence[Judged], way: str, side: str) -> list[Judged]:
    """Give what one way said of the pairs of one side, where it could be run."""
    return [one for one in judged if one.way == way and one.side == side and one.runs]


def alarms(right: Sequence[Judged]) -> list[str]:
    """Name the right pairs that some run rejected."""
    return [one.pair for one in right if one.rejected]


def always_found(wrong: Sequence[Judged]) -> list[str]:
    """Name the wrong pairs that every run rejected."""
    return [one.pair for one in wrong if one.rejected == one.runs]


def slowest(trials: Sequence[Tried]) -> Tried | None:
    """Give the mutant that took this suite longest in one run."""
    found = [one for one in of_way(trials, PRODUCT) if one.seconds]
    return max(found, key=lambda one: max(one.seconds), default=None)
