"""What the folder of a run cannot be, and what is asked of a claim before the first fetch and step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from properties.cli import main
from properties.commands import training
from properties.experiments.member import Member
from tests.experiments.conftest import AT, SHORT, Train

Captured = pytest.CaptureFixture[str]
LANE = "unrolled-copy-seed-0.npz"


def never(*_: object) -> None:
    raise AssertionError


def a_file(folder: Path) -> None:
    folder.write_text("a file")


def a_file_named_epochs(folder: Path) -> None:
    folder.mkdir()
    (folder / "epochs").write_text("a file")


def a_folder_for_a_lane(folder: Path) -> None:
    (folder / "epochs" / LANE).mkdir(parents=True)


def a_folder_for_the_results(folder: Path) -> None:
    (folder / "results.json").mkdir(parents=True)


def nothing(_: Path) -> None:
    pass


@pytest.mark.parametrize("resume", [[], ["--resume"]])
@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("out", a_file, "out/epochs/.tried: Not a directory"),
        ("out", a_file_named_epochs, "out/epochs/.tried: File exists"),
        ("out", a_folder_for_a_lane, f"out/epochs/{LANE} is none"),
        ("out", a_folder_for_the_results, "out/results.json is none"),
        ("o" * 300, nothing, "File name too long"),
    ],
)
def test_a_folder_that_cannot_hold_the_run_is_refused_before_training(  # noqa: PLR0913, PLR0917
    name: str,
    spoil: Callable[[Path], None],
    said: str,
    resume: list[str],
    train: Train,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    spoil(Path(name))
    monkeypatch.setattr(Member, "step", never)
    assert train(*SHORT, "--output", name, *resume) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope.py:Nope"], "nope.py cannot be imported"),
        (["two-d-fc", "--at", "height=28,width=28,out_features=3"], "gives 10 numbers or more"),
        (
            ["forms.py:RowwiseIsLinear", "--at", "features=3,classes=10"],
            "takes a batch of images of (28, 28)",
        ),
        (["forms.py:Raising", *AT], r"one line\nand another"),
    ],
)
@pytest.mark.usefixtures("train")
def test_a_wrong_claim_gets_one_line_before_anything_is_fetched_or_printed(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(training, "source", never)
    assert main(["train", "--forms", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


def test_every_claim_has_a_folder_of_its_own_and_a_deletion_is_told(train: Train, capsys: Captured) -> None:
    short = [*AT, "--epochs", "1", "--seeds", "1"]
    for name in ("RowwiseIsLinear", "DoubledIsLinear"):
        train("--forms", f"forms.py:{name}", *short)
    assert "deleted" not in capsys.readouterr().out
    folders = {path.name: path for path in Path(".equivalence", "train").iterdir()}
    assert folders.keys() == {"forms-forms-py-RowwiseIsLinear", "forms-forms-py-DoubledIsLinear"}
    assert train("--forms", "forms.py:RowwiseIsLinear", *short) == 0
    said = f"deleted the epochs of an earlier run, 2 files in {folders['forms-forms-py-RowwiseIsLinear']}: "
    assert capsys.readouterr().out.count(said) == 1
    assert train("--forms", "forms.py:RowwiseIsLinear", *short, "--resume") == 0
    assert "deleted" not in capsys.readouterr().out


def test_the_order_of_the_fields_is_no_other_run(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--forms", "forms.py:RowwiseIsLinear", "--epochs", "1", "--seeds", "1"]
    assert train(*words, "--at", "features=784,classes=10") == 0
    monkeypatch.setattr(Member, "step", never)
    assert train(*words, "--at", "classes=10, features=784", "--resume") == 0
    assert train(*words, "--at", "classes=11,features=784", "--resume") == 2
