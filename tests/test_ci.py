"""docs/ci.md and the workflows name commands and options that exist, and say the same."""

import json
import re
import runpy
import shlex
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from properties.cli import _parser
from properties.report.document import CellRecord, ClaimRecord, Environment, LawRecord, Report

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
SUMMARY = ROOT / ".github" / "summary.py"
WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").iterdir()}
TEXTS = {"docs/ci.md": PAGE, **WORKFLOWS}
HOSTILE = "</pre><img src=x onerror=alert(1)>"


def unfolded(text: str) -> str:
    """Put options that stand on a line of their own behind their command."""
    return re.sub(r"\n +--", " --", text)


def commands(pattern: str) -> list[str]:
    return [found for text in TEXTS.values() for found in re.findall(pattern, unfolded(text), re.MULTILINE)]


def shown(workflow: str) -> str:
    """Give the workflow of that name as the page shows it."""
    blocks: list[str] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    return next(block for block in blocks if block.startswith(f"name: {workflow}"))


def settings(workflow: str) -> set[str]:
    """Give the lines of a workflow that are no command of this repository or of its reader."""
    lines = unfolded(workflow).splitlines()
    return {line for line in lines if not re.search(r"run: (?!python .github)|equivalence verify", line)}


@pytest.mark.parametrize("command", commands(r"\bequivalence (verify .*|list.*|replay \S+.*)$"))
def test_every_command_of_ours_is_one_that_the_command_line_takes(command: str) -> None:
    assert callable(_parser().parse_args(shlex.split(command)).run)


@pytest.mark.parametrize("option", sorted(set(commands(r"(--equivalence-[a-z-]+)"))))
def test_every_option_of_pytest_is_one_that_the_plugin_adds(option: str, pytestconfig: pytest.Config) -> None:
    pytestconfig.getoption(option)


@pytest.mark.parametrize("target", sorted(set(commands(r"run: make (\S+)"))))
def test_every_target_is_one_of_the_makefile(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(STAMP)", ".venv/.installed")
    assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_the_page_shows_what_this_repository_runs(workflow: str) -> None:
    assert settings(shown(workflow)) == settings(WORKFLOWS[workflow])


def test_the_page_shows_the_summary_as_it_is() -> None:
    assert f"```python\n{SUMMARY.read_text(encoding='utf-8')}```" in PAGE


def cell(status: str, claim: str, text: str = "") -> CellRecord:
    return CellRecord(claim, "forward", status, "", 25, 0, {}, None, None, 1.0, {}, {}, text=text)


def report(*cells: CellRecord, complete: bool = True) -> dict[str, Any]:
    environment = Environment("", "", "", "", "", "", "", "", 1)
    claims = [ClaimRecord(one.claim, "", "", "") for one in cells]
    return asdict(
        Report("gate", 0, "", 1.0, complete, environment, claims, [LawRecord("forward", "")], cells)
    )


def test_the_summary_counts_the_cells_and_escapes_what_it_shows() -> None:
    summary = runpy.run_path(str(SUMMARY))["summary"]
    text = summary(report(cell("holds", "a"), cell("holds", "b"), cell("error", HOSTILE, f"E {HOSTILE}")))
    assert "### 3 claims, 3 cells, 75 cases" in text
    assert "| holds | 2 |" in text
    assert "| error | 1 |" in text
    assert "E &lt;/pre&gt;&lt;img" in text
    assert HOSTILE not in text
    assert "Incomplete" not in text
    assert "**Incomplete" in summary(report(cell("holds", "a"), complete=False))


def test_the_summary_of_a_run_without_a_report_says_so(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    assert printed(file) == "**No report was written.**\n"
    file.write_text(json.dumps(report(cell("holds", "a"))), encoding="utf-8")
    assert "| holds | 1 |" in printed(file)


def printed(file: Path) -> str:
    command = [sys.executable, str(SUMMARY), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
