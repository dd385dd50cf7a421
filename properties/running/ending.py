"""A claim that ended its process: what its other laws say, and whether its reference ends it too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from properties.laws import all_laws
from properties.report.document import CellRecord
from properties.running.checking import check, hold_reference_against_itself
from properties.running.recording import Status, unfinished
from properties.running.request import Request
from properties.running.suites import chosen_laws
from properties.running.workers import Ended, Workers


def besides(request: Request, name: str, ended: Ended) -> list[CellRecord]:
    """Record the law in which a claim ended its process, and check the others, each such law in its turn."""
    order = list(all_laws())
    return sorted(_records(request, name, ended), key=lambda found: order.index(found.law))


def _records(request: Request, name: str, ended: Ended | None) -> Iterator[CellRecord]:
    left = [law.name for law in chosen_laws(request.laws)]
    while ended is not None:
        law = ended.doing.partition(",")[0]
        yield _ended(request, name, ended)
        if law not in left or len(left) == 1:
            return
        left.remove(law)
        found, ended = _checked(replace(request, laws=tuple(left), named=False), name)
        yield from found


def _checked(request: Request, name: str) -> tuple[list[CellRecord], Ended | None]:
    with Workers(1) as workers:
        (answer,) = workers.map(partial(check, request), [name])
    return ([], answer) if isinstance(answer, Ended) else (answer, None)


def _ended(request: Request, name: str, ended: Ended) -> CellRecord:
    """Record a claim that ended its process, under the law that it was in, and in which circumstances.

    Where the reference ends it too, the law has nothing to hold a candidate against.
    """
    if not ended.doing:
        told = "before the first law, where its forms run once"
        return _unfinished(name, chosen_laws(request.laws)[0].name, ended, told)
    law = ended.doing.partition(",")[0]
    alone = replace(request, laws=(law,), named=False)
    with Workers(1) as workers:
        (itself,) = workers.map(partial(hold_reference_against_itself, alone), [name])
    if isinstance(itself, Ended):
        reason = f"the reference itself ends the process ({itself.how}) under {itself.doing}"
        notes = [f"{law} does not apply: {reason}"]
        return replace(unfinished(name, law, ""), status=Status.DOES_NOT_APPLY, reason=reason, notes=notes)
    return _unfinished(name, law, ended, f"under {ended.doing}")


def _unfinished(name: str, law: str, ended: Ended, when: str) -> CellRecord:
    told = f"{name} ended the process ({ended.how}) {when}: a form returns or raises, but never exits"
    return unfinished(name, law, told)
