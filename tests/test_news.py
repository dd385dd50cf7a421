"""What a claim is refuted by is told as soon as it is known, not when all is done."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from properties.cli import main
from properties.running.rooms import LETTERS, tell
from properties.running.workers import Workers

CLAIMS = """
from torch import nn

from equivalence import Dim, Equivalence, Real


class CutIsRelu(Equivalence):
    features: Dim
    x = Real("*batch features")

    def reference(self):
        return nn.ReLU()

    def candidate(self):
        return nn.ReLU6()
"""
NEWS = "CutIsRelu is refuted by forward: output[0]: candidate 6, reference "


def waiting_for(path: str) -> bool:
    """Tell the path, and wait until somebody has heard it."""
    tell(path)
    until = time.monotonic() + 60
    while not Path(path).exists() and time.monotonic() < until:
        time.sleep(0.01)
    return Path(path).exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_news_is_heard_before_the_answer(jobs: int, tmp_path: Path) -> None:
    with Workers(jobs, lambda news: Path(news).touch()) as workers:
        assert list(workers.map(waiting_for, [f"{tmp_path / name}" for name in "abc"])) == [True] * 3


def test_news_is_cut_to_a_line() -> None:
    heard: list[str] = []
    with Workers(1, heard.append) as workers:
        list(workers.map(tell, ["x" * 1000]))
    assert heard == ["x" * LETTERS]
    tell("in no worker")
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("arguments", "times"),
    [
        (["--law", "forward", "--law", "rows"], 1),
        ([*["two-d-fc", "--law", "forward"]], 1),
        (["--law", "rows"], 0),
    ],
)
def test_the_first_refutation_of_a_claim_is_told_where_more_was_asked_for(
    arguments: list[str], times: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cut.py").write_text(CLAIMS)
    assert main(["verify", f"{tmp_path / 'cut.py'}:CutIsRelu", *arguments]) == 1
    _, err = capsys.readouterr()
    assert err.count("is refuted by") == err.count(NEWS) == times


WARNING = """
import warnings

from torch import nn

from equivalence import Dim, Equivalence, Real


class Warns(nn.ReLU):
    def forward(self, x):
        warnings.warn(f"of {x.shape} I am not sure")
        warnings.warn(f"nor of {x.dtype}")
        return super().forward(x)


class WarnsIsRelu(Equivalence):
    features: Dim
    x = Real("*batch features")

    def reference(self):
        return nn.ReLU()

    def candidate(self):
        return Warns()
"""


def test_each_line_that_warns_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "warns.py").write_text(WARNING)
    laws = ["--law", "forward", "--law", "rows"]
    command = [sys.executable, "-m", "properties", "verify", f"{tmp_path / 'warns.py'}:WarnsIsRelu", *laws]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  (our own command)
    assert ran.stderr.count("UserWarning: of torch.Size") == 1
    assert ran.stderr.count("UserWarning: nor of torch.") == 1
