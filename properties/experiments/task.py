"""What a run is told, and what is asked of its forms and of its folder before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from properties.experiments.images import load
from properties.experiments.lane import LaneRun
from properties.experiments.picture import PICTURE
from properties.experiments.plan import Experiment, Lane
from properties.experiments.results import CURVES, GRADIENTS, RESULTS
from properties.report.files import ReportError, write_bytes

EPOCHS = "epochs"
"""The folder of the kept lanes, in that of the results."""


@dataclass(frozen=True)
class Task:
    """What every process is told: an experiment, the folder of its images, the folder of its results."""

    experiment: Experiment
    images: str
    output: Path

    def path(self, lane: Lane) -> Path:
        """Return the file that keeps a lane."""
        return self.output / EPOCHS / f"{lane.name}.npz"

    def paths(self) -> list[Path]:
        """Return the files that keep the lanes."""
        return [self.path(lane) for lane in self.experiment.lanes()]

    def prepare(self) -> None:
        """Make the folder, and write to it once; ReportError where it cannot hold epochs or results."""
        results = (self.output / name for name in (RESULTS, CURVES, GRADIENTS, PICTURE))
        tried = self.output / EPOCHS / ".tried"
        try:
            _expect_files([*self.paths(), *results])
            write_bytes(b"", tried)
            tried.unlink()
        except OSError as error:
            message = (
                f"a run needs a folder that can be written, but {self.output}: {error.strerror}; "
                "give another with --output"
            )
            raise ReportError(message) from error

    def forget(self) -> int:
        """Delete what an earlier run has kept of these lanes, and return how many files that were."""
        kept = [path for path in self.paths() if path.exists()]
        for path in kept:
            path.unlink()
        return len(kept)


def check_forms(experiment: Experiment, folder: str) -> None:
    """Raise UsageError or ClaimError where a form does not take the images of a folder."""
    for group in experiment.groups:
        LaneRun(Lane(group, 0), experiment.settings, load(folder))


def _expect_files(paths: list[Path]) -> None:
    for path in paths:
        if path.exists() and not path.is_file():
            message = (
                f"a run keeps its epochs and results in regular files, but {path} is none; "
                "give another folder with --output"
            )
            raise ReportError(message)
