"""Three mistakes of a user, each told in a few lines that name it, in the place where it was made."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from properties.cases.answering import FormError
from properties.cli import main

MOST_LINES = 12
Command = Callable[..., str]
FILE = """
from torch import nn
from equivalence import AtLeast, Equivalence, Real
from typing import Annotated


class Right(Equivalence):
    \"\"\"Linear is Linear.\"\"\"

    n: Annotated[int, AtLeast(1)]
    x = Real("*batch n")

    def reference(self): return nn.Linear(self.n, 2)
    def candidate(self): return nn.Linear(self.n, 2)


class Misspelt(Right):
    def candidate(self): return nn.Linea(self.m, 2)


class Raises(Right):
    def candidate(self): raise RuntimeError("no weights here")


class WrongAxis(Right):
    x = Real("*batch m")
"""


def said(folder: Path, claim: str, run: Command) -> list[str]:
    """Give what `verify` prints of a claim that is not as claimed, below the table and above the totals."""
    (folder / "mine.py").write_text(FILE, encoding="utf-8")
    printed: str = run(folder, "verify", f"mine.py:{claim}")
    told = printed.partition("ERROR: " if "ERROR: " in printed else "REFUTED: ")[2]
    return told.partition("\nclaims 1, ")[0].splitlines()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command as a user in a folder does, and give what it printed."""

    def command(folder: Path, *words: str) -> str:
        monkeypatch.chdir(folder)
        assert main(list(words)) == 1
        return capsys.readouterr().out

    return command


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("Misspelt", "AttributeError: module 'torch.nn' has no attribute 'Linea'"),
        ("Raises", "candidate raised RuntimeError: no weights here, reference returned"),
        ("WrongAxis", "where the size of a free axis (m) follows from others"),
    ],
)
def test_a_mistake_is_told_once_in_a_few_lines(tmp_path: Path, claim: str, told: str, run: Command) -> None:
    lines = said(tmp_path, claim, run)
    text = "\n".join(lines)
    assert text.count(told) == 1
    assert "Traceback" not in text
    assert len([line for line in lines if line.strip()]) <= MOST_LINES, text


def test_a_mistake_is_told_with_its_line(tmp_path: Path, run: Command) -> None:
    text = "\n".join(said(tmp_path, "Misspelt", run))
    assert 'mine.py", line 18, in candidate' in text
    assert "properties" not in text


def test_what_a_form_raised_passes_from_one_process_to_another() -> None:
    error = FormError("candidate", ValueError("no"))
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "candidate raised ValueError: no"  # noqa: S301
