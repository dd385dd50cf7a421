"""What the cells of one claim come to, in one sentence: how much is the same, and in what forms differ."""

from __future__ import annotations

from collections.abc import Sequence

from equivalence.claim import Scope
from properties.laws import all_laws
from properties.laws.registry import SCOPES, plainest_first
from properties.report.document import CellRecord
from properties.report.numbers import plural
from properties.running.recording import FUNCTION, Status

KNOWN = {Status.REFUTED_AS_DECLARED: "as declared", Status.NOT_CLAIMED: "which is not claimed"}
DIFFERS = (Status.REFUTED, *KNOWN)


def verdict(records: Sequence[CellRecord]) -> str:
    """Say how much of two forms is the same, and in what they differ; empty where nothing ran."""
    if not records:
        return ""
    if refuted := laws_of(records, Status.REFUTED):
        others = f" and {plural(len(refuted) - 1, 'other law')}" if len(refuted) > 1 else ""
        return f"NOT the same {_scope(refuted[0])}: refuted by {refuted[0]}{others}; {_common(records)}"
    for status, told in (
        (Status.ERROR, "no answer: {} ended in an error"),
        (Status.BREAK_NOT_FOUND, "NOT as declared: no break of {} was found"),
    ):
        if laws := laws_of(records, status):
            return f"{told.format(laws[0])}; {_held(records)}"
    differing = laws_of(records, *DIFFERS)
    if differing and shown_scope(records) is None:
        plainest = next(record for record in records if record.law == differing[0])
        known = KNOWN[Status(plainest.status)]
        return f"NOT the same {_scope(differing[0])}, {known}: {differences(records)[0]}; {_held(records)}"
    return _common(records)


def laws_of(records: Sequence[CellRecord], *statuses: Status) -> list[str]:
    """Name the laws that came to one of these, the plainest first."""
    return plainest_first(record.law for record in records if record.status in statuses)


def differences(records: Sequence[CellRecord]) -> list[str]:
    """Say in what two forms differ, declared, claimed or not, the plainest first."""
    laws = all_laws()
    phrases = [
        laws[name].told if name in laws else f"differs under {name}" for name in laws_of(records, *DIFFERS)
    ]
    return [
        phrase
        for place, phrase in enumerate(phrases)
        # Who trains otherwise does so by any optimiser.
        if not phrase.startswith(tuple(f"{earlier} " for earlier in phrases[:place]))
    ]


def shown_scope(records: Sequence[CellRecord]) -> Scope | None:
    """Give the largest word of which all that was asked held; None where that is not even the function."""
    shown: Scope | None = None
    if FUNCTION not in laws_of(records, Status.HOLDS):
        return shown
    for scope in SCOPES:
        statuses = {record.status for record in records if _scope(record.law) == scope}
        if not statuses or not statuses <= {Status.HOLDS, Status.DOES_NOT_APPLY}:
            break
        shown = scope
    return shown


def _common(records: Sequence[CellRecord]) -> str:
    """Say what is the same, and what is not where that is less than the function."""
    shown = shown_scope(records)
    if shown is None:
        return _held(records)
    held = [record for record in records if record.status == Status.HOLDS]
    cases, laws = sum(record.executed for record in held), plural(len(held), "law")
    return "; ".join([f"the same {shown}, as far as {cases:,} cases of {laws} tell", *differences(records)])


def _held(records: Sequence[CellRecord]) -> str:
    held = laws_of(records, Status.HOLDS)
    if not held and not laws_of(records, *DIFFERS, Status.ERROR, Status.BREAK_NOT_FOUND):
        return "no answer: no law was put to the test and held"
    return f"{plural(len(held), 'law')} held"


def _scope(law: str) -> Scope:
    """Give the scope of a law; one that this process does not know is of the function."""
    laws = all_laws()
    return laws[law].scope if law in laws else SCOPES[0]
