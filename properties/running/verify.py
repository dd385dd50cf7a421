"""Claims × laws -> records: the run behind the command line."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context

from equivalence.variable import ClaimError
from properties.report.document import CellRecord
from properties.running.cell import Cell, Plan
from properties.running.recording import record
from properties.running.request import Request
from properties.running.threads import threads_set

KEPT_BYTES = 1 << 17
"""What a worker keeps of the memory that it frees: with more, the catalogue takes more than a GiB."""

Progress = Callable[[int, int, str], None]
"""(claims done, claims in all, claim) -> None."""


def verify(request: Request, jobs: int, progress: Progress) -> Iterator[list[CellRecord]]:
    """Check every claim of a request, claim by claim in order; every mistake in it shows before the first."""
    for name in request.claims:
        request.cells(name)
    total = len(request.claims)
    progress(0, total, request.claims[0])
    for done, records in enumerate(_checked(request, jobs), start=1):
        progress(done, total, records[0].claim)
        yield records


def check(request: Request, name: str) -> list[CellRecord]:
    """Check one claim under the laws of a request."""
    # On small tensors, more threads only wait for each other.
    with threads_set(1):
        return [_checked_cell(name, cell, request.plan) for cell in request.cells(name)]


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


def _checked(request: Request, jobs: int) -> Iterator[list[CellRecord]]:
    if jobs == 1:
        yield from (check(request, name) for name in request.claims)
        return
    # Spawned, not forked: autograd's threads do not survive a fork.
    with (
        keeping_memory(KEPT_BYTES),
        ProcessPoolExecutor(jobs, get_context("spawn"), _leave_interrupts) as pool,
    ):
        try:
            yield from pool.map(partial(check, request), request.claims)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _leave_interrupts() -> None:
    """Let the parent alone answer Ctrl-C: it reports what was done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _checked_cell(name: str, cell: Cell, plan: Plan) -> CellRecord:
    """Run one cell; ClaimError for a claim that cannot be checked as written."""
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
