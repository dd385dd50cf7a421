"""A few real digits in a folder of their own, and forms of a user's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from properties.cli import main
from properties.commands import training
from properties.experiments.images import SAMPLE
from properties.reading.images import LABELS, load_labelled
from properties.report.files import write_bytes
from tests.experiments.sample import idx

COUNTS = {"train": 450, "t10k": 100}
"""Two batches of the published size, and a part of a third."""
FORMS = '''
import os
import signal
from pathlib import Path

import torch
from torch import nn

from equivalence import Dim, Equivalence, Real


class Rowwise(nn.Module):
    def __init__(self, features, classes):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(features, classes) / features)

    def forward(self, x):
        return nn.functional.dropout(x, 0.2, self.training) @ self.weight


class Stopping(Rowwise):
    calls = 0

    def forward(self, x):
        self.calls += self.training
        # Five epochs of three steps, then the second step of the sixth.
        if self.calls == 5 * 3 + 2 and Path("stop").exists():
            os.kill(os.getpid(), int(Path("stop").read_text()))
        return super().forward(x)


class RowwiseIsLinear(Equivalence):
    """A product with the transposed weight equals Linear without a bias, dropout of the input included."""

    features: Dim
    classes: Dim
    x = Real("*batch features")

    def reference(self):
        return nn.Sequential(nn.Dropout(0.2), nn.Linear(self.features, self.classes, bias=False))

    def candidate(self):
        return Rowwise(self.features, self.classes)

    def carry(self, theta):
        return {"weight": theta["1.weight"].T}


class StoppingIsLinear(RowwiseIsLinear):
    """The same, until it ends its own process."""

    def candidate(self):
        return Stopping(self.features, self.classes)


class DoubledIsLinear(RowwiseIsLinear):
    """Right at first, and trained with twice the gradient."""

    def candidate(self):
        module = Rowwise(self.features, self.classes)
        module.weight.register_hook(lambda gradient: 2 * gradient)
        return module


class DivergingIsLinear(RowwiseIsLinear):
    """Ends in nan."""

    def candidate(self):
        module = Rowwise(self.features, self.classes)
        module.weight.register_hook(lambda gradient: gradient * float("inf"))
        return module


class Raising(RowwiseIsLinear):
    """Says so in two lines."""

    def candidate(self):
        raise ValueError("one line\\nand another")


class TwoInputs(RowwiseIsLinear):
    """No form that one image can be fed to."""

    y = Real("*batch features")


class NoParameter(RowwiseIsLinear):
    """Nothing to train."""

    def reference(self):
        return nn.Flatten()

    def candidate(self):
        return nn.Flatten()

    def carry(self, theta):
        return {}
'''
AT = ["--at", "features=784,classes=10"]
OUTPUT = ["--output", "out", "--seeds", "1"]
SHORT = ["fashion-mnist", "--epochs", "2", *OUTPUT]
Train = Callable[..., int]


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    for part, count in COUNTS.items():
        images, labels = load_labelled(SAMPLE, part)
        write_bytes(idx(images[:count]), folder / f"{part}-images-idx3-ubyte.gz")
        write_bytes(idx(labels[:count]), folder / f"{LABELS[part]}.gz")
    return folder


@pytest.fixture(scope="session")
def short_run(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> Path:
    """Give the folder of a run that nothing has interrupted."""
    folder = tmp_path_factory.mktemp("short") / "out"
    assert main(["train", *SHORT, "--output", str(folder), "--data", str(digits), "--jobs", "1"]) == 0
    return folder


@pytest.fixture
def train(tmp_path: Path, digits: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Run the command in a folder of its own, in this process, on the few digits."""
    monkeypatch.chdir(tmp_path)
    # Drawn where the picture is looked at: it takes longer than the training.
    monkeypatch.setattr(training, "write_picture", lambda _, folder: folder / "curves.png")
    (tmp_path / "forms.py").write_text(FORMS)

    def run(*words: str, jobs: int = 1) -> int:
        return main(["train", *words, "--data", os.fspath(digits), "--jobs", str(jobs)])

    return run
