"""The tutorial's blocks run, and what it prints is what the reader gets."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ANYTHING = "…"
"""Stands for any number of lines, or for the rest of one."""


class Step(NamedTuple):
    """A file to write, or a command to run and what it prints."""

    kind: str
    name: str
    text: str


def steps(page: str) -> Iterator[Step]:
    for kind, content in BLOCK.findall(page):
        if kind == "python":
            yield Step("file", content.splitlines()[0].removeprefix("# "), content)
        else:
            for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
                command, _, printed = part.partition("\n")
                yield Step("command", command, printed)


def printed_by(command: str, folder: Path) -> str:
    """Run a command of the page as its reader would, with the programs of this environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {
        **os.environ,
        "PATH": path,
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("PYTEST_ADDOPTS", None)
    ran = subprocess.run(  # noqa: S602  (the commands stand on our own page)
        command, cwd=folder, env=environment, shell=True, capture_output=True, text=True, check=False
    )
    return ran.stdout + ran.stderr


def matches(expected: str, found: str) -> bool:
    lines = [
        "(?:.*\n)*?" if line == ANYTHING else re.escape(line).replace(ANYTHING, ".*") + "\n"
        for line in expected.splitlines()
    ]
    return re.fullmatch("".join(lines), found) is not None


def test_the_reader_gets_what_the_page_prints(tmp_path: Path) -> None:
    ran = 0
    for step in steps(TUTORIAL.read_text(encoding="utf-8")):
        if step.kind == "file":
            (tmp_path / step.name).write_text(step.text, encoding="utf-8")
            continue
        found = printed_by(step.name, tmp_path)
        if not matches(step.text, found):
            pytest.fail(f"$ {step.name}\n{found}", pytrace=False)
        ran += 1
    assert ran == 6
    assert (tmp_path / ".equivalence" / "report.html").is_file()


@pytest.mark.parametrize(
    ("expected", "found", "equal"),
    [
        ("…\nb\n…\n", "a\nb\nc\n", True),
        ("…\nb\n…\n", "a\nc\n", False),
        ("a\n", "a\nb\n", False),
        ("1 passed in …\n", "1 passed in 2.3s\n", True),
        ("1 passed in …\n", "2 passed in 2.3s\n", False),
    ],
)
def test_a_page_that_prints_something_else_is_seen(expected: str, found: str, *, equal: bool) -> None:
    assert matches(expected, found) == equal
