"""A claim that ended its process: in which case, and what is known of it beside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from equivalence.variable import ClaimError
from properties.laws import all_laws
from properties.reading.cases import read_case
from properties.reading.claims import UsageError
from properties.refutation.counterexample import replayed, written
from properties.report.document import CellRecord
from properties.report.text import labelled
from properties.running.checking import check, decide, hold_reference_against_itself
from properties.running.recording import FUNCTION, Status, unfinished
from properties.running.request import Request
from properties.running.suites import chosen_laws
from properties.running.workers import Ended, in_a_process

SLOW = "a form returns or raises; give --limit SECONDS where it takes longer"


@dataclass(frozen=True)
class Doing:
    """What a process was at when it ended; all of it empty before the first law."""

    law: str = ""
    circumstances: str = ""
    case: str = ""

    def __str__(self) -> str:
        """Tell the law and the circumstances."""
        return ", ".join(filter(None, [self.law, self.circumstances]))


class Shown(NamedTuple):
    """A case as texts: this process loads no claim, whose file may be what ends it."""

    law: str
    told: str
    written: str
    replay: str


def besides(request: Request, name: str, ended: Ended) -> list[CellRecord]:
    """Record the law in which a claim ended its process, and check the others, each such law in its turn."""
    order = list(all_laws())
    return sorted(_records(request, name, ended), key=lambda found: order.index(found.law))


def _records(request: Request, name: str, ended: Ended | None) -> Iterator[CellRecord]:
    left = [law.name for law in chosen_laws(request.laws)]
    while ended is not None:
        law = Doing(*ended.doing).law
        yield _ended(request, name, ended)
        if law not in left or len(left) == 1:
            return
        left.remove(law)
        found, ended = _checked(replace(request, laws=tuple(left), named=False), name)
        yield from found


def _checked(request: Request, name: str) -> tuple[list[CellRecord], Ended | None]:
    answer = in_a_process(partial(check, request), name, request.limit)
    return ([], answer) if isinstance(answer, Ended) else (answer, None)


def _ended(request: Request, name: str, ended: Ended) -> CellRecord:
    """Record a claim that ended its process, under the law that it was in, and in which circumstances.

    Where the reference ends it too, the law has nothing to hold a candidate against.
    """
    doing = Doing(*ended.doing)
    if not doing.law:
        case = _case(request, name, ended)
        told = _told(name, ended, "before the first law, where its forms run once", *case)
        return unfinished(name, chosen_laws(request.laws)[0].name, told)
    alone = replace(request, laws=(doing.law,), named=False)
    itself = in_a_process(partial(hold_reference_against_itself, alone), name, request.limit)
    if isinstance(itself, Ended):
        reason = f"the reference itself {itself} under {Doing(*itself.doing)}"
        notes = [f"{doing.law} does not apply: {reason}"]
        return replace(
            unfinished(name, doing.law, ""), status=Status.DOES_NOT_APPLY, reason=reason, notes=notes
        )
    told = _told(name, ended, f"under {doing}", *_case(request, name, ended))
    return unfinished(name, doing.law, told)


def _told(name: str, ended: Ended, when: str, *case: str) -> str:
    """Say how and when it ended, in which case, and what a form does instead."""
    return "\n".join([f"{name} {ended} {when}", *case, labelled("rule", _rule(ended))])


def _rule(ended: Ended) -> str:
    return SLOW if ended.stalled else "a form returns or raises, but never exits"


def _case(request: Request, name: str, ended: Ended) -> Iterator[str]:
    """Say in which case it ended, in the smallest where none need be waited for, and how it is seen again."""
    doing = Doing(*ended.doing)
    shown = _like(request, name, doing.law or FUNCTION, doing.case)
    smallest = None if ended.stalled else next((one for one in shown if _ends(request, name, one)), None)
    if smallest:
        yield labelled("smallest case", smallest.told)
        yield labelled("replay", smallest.replay)
    elif doing.case and shown:
        *_, own, _ = shown
        yield labelled("case", own.told if ended.stalled else f"{own.told}; alone it does not end")
        yield from [labelled("replay", own.replay)] if ended.stalled else []


def _like(request: Request, name: str, law: str, case: str) -> list[Shown]:
    """Return smaller cases, then that in which a claim ended its process, then the largest."""
    answer = in_a_process(partial(_cases_like, request, name, law), case, request.limit)
    return [] if isinstance(answer, Ended) else answer


def _cases_like(request: Request, name: str, law: str, written_case: str) -> list[Shown]:
    domain = request.domain(name)
    try:
        # Before the first law, the forms are tried in a wide case.
        case = read_case(written_case, setting=request.setting) if written_case else next(domain.wide())
    except (UsageError, ClaimError):
        return []
    # The forms are run at the largest sizes too, before a case is decided.
    largest = replace(domain.largest(case), seed=case.seed, values=case.values)
    cases = (*domain.smaller(largest), case, largest)
    return [Shown(law, f"{one}", written(one), replayed(one, law)) for one in cases]


def _ends(request: Request, name: str, shown: Shown) -> bool:
    answer = in_a_process(partial(decide, request, name, shown.law), shown.written, request.limit)
    return isinstance(answer, Ended)
