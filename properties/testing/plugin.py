"""The pytest plugin: its options, one short text for a refuted claim, the report, one summary.

Loaded in every pytest run where the distribution is installed, so it imports nothing heavy: what a cell came
to is made by `properties.testing.records`, which is imported once there is a cell.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

VARIABLES = {
    "--equivalence-profile": "EQUIVALENCE_PROFILE",
    "--equivalence-dtype": "EQUIVALENCE_DTYPE",
    "--equivalence-device": "EQUIVALENCE_DEVICE",
}
"""What is handed to the suites, which are made while modules are collected."""
USUAL = ("gate", "float64", "cpu")
PROPERTY = "equivalence"
FORMATS = ("html", "json")
STARTED = pytest.StashKey[float]()
COMPLETE = pytest.StashKey[bool]()
Reporting = Generator[None, pytest.TestReport, pytest.TestReport]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the group equivalence."""
    group = parser.getgroup("equivalence", "layer equivalences")
    group.addoption(
        "--equivalence-profile",
        choices=("gate", "explore"),
        help="gate: the same cases every time (default); explore: new ones, with a database of failures",
    )
    group.addoption(
        "--equivalence-dtype",
        choices=("float64", "float32", "bfloat16", "float16"),
        help="of parameters and inputs (default: float64)",
    )
    group.addoption(
        "--equivalence-device", metavar="DEVICE", help="where forms run: cpu (default), cuda or cuda:1"
    )
    group.addoption(
        "--equivalence-report",
        type=_formats,
        default=(),
        metavar="html,json",
        help="write .equivalence/report.html and report.json: every claim under every law",
    )
    group.addoption(
        "--equivalence-replay",
        metavar="FILE",
        help="run a kept failure alone, on its own values, in the test of its claim and law",
    )
    group.addoption(
        "--equivalence-traceback",
        action="store_true",
        help="show the frames above a counterexample, too",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Hand the profile and the setting to the suites; UsageError for a device that is not here."""
    config.stash[STARTED] = time.monotonic()
    for option, variable in VARIABLES.items():
        if chosen := config.getoption(option):
            config.add_cleanup(partial(_restore, variable, os.environ.get(variable)))
            os.environ[variable] = chosen
    if os.environ.get(VARIABLES["--equivalence-device"], "cpu") != "cpu":
        _check_device(os.environ[VARIABLES["--equivalence-device"]])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the failure that is to be replayed, and nothing else."""
    path = config.getoption("--equivalence-replay")
    if path:
        from properties.testing.replay import kept_failure, select  # noqa: PLC0415  (imports torch)

        select(kept_failure(path), config, items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Reporting:
    """Attach what a cell found, and show a refutation as its text, not as a traceback."""
    cell = getattr(getattr(item, "obj", None), "equivalence_cell", None)
    skipped = call.when == "setup" and call.excinfo is not None
    if cell is None or not (skipped or call.when == "call"):
        return (yield)
    from properties.testing.cause import elsewhere  # noqa: PLC0415  (imports torch)
    from properties.testing.records import entry_of, shown  # noqa: PLC0415  (imports torch)

    entry = entry_of(cell, call)
    item.user_properties.append((PROPERTY, json.dumps(entry)))
    report = yield
    if report.passed and cell.beyond:
        # It was free to fail: that it did not is no surprise.
        vars(report).pop("wasxfail", None)
    if report.failed and call.excinfo is not None and not item.config.getoption("--equivalence-traceback"):
        report.longrepr = shown(entry, call.excinfo, elsewhere(item, entry)) or report.longrepr
    return report


def pytest_report_header(config: pytest.Config) -> str:
    """Say which cases are drawn, and in what they run where that is not the usual."""
    profile, dtype, device = (
        config.getoption(option) or os.environ.get(variable, usual)
        for (option, variable), usual in zip(VARIABLES.items(), USUAL, strict=True)
    )
    setting = "" if (dtype, device) == USUAL[1:] else f", {dtype} on {device}"
    return f"equivalence: profile {profile}{setting}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remember whether the run came to its end."""
    session.config.stash[COMPLETE] = not (session.shouldstop or session.shouldfail)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Say in one line how many claims, cells and cases there were; write the reports that were asked for."""
    entries = list(_entries(terminalreporter.stats))
    if not entries:
        return
    from properties.testing.records import summary, write_reports  # noqa: PLC0415  (imports torch)

    for line in summary(entries, table_too=config.get_verbosity() > 0):
        terminalreporter.write_line(line)
    complete = config.stash.get(COMPLETE, False) and exitstatus < pytest.ExitCode.INTERRUPTED
    seconds = time.monotonic() - config.stash[STARTED]
    for path in write_reports(entries, config.getoption("--equivalence-report"), seconds, complete=complete):
        terminalreporter.write_line(f"equivalence: written to {path}")


def _entries(stats: Mapping[str, Iterable[Any]]) -> Iterator[dict[str, Any]]:
    for report in itertools.chain.from_iterable(stats.values()):
        if getattr(report, "when", "") not in {"setup", "call"}:
            continue
        for name, value in report.user_properties:
            if name == PROPERTY:
                yield json.loads(value)


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, text.split(",")))
    if unknown := [name for name in names if name not in FORMATS]:
        message = f"formats are {' and '.join(FORMATS)}, with a comma between, but got {', '.join(unknown)}"
        raise pytest.UsageError(message)
    return names


def _check_device(name: str) -> None:
    from properties.reading.devices import why_not  # noqa: PLC0415  (imports torch)

    if reason := why_not(name):
        message = f"--equivalence-device {name} cannot be used here: {reason}; take cpu"
        raise pytest.UsageError(message)


def _restore(variable: str, before: str | None) -> None:
    if before is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = before
