"""Many short rounds of all forms in one process, in an order drawn anew for each."""

from __future__ import annotations

import gc
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from properties.benchmarking.clock import Clock, Step

ROUND = 2e-3
"""Seconds of one form in one round: 20,000 times what the clock can tell."""
LEAST_ROUNDS, MOST_ROUNDS = 15, 200
WARM_UP = 3
LEAST_CALL = 1e-7
"""Seconds of the quickest call there is; less is a clock that has not moved."""

Seconds = Mapping[str, np.ndarray]
"""Form -> seconds a call, round by round; place i of every form is the same round."""


@dataclass(frozen=True)
class Rounds:
    """What the rounds took."""

    seconds: Seconds
    repetitions: Mapping[str, int]
    """Form -> calls in one round."""


def interleaved(steps: Mapping[str, Step], clock: Clock, budget: float, seed: int = 0) -> Rounds:
    """Time all steps in every round, as many rounds as `budget` seconds allow, within bounds."""
    order = random.Random(seed)  # noqa: S311  (no secret)
    with _no_collection():
        calls = {name: _seconds_a_call(step, clock) for name, step in steps.items()}
        repetitions = {name: max(1, math.ceil(ROUND / seconds)) for name, seconds in calls.items()}
        once = sum(calls[name] * repetitions[name] for name in steps)
        rounds = min(MOST_ROUNDS, max(LEAST_ROUNDS, int(budget / once)))
        seconds = np.empty((rounds, len(steps)))
        places = {name: place for place, name in enumerate(steps)}
        for row in seconds:
            for name in order.sample(list(steps), len(steps)):
                row[places[name]] = clock.seconds(steps[name], repetitions[name]) / repetitions[name]
    return Rounds({name: seconds[:, place] for name, place in places.items()}, repetitions)


def _seconds_a_call(step: Step, clock: Clock) -> float:
    """Warm up, then give the least seconds of one call."""
    return max(LEAST_CALL, min(clock.seconds(step, 1) for _ in range(WARM_UP)))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector out of the rounds, and leave it as it was."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
