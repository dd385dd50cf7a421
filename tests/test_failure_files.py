"""Failures as files: written whole or not at all, read as they were written, with fields of every kind."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from equivalence.claim import Equivalence
from properties.laws import LAWS
from properties.reading.claims import FILE_PREFIX, load_claim
from properties.reading.failures import parse, read
from properties.refutation.counterexample import Refuted
from properties.refutation.failure import MOST_BYTES, Failure, described, write
from properties.running.cell import Plan
from tests.mutants import MUTANTS
from tests.mutants.trial import cell_of, declared
from tests.test_hostile_files import Said, assert_one_line, said

OWN = '''
from typing import Annotated, Literal

import torch
from torch import nn

from equivalence import AtLeast, Dim, Equivalence, Index, Mask, Over, Real


class Table(nn.Module):
    def __init__(self, mask, mode, scale):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(mask.shape))
        self.register_buffer("mask", mask)
        self.mode, self.scale = mode, scale

    def forward(self, i, x):
        rows = (self.weight * self.mask)[i] * self.scale + x
        return rows.sum(-2) if self.mode == "sum, all" else rows.amax(-2)


class Refusing(Table):
    def forward(self, i, x):
        raise ValueError("refused")


class Crash(Table):
    def forward(self, i, x):
        return a_name_that_is_nowhere


class Right(Equivalence):
    """A table of masked rows, summed or their largest."""

    classes: Annotated[int, AtLeast(1)]
    features: Dim
    mask: Annotated[Mask, Over("classes features")]
    mode: Literal[None, "largest", "sum, all"]
    scale: Literal[0.5, 2.0]
    i = Index("*batch tokens", "classes")
    x = Real("*batch tokens features")

    def table(self, form=Table, scale=None):
        return form(self.mask.tensor(self.classes, self.features), self.mode, scale or self.scale)

    def reference(self):
        if self.mode is None:
            raise ValueError("a mode\\nis needed")
        return self.table()

    def candidate(self):
        return self.table()


class Wrong(Right):
    """The scale is forgotten."""

    def candidate(self):
        return self.table(scale=1)


class Raising(Right):
    """The candidate refuses everything."""

    def candidate(self):
        return self.table(Refusing)


class Crashing(Right):
    """The candidate has a slip."""

    def candidate(self):
        return self.table(Crash)


class Leaving(Right):
    """The claim has a slip."""

    def carry(self, theta):
        raise SystemExit("leaving")


class Wide(Right):
    """The parameters have another shape."""

    def reference(self):
        return Table(torch.ones(self.classes + 1, self.features), self.mode, self.scale)

    def candidate(self):
        return self.reference()


class Others(Right):
    """A claim about one more size."""

    depth: Dim
'''
PINS = "classes=2,features=1,mask=1/0,mode=largest,scale=2.0,batch=2,tokens=3"
SHOWN = {declared(mutant): mutant for mutant in reversed(MUTANTS.values())}
"""The first mutant of each law."""


class User:
    """Someone with claims of their own in a file, and failures kept beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = folder / "own.py"
        self.own.write_text(OWN)

    def place(self, name: str) -> str:
        return f"{self.own}:{name}"

    def failure(self, name: str, law: str = "forward", **changes: Any) -> Failure:
        """Find a failure of a claim, and give it other entries where some are given."""
        found = asdict(failure_of(load_claim(self.place(name)), law))
        return Failure(**{**found, **changes})

    def replays(self, failure: Failure, name: str) -> Said:
        """Replay a failure against one of the claims."""
        return said("replay", str(file_of(failure, self.folder)), "--claim", self.place(name))


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield User(tmp_path)
    for name in loaded():
        del sys.modules[name]


def loaded() -> list[str]:
    """Name the modules of claims that are loaded from files."""
    return [name for name in sys.modules if name.startswith(FILE_PREFIX)]


def failure_of(claim: type[Equivalence], law: str) -> Failure:
    """Look for a failure as a run does, and describe it with its smallest values."""
    with pytest.raises(Refuted) as refuted:
        cell_of(claim, law).test(Plan(examples=250))()
    return described(refuted.value, smallest=True)


def file_of(failure: Failure, folder: Path) -> Path:
    """Write a failure that is small enough to be read back."""
    path = write(failure, str(folder))
    assert path is not None
    return path


def of_size(failure: Failure, entries: int, letters: int) -> Failure:
    large = {"shape": [entries], "dtype": "float64", "entries": [0.0] * entries}
    return replace(failure, values={"x": large}, versions={"other": "a" * letters})


def fails(answer: Said, headline: str) -> bool:
    return answer.code == 1 and answer.out.startswith(f"FAILS: {headline}\n") and not answer.err


def is_fixed(answer: Said, about: str) -> bool:
    return answer == (0, f"FIXED: {about} holds here\n", "")


def assert_error(answer: Said, words: str) -> None:
    assert_one_line(answer, words)
    assert words in answer.err


@pytest.mark.parametrize("law", LAWS)
def test_a_failure_is_read_as_it_was_written_and_fails_again(law: str, tmp_path: Path) -> None:
    mutant = SHOWN[law]
    failure = failure_of(mutant, law)
    path = file_of(failure, tmp_path)
    assert parse(path.read_bytes()) == failure
    answer = said("replay", str(path), "--claim", failure.claim)
    assert fails(answer, f"{mutant.__name__} under {law}")


def test_a_failure_is_written_where_it_can_be_read_back_and_only_there(tmp_path: Path) -> None:
    some, failure = 100_000, failure_of(SHOWN["forward"], "forward")
    room = MOST_BYTES - file_of(of_size(failure, some, 0), tmp_path).stat().st_size
    more, letters = divmod(room, len("\n    0.0,"))
    largest = of_size(failure, some + more, letters)
    path = file_of(largest, tmp_path)
    assert path.stat().st_size == MOST_BYTES
    assert read(path) == largest
    assert write(of_size(failure, some + more, letters + 1), str(tmp_path)) is None
    assert not path.exists()


def test_masks_words_decimals_indices_and_free_axes_are_kept_and_replayed(user: User) -> None:
    failure = user.failure("Wrong")
    assert set(failure.fields) == {"classes", "features", "mask", "mode", "scale"}
    assert failure.fields["scale"] in {0.5, 2.0}
    assert failure.values["i"]["dtype"] == "int64"
    assert set(failure.axes) == {"batch", "tokens"}
    for mode in ("sum, all", "largest"):
        failure = user.failure("Wrong", fields={**failure.fields, "mode": mode})
        assert fails(user.replays(failure, "Wrong"), "Wrong under forward")
        assert is_fixed(user.replays(failure, "Right"), "Right under forward")


def test_an_option_that_is_none_is_read_and_the_reference_may_refuse_it(user: User) -> None:
    fields = user.failure("Wrong").fields
    failure = user.failure("Wrong", fields={**fields, "mode": None})
    assert_error(user.replays(failure, "Wrong"), "reference raised ValueError: a mode")


def test_a_form_that_is_mended_is_asked_for_numbers_that_the_one_that_raised_was_not(user: User) -> None:
    failure = user.failure("Raising", "state")
    assert fails(user.replays(failure, "Raising"), "Raising under state")
    assert "other weight" not in failure.values
    assert is_fixed(user.replays(failure, "Right"), "Right under state")


def test_a_claim_that_a_file_alone_names_is_not_imported(user: User) -> None:
    path = file_of(user.failure("Wrong"), user.folder)
    for name in loaded():
        del sys.modules[name]
    assert_error(said("replay", str(path)), "own.py:Wrong', which is not in the catalogue")
    assert not loaded()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Others", "the fields of Others are"),
        ("Wide", "Wide takes 'weight' of shape"),
        ("Crashing", "NameError: name 'a_name_that_is_nowhere' is not defined"),
        ("Leaving", "SystemExit: leaving"),
        ("Nothing", "has no claim 'Nothing'"),
    ],
)
def test_what_cannot_be_replayed_gets_one_line(user: User, name: str, words: str) -> None:
    assert_error(user.replays(user.failure("Wrong"), name), words)


@pytest.mark.parametrize(
    "content",
    ["raise ValueError('two\\nlines')", "raise SystemExit('leaving')", "import a_module_nowhere", "def"],
)
def test_claims_that_cannot_be_imported_get_one_line(user: User, content: str) -> None:
    failure = user.failure("Wrong")
    user.own = user.folder / "broken.py"
    user.own.write_text(content)
    assert_error(user.replays(failure, "Wrong"), "broken.py cannot be imported")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"entries": [2]}, "i holds integers from 0 to 1"),
        ({"entries": [-1]}, "i holds integers from 0 to 1"),
        ({"dtype": "float64"}, "'i' is torch.int64, but the file gives torch.float64"),
        ({"shape": [1]}, "Wrong takes 'i' of shape"),
    ],
)
def test_indices_are_indices(user: User, changes: dict[str, Any], words: str) -> None:
    values = {
        "i": {"shape": [1, 1], "dtype": "int64", "entries": [0]},
        "x": {"shape": [1, 1, 1], "dtype": "float64", "entries": [0.0]},
        "weight": {"shape": [2, 1], "dtype": "float64", "entries": [1.0, 1.0]},
    }
    fields = {"classes": 2, "features": 1, "mask": "1/1", "mode": "largest", "scale": 2.0}
    case: dict[str, Any] = {"fields": fields, "axes": {"batch": [1], "tokens": [1]}}
    assert fails(user.replays(user.failure("Wrong", values=values, **case), "Wrong"), "Wrong under forward")
    values["i"] |= changes
    assert_error(user.replays(user.failure("Wrong", values=values, **case), "Wrong"), words)


def test_indices_of_a_second_row_are_indices(user: User) -> None:
    failure = user.failure("Wrong", "rows")
    second = failure.values["i of a second row"]
    values = {**failure.values, "i of a second row": {**second, "entries": [-1] * len(second["entries"])}}
    answer = user.replays(replace(failure, values=values), "Wrong")
    assert_error(answer, "i of a second row holds integers from 0 to")


@pytest.mark.parametrize("tokens", ["3x2", ""])
def test_a_free_axis_without_a_star_is_one_axis(user: User, tokens: str) -> None:
    case = f"{user.place('Right')}({PINS})"
    assert said("replay", case, "--law", "forward").code == 0
    case = case.replace("tokens=3", f"tokens={tokens}")
    assert_error(said("replay", case, "--law", "forward"), f"--at tokens={tokens}: is one axis")


def test_a_failure_that_cannot_be_written_leaves_the_one_before(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = user.failure("Wrong")
    path = file_of(failure, user.folder)
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refuse)
        with pytest.raises(OSError, match="the disk is full"):
            write(failure, str(user.folder))
    assert {one.name for one in user.folder.iterdir()} - {"__pycache__"} == {path.name, "own.py"}
    assert path.read_bytes() == before


def test_a_later_failure_of_the_same_claim_and_law_takes_the_place_of_the_earlier(user: User) -> None:
    paths = {file_of(user.failure("Wrong", seed=seed), user.folder) for seed in (1, 2)}
    (path,) = paths
    assert json.loads(path.read_text())["seed"] == 2
    assert file_of(user.failure("Wrong", "rows"), user.folder) != path
    assert len(list(user.folder.glob("*.json"))) == 2
    assert not list(user.folder.glob("*.part"))
