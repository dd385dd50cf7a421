"""What a process of its own does with a claim: reads it, checks it, holds its reference against itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from equivalence.claim import Equivalence
from equivalence.variable import ClaimError
from properties.cases.domain import Domain
from properties.laws import all_laws
from properties.reading.cases import read_case
from properties.report.document import CellRecord
from properties.running.cell import Cell, Plan
from properties.running.printed import printed_apart
from properties.running.recording import Status, record, traced, unfinished
from properties.running.request import Request
from properties.running.rooms import say, tell
from properties.running.suites import chosen_laws
from properties.running.threads import threads_set

_read_before: dict[tuple[Request, str], list[Cell]] = {}
"""What this process has read of a request, and not checked yet: a claim's file is executed once."""


def read(request: Request, name: str) -> None:
    """Hold a claim against its forms, for what it raises; this runs them."""
    say()
    with threads_set(1), printed_apart():
        _read_before[request, name] = request.cells(name)


def check(request: Request, name: str) -> list[CellRecord]:
    """Check one claim under the laws of a request."""
    records: list[CellRecord] = []
    # On small tensors, more threads only wait for each other.
    with threads_set(1), printed_apart() as told:
        for cell in _read_before.pop((request, name), None) or request.cells(name):
            found = _checked_cell(name, cell, request.plan)
            if found.counterexample and _is_first_refuted(found, records):
                tell(f"{cell.domain.name} is refuted by {found.law}: {found.counterexample.difference}")
            records.append(found)
    # Of the claim, as its first law is.
    return [replace(one, notes=[*one.notes, *(told if one is records[0] else ())]) for one in records]


def _is_first_refuted(found: CellRecord, before: Sequence[CellRecord]) -> bool:
    return found.status == Status.REFUTED and all(one.status != Status.REFUTED for one in before)


def hold_reference_against_itself(request: Request, name: str) -> None:
    """Try the laws of a request on a claim whose candidate is its reference, whatever comes of it."""
    with threads_set(1), printed_apart():
        itself = _of_its_reference(request.domain(name))
        for law in chosen_laws(request.laws):
            cell = Cell(itself, law)
            # What comes of it is no failure of the claim.
            _checked_cell(name, cell, replace(request.plan, failures=None))


def decide(request: Request, name: str, law: str, written: str) -> None:
    """Decide one case of a claim anew, whatever comes of it, and run no form at other sizes than its own."""
    with threads_set(1), printed_apart():
        case, domain = read_case(written, setting=request.setting), request.domain(name)
        pins = {**domain.pins, **vars(case.claim), **case.axes}
        cell = Cell(Domain(domain.claim, pins, domain.data, domain.setting), all_laws()[law])
        with suppress(Exception, SystemExit):
            cell.judge.verdict(case)


def _of_its_reference(domain: Domain) -> Domain:
    """Give the same cases of the claim whose candidate is its reference."""
    claim = domain.claim
    itself = {
        "candidate": claim.reference,
        "carry": Equivalence.carry,
        "dead_in_candidate": claim.dead_in_reference,
    }
    under = (*domain.under, *(f"not {name}" for name in domain.left_out))
    pins = {**domain.pins, "under": under}
    return Domain(type(claim.__name__, (claim,), itself), pins, domain.data, domain.setting)


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
    took = time.perf_counter() - started
    try:
        return record(cell, name, took, error, plan.failures)
    except ClaimError:
        raise
    except Exception as caught:  # noqa: BLE001  (to look for smaller numbers runs the forms again)
        return unfinished(name, cell.law.name, traced(caught))
