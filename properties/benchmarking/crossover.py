"""Where one form overtakes another along a swept size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from properties.benchmarking.document import CrossoverRecord, GroupRecord


def curves(groups: Sequence[GroupRecord]) -> list[list[GroupRecord]]:
    """Give the groups of each sweep, family by family and pass by pass, from the least size on."""
    found: dict[tuple[str, str], list[GroupRecord]] = {}
    for group in groups:
        if group.axis:
            found.setdefault((group.family, group.timed), []).append(group)
    return [sorted(curve, key=lambda group: group.value) for curve in found.values()]


def crossovers(groups: Sequence[GroupRecord]) -> list[CrossoverRecord]:
    """Find the crossovers of every sweep among the groups."""
    return [found for curve in curves(groups) for found in along(curve)]


def along(curve: Sequence[GroupRecord]) -> Iterator[CrossoverRecord]:
    """Follow the winners of one sweep from its least size to its largest.

    The winners stay as long as one of them cannot be told apart from the fastest: noise makes no crossover.
    """
    winners = _leading(curve[0])
    for earlier, group in pairwise(curve):
        staying = [form for form in winners if form in _leading(group)]
        if not staying:
            yield _record(earlier, group, winners)
        winners = staying or _leading(group)


def sentence(found: CrossoverRecord) -> str:
    """Say it: from batch 64 the grouped form wins (before: the reference)."""
    verb = "wins" if len(found.winners) == 1 else "win"
    return (
        f"{found.family}, {found.timed}: from {found.axis} {found.value} {_named(found.winners)} {verb} "
        f"(before: {_named(found.before)}; the curves meet near {found.axis} {found.place:.3g})"
    )


def _named(forms: Sequence[str]) -> str:
    named = ["the reference" if form == "reference" else form for form in forms]
    return ", ".join(named[:-1]) + " and " + named[-1] if len(named) > 1 else named[0]


def _leading(group: GroupRecord) -> list[str]:
    return [form.form for form in group.forms if form.leads]


def _record(earlier: GroupRecord, group: GroupRecord, before: Sequence[str]) -> CrossoverRecord:
    winners = _leading(group)
    place = _meeting(earlier, group, before[0], winners[0])
    return CrossoverRecord(group.family, group.timed, group.axis, group.value, place, winners, list(before))


def _meeting(earlier: GroupRecord, group: GroupRecord, old: str, new: str) -> float:
    """Interpolate between two sizes, both axes in logarithms, to where the two forms take equally long."""
    start, end = (math.log(_seconds(one, new) / _seconds(one, old)) for one in (earlier, group))
    part = min(1.0, max(0.0, start / (start - end))) if start != end else 1.0
    return float(earlier.value * (group.value / earlier.value) ** part)


def _seconds(group: GroupRecord, name: str) -> float:
    return next(form.seconds for form in group.forms if form.form == name)
