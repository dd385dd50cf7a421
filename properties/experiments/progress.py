"""One live line with the time left, where someone is watching."""

from __future__ import annotations

from properties.experiments.outcome import Outcome
from properties.experiments.records import Epoch
from properties.report.live import LiveLine
from properties.report.numbers import duration


class Progress:
    """Counts the epochs of a run, each by the number of modules that it trains."""

    def __init__(self, outcome: Outcome) -> None:
        """Begin to count, and to measure the time."""
        lanes = list(outcome.experiment.lanes())
        self.members = {lane.name: lane.group.members for lane in lanes}
        self.total = sum(self.members.values()) * outcome.experiment.settings.epochs
        self.done = 0
        self.line = LiveLine()

    def told(self, epoch: Epoch) -> None:
        """Count an epoch, and show the line; epoch 0 is no training."""
        measure = epoch.measures[-1]
        if measure.epoch:
            self.done += self.members[epoch.lane]
        if self.done:
            left = duration(self.line.seconds_left(self.done, self.total))
            self.line.write(
                f"{self.done / self.total:4.0%}  {left} left  {epoch.lane}, epoch {measure.epoch}"
            )

    def end(self) -> None:
        """Wipe the line."""
        self.line.write("")
