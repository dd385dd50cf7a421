"""Round by round ratios -> an interval, and what it allows to be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from properties.benchmarking.rounds import Seconds

CONFIDENCE = 0.99
RESAMPLES = 2000
MARGIN = 0.03
"""Two copies of one and the same layer differ by up to this, through where their tensors lie in memory."""

Standing = Literal["faster", "slower", "not told apart"]


@dataclass(frozen=True)
class Interval:
    """The median of the ratios of all rounds, and its bootstrap interval at 99 %."""

    ratio: float
    low: float
    high: float

    @property
    def standing(self) -> Standing:
        """Say faster or slower only where the whole interval lies beyond 1 by more than the margin."""
        if self.low > 1 + MARGIN:
            return "slower"
        return "faster" if self.high < 1 / (1 + MARGIN) else "not told apart"


def compared(form: np.ndarray, reference: np.ndarray, seed: int = 0) -> Interval:
    """Give the median of form / reference over the rounds, with an interval from resampled rounds."""
    ratios = form / reference
    drawn = np.random.default_rng(seed).integers(len(ratios), size=(RESAMPLES, len(ratios)))
    medians = np.median(ratios[drawn], axis=1)
    beyond = (1 - CONFIDENCE) / 2
    low, high = np.quantile(medians, [beyond, 1 - beyond])
    return Interval(float(np.median(ratios)), float(low), float(high))


def leaders(seconds: Seconds) -> list[str]:
    """Name the form with the least median, and all that cannot be told apart from it."""
    fastest = min(seconds, key=lambda name: float(np.median(seconds[name])))
    others = (name for name in seconds if name != fastest)
    tied = [name for name in others if compared(seconds[name], seconds[fastest]).standing != "slower"]
    return [name for name in seconds if name == fastest or name in tied]
