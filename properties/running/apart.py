"""Both forms once more, each in a process that never runs the other; that of the reference compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

from properties.judging import alone
from properties.judging.alone import RUNS, Question
from properties.laws import all_laws
from properties.report.document import CellRecord
from properties.report.text import labelled
from properties.running.printed import printed_apart
from properties.running.recording import FUNCTION, Status
from properties.running.request import Request
from properties.running.threads import threads_set
from properties.running.workers import Ended, Workers

Answer = TypeVar("Answer")
KIND = "another function than beside the reference"
RULE = "a form gives alone what it gives beside another, and changes nothing for the other"


class Found(NamedTuple):
    """Where a candidate differs alone."""

    case: str
    difference: str


def held_apart(request: Request, itself: Request, records: Sequence[CellRecord]) -> list[CellRecord]:
    """Return the records of a claim, with those laws refuted that its candidate fails alone.

    The one claim of `itself` is that the reference is itself; its file names no candidate.
    """
    held = {record.law for record in records if record.status == Status.HOLDS}
    found = _found(request, itself, held)
    return [_refuted(record, found[record.law]) if record.law in found else record for record in records]


def _found(request: Request, itself: Request, laws: set[str]) -> dict[str, Found]:
    """Say by law in which case the candidate gives something else alone."""
    differing: Mapping[Question, Found] = {}
    with Workers(1, limit=request.limit) as reference, Workers(1, limit=request.limit) as candidate:
        asked = _answer(reference, partial(_questions, itself))
        left = [] if isinstance(asked, Ended) else [one for one in asked if one.law in laws]
        # Disturbed runs are asked for only where the plain ones differ.
        for runs in (0, RUNS) if left else ():
            theirs = _answer(candidate, partial(_answers, request, left, runs))
            if isinstance(theirs, Ended):
                return {FUNCTION: Found("", f"the candidate ended its process ({theirs.how})")}
            compared = _answer(reference, partial(_differences, itself, left, theirs, runs))
            differing = {} if isinstance(compared, Ended) else compared
            left = list(differing)
            if not left:
                break
    return {question.law: found for question, found in reversed(list(differing.items()))}


def _answer(workers: Workers, function: Callable[[str], Answer]) -> Answer | Ended:
    (answer,) = workers.map(function, [""])
    return answer


def _questions(request: Request, _: str) -> list[Question]:
    with threads_set(1), printed_apart():
        return alone.questions(request.domain(*request.claims))


def _answers(request: Request, asked: Sequence[Question], runs: int, _: str) -> bytes:
    with threads_set(1), printed_apart():
        return alone.answers(request.domain(*request.claims), asked, runs)


def _differences(
    request: Request, asked: Sequence[Question], theirs: bytes, runs: int, _: str
) -> dict[Question, Found]:
    with threads_set(1), printed_apart():
        domain = request.domain(*request.claims)
        found = alone.differences(domain, asked, theirs, runs)
        return {question: Found(f"{question.case(domain)}", f"{one}") for question, one in found.items()}


def _refuted(record: CellRecord, found: Found) -> CellRecord:
    told = {
        "law": all_laws()[record.law].statement,
        "kind": KIND,
        "case": found.case,
        "difference": found.difference,
        "rule": RULE,
    }
    lines = [labelled(label, text) for label, text in told.items() if text]
    name = record.claim.rpartition(":")[2]
    text = "\n".join([f"{name} is refuted by {record.law}, each form in a process of its own", *lines])
    return replace(record, status=Status.REFUTED, text=text)
