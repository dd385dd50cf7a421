"""The pytest plugin: the profile option, one short text for a refuted claim, one summary line.

Loaded in every pytest run where the distribution is installed, so it imports nothing heavy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from typing import Any

import pytest

VARIABLE = "EQUIVALENCE_PROFILE"
PROPERTY = "equivalence"
Reporting = Generator[None, pytest.TestReport, pytest.TestReport]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --equivalence-profile."""
    group = parser.getgroup("equivalence", "layer equivalences")
    group.addoption(
        "--equivalence-profile",
        choices=("gate", "explore"),
        help="gate: the same cases every time (default); explore: new ones, with a database of failures",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Hand the profile to the suites, which are made while modules are collected."""
    chosen = config.getoption("--equivalence-profile")
    if chosen:
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = chosen
        config.add_cleanup(lambda: _restore(before))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach what a cell found, and show a refutation as its text, not as a traceback."""
    cell = getattr(getattr(item, "obj", None), "equivalence_cell", None)
    if cell is not None and call.when == "call":
        item.user_properties.append((PROPERTY, json.dumps(cell.record())))
    report = yield
    if cell is not None and call.when == "call" and report.failed and _is_refutation(call):
        report.longrepr = str(call.excinfo.value) if call.excinfo else None
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line how many claims, cells and cases there were."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    records = [
        json.loads(value)
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if records:
        executed, outside = (sum(record[key] for record in records) for key in ("executed", "outside"))
        claims = len({record["claim"] for record in records})
        terminalreporter.write_line(
            f"equivalence: {claims} claims, {len(records)} cells, {executed:,} cases, "
            f"{outside:,} outside a domain"
        )


def _is_refutation(call: pytest.CallInfo[None]) -> bool:
    return call.excinfo is not None and call.excinfo.typename == "Refuted"


def _restore(before: str | None) -> None:
    if before is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = before
