"""Claims × laws -> records: the run behind the command line."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from equivalence.variable import ClaimError
from properties.report.document import CellRecord
from properties.running.cell import Cell, Plan
from properties.running.recording import Status, record, unfinished
from properties.running.request import Request
from properties.running.suites import chosen_laws
from properties.running.threads import threads_set
from properties.running.workers import Ended, Workers, say, tell

KEPT_BYTES = 1 << 17
"""What a worker keeps of the memory that it frees: with more, the catalogue takes more than a GiB."""
_read_before: dict[tuple[Request, str], list[Cell]] = {}
"""What this process has read of a request, and not checked yet: a claim's file is executed once."""


class Watcher(Protocol):
    """Who is told how far a run is."""

    def count(self, done: int, total: int, claim: str) -> None:
        """Take it in that so many claims are done, and which is next."""

    def hear(self, news: str) -> None:
        """Take in what was found in a claim that is not done yet."""


def verify(request: Request, jobs: int, watcher: Watcher) -> Iterator[list[CellRecord]]:
    """Check every claim of a request, claim by claim in order; every mistake in it shows before the first."""
    total = len(request.claims)
    with keeping_memory(KEPT_BYTES), Workers(jobs, watcher.hear) as workers:
        read = workers.map(partial(_read, request), request.claims)
        ended = {
            name: answer for name, answer in zip(request.claims, read, strict=True) if answer is not None
        }
        watcher.count(0, total, request.claims[0])
        checked = workers.map(partial(check, request), [name for name in request.claims if name not in ended])
        for done, name in enumerate(request.claims, start=1):
            records = ended.get(name) or next(checked)
            watcher.count(done, total, name)
            yield [_ended(request, name, records)] if isinstance(records, Ended) else records


def check(request: Request, name: str) -> list[CellRecord]:
    """Check one claim under the laws of a request."""
    records: list[CellRecord] = []
    # On small tensors, more threads only wait for each other.
    with threads_set(1):
        for cell in _read_before.pop((request, name), None) or request.cells(name):
            found = _checked_cell(name, cell, request.plan)
            if found.counterexample and _is_first_refuted(found, records):
                tell(f"{cell.domain.name} is refuted by {found.law}: {found.counterexample.difference}")
            records.append(found)
    return records


def _is_first_refuted(found: CellRecord, before: Sequence[CellRecord]) -> bool:
    return found.status == Status.REFUTED and all(one.status != Status.REFUTED for one in before)


@contextmanager
def keeping_memory(kept_bytes: int) -> Iterator[None]:
    """Let processes that are started inside keep so much freed memory at the end of their heap.

    These are names of glibc's allocator; other systems know none of them.
    """
    allocator = {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_TRIM_THRESHOLD_": f"{kept_bytes}",
        "MALLOC_MMAP_THRESHOLD_": f"{kept_bytes}",
    }
    before = {name: os.environ.get(name) for name in allocator}
    os.environ.update({**allocator, **{name: value for name, value in before.items() if value is not None}})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]


def _read(request: Request, name: str) -> None:
    """Hold a claim against its forms, for what it raises; this runs them."""
    say("")
    with threads_set(1):
        _read_before[request, name] = request.cells(name)


def _ended(request: Request, name: str, ended: Ended) -> CellRecord:
    """Record a claim that ended its process, under the law that it was in, and in which circumstances."""
    law = ended.doing.partition(",")[0] or chosen_laws(request.laws)[0].name
    during = f"under {ended.doing}" if ended.doing else "before the first law, where its forms run once"
    return unfinished(
        name,
        law,
        f"{name} ended the process ({ended.how}) {during}: a form returns or raises, but never exits",
    )


def _checked_cell(name: str, cell: Cell, plan: Plan) -> CellRecord:
    """Run one cell; ClaimError for a claim that cannot be checked as written."""
    say(cell.law.name)
    started = time.perf_counter()
    error: BaseException | None = None
    try:
        if not cell.inapplicable:
            cell.test(plan)()
    except ClaimError:
        raise
    except (Exception, SystemExit) as caught:  # noqa: BLE001  (a crash is this cell's to report)
        error = caught
    return record(cell, name, time.perf_counter() - started, error, plan.failures)
