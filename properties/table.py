"""Outcomes as text for a terminal: the matrix claim × law, how cells were decided, what was refuted."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from properties.judge import EXACT, LADDER
from properties.statistics import FALSE_ALARM
from properties.verify import Outcome, Status

WIDTH = 80
MARKS = {
    Status.REFUTED_AS_DECLARED: "x",
    Status.DOES_NOT_APPLY: ".",
    Status.REFUTED: "!",
    Status.BREAK_NOT_FOUND: "?",
    Status.ERROR: "E",
}
COUNTED = {
    Status.HOLDS: "hold",
    Status.REFUTED_AS_DECLARED: "refuted as declared",
    Status.DOES_NOT_APPLY: "do not apply",
    Status.REFUTED: "REFUTED",
    Status.BREAK_NOT_FOUND: "declared break NOT FOUND",
    Status.ERROR: "ERROR",
}
DECIDED = {EXACT: "=", LADDER: "~", "statistics": "%", "directly": "="}
LEGEND = (
    "= holds, exact   ~ holds, precision ladder   % holds, statistics   x refuted, as declared\n"
    ". does not apply   ! REFUTED   ? declared break NOT FOUND   E error"
)


def matrix(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Give the table claim × law: one line a claim, one column a law."""
    laws = list(dict.fromkeys(outcome.law for outcome in outcomes))
    claims = list(dict.fromkeys(outcome.name for outcome in outcomes))
    for place, law in enumerate(laws):
        yield f"  {place + 1:>2} {law}"
    width = max(len(name) for name in [*claims, "claim"])
    yield f"{'claim':<{width}} " + "".join(f"{place + 1:>3}" for place in range(len(laws))) + "   cases"
    for claim in claims:
        row = {outcome.law: outcome for outcome in outcomes if outcome.name == claim}
        marks = "".join(f"{_mark(row[law]) if law in row else ' ':>3}" for law in laws)
        cases = sum(outcome.tally.executed for outcome in row.values())
        yield f"{claim:<{width}} {marks} {cases:>7,}"
    yield LEGEND


def decisions(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Say how many cases each oracle decided, and what its word is worth."""
    total: dict[str, int] = {}
    for outcome in outcomes:
        for decided, count in outcome.tally.decided.items():
            total[decided] = total.get(decided, 0) + count
    polynomial = sorted((miss, outcome.name) for outcome in outcomes if (miss := _miss(outcome)) is not None)
    worst = ""
    if polynomial:
        (middle, _), (largest, name) = polynomial[len(polynomial) // 2], polynomial[-1]
        worst = (
            f"; a case misses a false polynomial identity with probability {middle:.0e} or less in half of "
            f"the cells, {largest:.0e} or less in all ({name})"
        )
    notes = {
        EXACT: f"exact integers, bitwise (relu, max, comparisons: per sign region drawn){worst}",
        LADDER: "precision ladder: float32 against float64, no tolerance chosen by hand",
        "directly": "counts, shapes, refusals, zeros and reached outputs, compared as they are",
        "statistics": f"fresh parameters, false alarm <= {FALSE_ALARM:g} a test",
    }
    for decided, count in total.items():
        yield from textwrap.wrap(
            f"{count:>9,} cases by {notes[decided]}", WIDTH, subsequent_indent=" " * 10, drop_whitespace=True
        )
    yield from _obstacles(outcomes)


def refutations(outcomes: Sequence[Outcome], *, full: bool) -> Iterator[str]:
    """Give the smallest case of each refuted claim: the first law that refutes it, or all of them."""
    shown: set[str] = set()
    for outcome in outcomes:
        if outcome.status is Status.REFUTED_AS_DECLARED and (full or outcome.name not in shown):
            shown.add(outcome.name)
            yield ""
            yield outcome.text


def failures(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Give the whole text of everything that is not as claimed."""
    for outcome in outcomes:
        if not outcome.as_claimed:
            yield ""
            yield f"{outcome.status.upper()}: {outcome.name}, {outcome.law}"
            yield outcome.text


def totals(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Count claims, cells and cases in one line."""
    statuses = [outcome.status for outcome in outcomes]
    counted = ", ".join(
        f"{COUNTED[status]} {statuses.count(status)}" for status in Status if status in statuses
    )
    executed = sum(outcome.tally.executed for outcome in outcomes)
    outside = sum(outcome.tally.outside for outcome in outcomes)
    claims = len({outcome.name for outcome in outcomes})
    return (
        f"claims {claims}, cells {len(outcomes)} ({counted}), cases {executed:,}, "
        f"outside a domain {outside:,}, {seconds:.1f} s"
    )


def _mark(outcome: Outcome) -> str:
    if outcome.status is not Status.HOLDS:
        return MARKS[outcome.status]
    decided = outcome.tally.decided
    return "~" if decided.get(LADDER) else DECIDED[next(iter(decided))]


def _miss(outcome: Outcome) -> float | None:
    tally = outcome.tally
    exact = outcome.status is Status.HOLDS and tally.decided.get(EXACT)
    return tally.exactness.miss_probability if exact and tally.exactness else None


def _obstacles(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Say why cells went to the ladder, one line a reason."""
    claims: dict[str, set[str]] = {}
    for outcome in outcomes:
        tally = outcome.tally
        if tally.decided.get(LADDER) and tally.exactness:
            claims.setdefault(tally.exactness.obstacle, set()).add(outcome.name)
    for obstacle, names in sorted(claims.items()):
        yield f"{'':<10}ladder because {obstacle}: {', '.join(sorted(names))}"
