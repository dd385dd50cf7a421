"""Claims × laws -> outcomes: the run behind the command line."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from multiprocessing import get_context

import torch
from hypothesis.errors import Unsatisfiable

from equivalence.variable import ClaimError
from properties.cell import Cell, Plan
from properties.counterexample import Refuted
from properties.judge import Tally
from properties.request import Request


class Status(StrEnum):
    """What a cell came to."""

    HOLDS = "holds"
    REFUTED_AS_DECLARED = "refuted as declared"
    DOES_NOT_APPLY = "does not apply"
    REFUTED = "refuted"
    BREAK_NOT_FOUND = "declared break not found"
    ERROR = "error"


AS_CLAIMED = {Status.HOLDS, Status.REFUTED_AS_DECLARED, Status.DOES_NOT_APPLY}


@dataclass(frozen=True)
class Outcome:
    """What one claim came to under one law, and the text that says why: plain data."""

    name: str
    law: str
    status: Status
    tally: Tally
    text: str = ""

    @property
    def as_claimed(self) -> bool:
        """Whether the claim's own statement was borne out."""
        return self.status in AS_CLAIMED


Progress = Callable[[int, int, str], None]
"""(claims done, claims in all, claim) -> None."""


def verify(request: Request, jobs: int, progress: Progress) -> Iterator[list[Outcome]]:
    """Check every claim of a request, claim by claim in order; every mistake in it shows before the first."""
    for name in request.claims:
        request.cells(name)
    total = len(request.claims)
    progress(0, total, request.claims[0])
    for done, outcomes in enumerate(_checked(request, jobs), start=1):
        progress(done, total, outcomes[0].name)
        yield outcomes


def check(request: Request, name: str) -> list[Outcome]:
    """Check one claim under the laws of a request."""
    with one_thread():
        return [_outcome(name, cell, request.plan) for cell in request.cells(name)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread: on small tensors, more of them only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _checked(request: Request, jobs: int) -> Iterator[list[Outcome]]:
    if jobs == 1:
        yield from (check(request, name) for name in request.claims)
        return
    # Spawned, not forked: autograd's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _leave_interrupts) as pool:
        try:
            yield from pool.map(partial(check, request), request.claims)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _leave_interrupts() -> None:
    """Let the parent alone answer Ctrl-C: it reports what was done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _outcome(name: str, cell: Cell, plan: Plan) -> Outcome:
    status, text = _status(cell, plan)
    return Outcome(name, cell.law.name, status, cell.tally, text)


def _status(cell: Cell, plan: Plan) -> tuple[Status, str]:
    """Run one cell; ClaimError for a claim that cannot be checked as written."""
    try:
        if cell.inapplicable:
            return Status.DOES_NOT_APPLY, cell.inapplicable
        cell.test(plan)()
    except Refuted as refuted:
        return Status.REFUTED_AS_DECLARED if cell.declared else Status.REFUTED, str(refuted)
    except Unsatisfiable:
        return Status.ERROR, _nothing_executed(cell)
    except ClaimError:
        raise
    except (Exception, SystemExit):  # noqa: BLE001  (a crash is no counterexample: this cell reports it)
        return Status.ERROR, traceback.format_exc()
    if cell.declared:
        return Status.BREAK_NOT_FOUND, _not_found(cell)
    return Status.HOLDS, ""


def _nothing_executed(cell: Cell) -> str:
    return (
        f"{cell.domain.name} under {cell.law.name}: at least one case is executed, but the reference "
        f"refused all {cell.tally.outside} that were drawn, the last with {cell.tally.refusal}; widen "
        "the domain"
    )


def _not_found(cell: Cell) -> str:
    return (
        f"{cell.domain.name} declares that it breaks {cell.law.name} ({cell.declared}), but "
        f"{cell.tally.executed} cases agree; take the declaration away, or widen the domain until it shows"
    )
