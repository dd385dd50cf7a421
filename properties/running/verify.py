"""Claims × laws -> records: the run behind the command line."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from equivalence.variable import ClaimError
from properties.report.document import CellRecord
from properties.running.cell import Cell, Plan
from properties.running.memory import give_memory_back, keep_freed_memory
from properties.running.recording import record
from properties.running.request import Request
from properties.running.threads import threads_set

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


def _checked(request: Request, jobs: int) -> Iterator[list[CellRecord]]:
    if jobs == 1:
        yield from (check(request, name) for name in request.claims)
        return
    # Spawned, not forked: autograd's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _start_worker) as pool:
        try:
            yield from pool.map(partial(check, request), request.claims)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _start_worker() -> None:
    """Keep what cases free, and let the parent alone answer Ctrl-C: it reports what was done."""
    keep_freed_memory()
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
    give_memory_back()
    return record(cell, name, time.perf_counter() - started, error, plan.failures)
