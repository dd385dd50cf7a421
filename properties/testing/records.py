"""What pytest's own reports say of cells: each test's record, its text, the summary, the report files.

Apart from the plugin, since it imports torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis.errors import Unsatisfiable

from properties.refutation.failure import FOLDER
from properties.report.document import CellRecord
from properties.report.files import write_json
from properties.report.page import write_page
from properties.running import settings, table
from properties.running.cell import Cell
from properties.running.profiles import current
from properties.running.recording import Status, as_claimed, record, unkept
from properties.running.reporting import Circumstances, assembled, entry, entry_from

REPORTS = ".equivalence"
WRITERS = {"json": write_json, "html": write_page}
Entries = Sequence[Mapping[str, Any]]
"""Entries as they came through JSON, perhaps from another process."""


def entry_of(cell: Cell, call: pytest.CallInfo[None]) -> dict[str, Any]:
    """Give the record of a finished test as plain data."""
    skipped = call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception)
    error = call.excinfo.value if call.excinfo is not None and not skipped else None
    found = record(cell, cell.domain.name, call.duration, error, FOLDER)
    return asdict(entry(cell.domain.claim, cell.law, found))


def shown(entry: Mapping[str, Any], error: pytest.ExceptionInfo[BaseException], elsewhere: str) -> Any:
    """Give what pytest prints of a failed cell: its text alone; None for a crash, which needs its frames.

    What is shown `elsewhere` is not told again.
    """
    text = elsewhere or entry["cell"]["text"]
    if not entry["cell"]["counterexample"] and not error.errisinstance(Unsatisfiable):
        return None
    told = AssertionError(text).with_traceback(error.tb)
    printed = pytest.ExceptionInfo.from_exception(told).getrepr(style="value")
    if printed.reprcrash is not None:
        printed.reprcrash.message = text.splitlines()[0]
    return printed


def summary(entries: Entries, *, table_too: bool) -> Iterator[str]:
    """Count claims, cells and cases in one line, below the table where it is asked for."""
    records = _records(entries)
    if table_too:
        yield from table.matrix(records)
    executed, outside = (sum(getattr(one, name) for one in records) for name in ("executed", "outside"))
    applied = [one for one in records if one.status != Status.DOES_NOT_APPLY]
    claims = len({one.claim for one in records})
    wrong = sum(not as_claimed(one) for one in records)
    yield (
        f"equivalence: {claims} claims, {len(applied)} cells, {executed:,} cases, "
        f"{outside:,} outside a domain" + (f", {wrong} not as claimed" if wrong else "")
    )
    yield from (f"equivalence: {line}" for line in unkept(records))


def write_reports(
    entries: Entries, formats: Sequence[str], seconds: float, *, complete: bool
) -> Iterator[Path]:
    """Write reports in these formats, and name each file."""
    if not formats:
        return
    threads, setting = torch.get_num_threads(), settings.current()
    run = Circumstances(current(), 0, seconds, complete, threads, setting)
    report = assembled(map(entry_from, entries), run)
    for name in formats:
        path = Path(REPORTS) / f"report.{name}"
        WRITERS[name](report, path)
        yield path


def _records(entries: Entries) -> list[CellRecord]:
    return [entry_from(one).cell for one in entries]
