"""One live line with the time left, where someone is watching."""

from __future__ import annotations

import sys
import time

from properties.experiments.outcome import Outcome
from properties.experiments.records import Epoch
from properties.report.numbers import duration

WIDTH = 79


class Progress:
    """Counts the epochs of a run, each by the number of modules that it trains."""

    def __init__(self, outcome: Outcome) -> None:
        """Begin to count, and to measure the time."""
        lanes = list(outcome.experiment.lanes())
        self.members = {lane.name: lane.group.members for lane in lanes}
        self.total = sum(self.members.values()) * outcome.experiment.settings.epochs
        self.done = 0
        self.started = time.monotonic()
        self.shown = sys.stderr.isatty()

    def told(self, epoch: Epoch) -> None:
        """Count an epoch, and show the line; epoch 0 is no training."""
        measure = epoch.measures[-1]
        if measure.epoch:
            self.done += self.members[epoch.lane]
        if self.shown and self.done:
            left = (time.monotonic() - self.started) / self.done * (self.total - self.done)
            self._write(
                f"{self.done / self.total:4.0%}  {duration(left)} left  {epoch.lane}, epoch {measure.epoch}"
            )

    def end(self) -> None:
        """Wipe the line."""
        if self.shown:
            self._write("")

    def _write(self, line: str) -> None:
        sys.stderr.write(f"\r{line[:WIDTH]:<{WIDTH}}\r")
        sys.stderr.flush()
