"""Steps timed side by side: every step in every round, in an order drawn anew, by processor time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from properties.benchmarking.clock import HostClock
from properties.benchmarking.rounds import ROUND

Step = Callable[[], object]
Seconds = dict[str, np.ndarray]
"""Step -> seconds a call, round by round; place i of every step is the same round."""
CLOCK = HostClock("processor time", time.process_time)
"""What other programs take of a shared machine is not in it."""
MOST_ROUNDS = 60


class Spread(NamedTuple):
    """The quartiles of many values."""

    low: float
    middle: float
    high: float

    def __str__(self) -> str:
        """Write the median, with the other two behind it."""
        return f"{self.middle:.2f} ({self.low:.2f} to {self.high:.2f})"


def spread(values: np.ndarray | list[float]) -> Spread:
    """Give the quartiles of values; of none, not a number."""
    if not len(values):
        return Spread(np.nan, np.nan, np.nan)
    low, middle, high = (float(value) for value in np.quantile(values, [0.25, 0.5, 0.75]))
    return Spread(low, middle, high)


def side_by_side(steps: Mapping[str, Step], budget: float, least: int) -> Seconds:
    """Time all steps in each of as many rounds as `budget` seconds allow, but `least` at least."""
    order = random.Random(0)  # noqa: S311  (no secret)
    calls = {name: _warmed(step) for name, step in steps.items()}
    repeated = {name: max(1, round(ROUND / seconds)) for name, seconds in calls.items()}
    once = sum(calls[name] * repeated[name] for name in steps)
    rounds = min(MOST_ROUNDS, max(least, int(budget / once)))
    seconds: Seconds = {name: np.empty(rounds) for name in steps}
    for number in range(rounds):
        for name in order.sample(list(steps), len(steps)):
            seconds[name][number] = CLOCK.seconds(steps[name], repeated[name]) / repeated[name]
    return seconds


def _warmed(step: Step) -> float:
    """Give the seconds of a call; of a second one where the first may have been slower by its warming up."""
    first = CLOCK.seconds(step, 1)
    return first if first > ROUND else max(1e-9, CLOCK.seconds(step, 1))
