"""Records as text for a terminal: the matrix claim × law, how cells were decided, what was refuted."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence

from properties.cases.setting import USUAL, Setting
from properties.laws import all_laws
from properties.laws.registry import plainest_first
from properties.oracle.statistics import FALSE_ALARM
from properties.report.document import CellRecord
from properties.report.numbers import plural
from properties.report.text import LABEL
from properties.report.text import WIDTH as TEXT_WIDTH
from properties.running.looked import looked_at
from properties.running.recording import Status, as_claimed
from properties.running.request import Request
from properties.running.verdict import KNOWN, verdict
from properties.ways import WAYS, mark

WIDTH = 80
FEW = 3
"""So many claims get a verdict each, above the table."""
MARKS = {
    Status.REFUTED_AS_DECLARED: "x",
    Status.NOT_CLAIMED: "-",
    Status.DOES_NOT_APPLY: ".",
    Status.REFUTED: "!",
    Status.BREAK_NOT_FOUND: "?",
    Status.ERROR: "E",
}
COUNTED = {
    Status.HOLDS: "hold",
    Status.REFUTED_AS_DECLARED: "refuted as declared",
    Status.NOT_CLAIMED: "not claimed",
    Status.DOES_NOT_APPLY: "do not apply",
    Status.REFUTED: "REFUTED",
    Status.BREAK_NOT_FOUND: "declared break NOT FOUND",
    Status.ERROR: "ERROR",
}
LEGEND = (
    "= holds, exact   ~ holds, up to rounding   % holds, statistics   x refuted, as declared\n"
    "- fails what is not claimed   . does not apply   ! REFUTED   ? declared break NOT FOUND   E error"
)


def header(request: Request) -> str:
    """Say in one line what a run is about to do."""
    plan, laws = request.plan, request.laws or all_laws()
    cases = "new seeds" if plan.profile == "explore" else f"seed {plan.seed}"
    return (
        f"equivalence: {plural(len(request.claims), 'claim')}, {plural(len(laws), 'law')}, "
        f"profile {plan.profile}, {cases}, {request.setting}"
    )


def matrix(records: Sequence[CellRecord]) -> Iterator[str]:
    """Give the table claim × law: one line a claim, one column a law."""
    laws = list(dict.fromkeys(record.law for record in records))
    claims = list(dict.fromkeys(record.claim for record in records))
    for place, law in enumerate(laws):
        yield f"  {place + 1:>2} {law}"
    width = max(len(name) for name in [*claims, "claim"])
    yield f"{'claim':<{width}} " + "".join(f"{place + 1:>3}" for place in range(len(laws))) + "   cases"
    for claim in claims:
        row = {record.law: record for record in records if record.claim == claim}
        marks = "".join(f"{_mark(row[law]) if law in row else ' ':>3}" for law in laws)
        cases = sum(record.executed for record in row.values())
        yield f"{claim:<{width}} {marks} {cases:>7,}"
    yield LEGEND


def decisions(records: Sequence[CellRecord]) -> Iterator[str]:
    """Say how many cases each oracle decided, and what its word is worth."""
    total: dict[str, int] = {}
    for record in records:
        for decided, count in record.decided.items():
            total[decided] = total.get(decided, 0) + count
    polynomial = sorted((miss, record.claim) for record in records if (miss := _miss(record)) is not None)
    worst = ""
    if polynomial:
        (middle, _), (largest, name) = polynomial[len(polynomial) // 2], polynomial[-1]
        worst = (
            f"; a case misses a false polynomial identity with probability {middle:.0e} or less in half of "
            f"the cells, {largest:.0e} or less in all ({name})"
        )
    for decided, count in total.items():
        note = WAYS[decided].note.format(miss=worst, false_alarm=f"{FALSE_ALARM:g}")
        yield from textwrap.wrap(f"{plural(count, 'case'):>15} by {note}", WIDTH, subsequent_indent=" " * 10)
    yield from _controls(records)
    yield from _obstacles(records)


def refutations(records: Sequence[CellRecord], *, full: bool) -> Iterator[str]:
    """Give the smallest case of each claim that differs as is known: by the plainest law, or by all."""
    wrong = {record.claim for record in records if record.status == Status.REFUTED}
    known = [record for record in records if record.status in KNOWN and not _is_told_with(record, wrong)]
    for first, others in _causes(known, full=full):
        yield ""
        yield first.text
        yield from _also(others)


def failures(records: Sequence[CellRecord], *, full: bool) -> Iterator[str]:
    """Give the text of what is not as claimed: of each claim the plainest law of a cause, or all of them."""
    wrong = {record.claim for record in records if record.status == Status.REFUTED}
    told = [record for record in records if not as_claimed(record) or _is_told_with(record, wrong)]
    for first, others in _causes(told, full=full):
        yield ""
        yield f"{first.status.upper()}: {first.claim}, {first.law}"
        yield first.text
        yield from _also(others)


def verdicts(records: Sequence[CellRecord], *, fed: bool, setting: Setting = USUAL) -> Iterator[str]:
    """Say what each of a few claims came to and what was looked at, and the first of each that fails more."""
    claims: dict[str, list[CellRecord]] = {}
    for record in records:
        claims.setdefault(record.claim, []).append(record)
    for claim, cells in claims.items():
        if len(claims) <= FEW or any(cell.status == Status.NOT_CLAIMED for cell in cells):
            yield f"{claim}: {verdict(cells)}"
        if len(claims) <= FEW:
            yield from extent(cells, fed=fed, setting=setting)


def extent(records: Sequence[CellRecord], *, fed: bool, setting: Setting = USUAL) -> Iterator[str]:
    """Say what a claim was run on, and on what it was not, as a paragraph."""
    for line in looked_at(records, fed=fed, setting=setting):
        yield from textwrap.wrap(line, TEXT_WIDTH, initial_indent="  ", subsequent_indent="    ")


def totals(records: Sequence[CellRecord], seconds: float) -> str:
    """Count claims, cells and cases in one line."""
    statuses = [record.status for record in records]
    counted = ", ".join(
        f"{COUNTED[status]} {statuses.count(status)}" for status in Status if status in statuses
    )
    executed = sum(record.executed for record in records)
    outside = sum(record.outside for record in records)
    claims = len({record.claim for record in records})
    return (
        f"claims {claims}, cells {len(records)} ({counted}), cases {executed:,}, "
        f"outside a domain {outside:,}, {seconds:.1f} s"
    )


def _causes(
    records: Sequence[CellRecord], *, full: bool
) -> Iterator[tuple[CellRecord, Sequence[CellRecord]]]:
    """Give the plainest failure of each cause, and the others of that cause; each for itself where `full`."""
    ranks = {law: rank for rank, law in enumerate(plainest_first(record.law for record in records))}
    causes: dict[tuple[str, ...], list[CellRecord]] = {}
    for record in records:
        causes.setdefault((record.claim, record.law if full else _cause(record)), []).append(record)
    for alike in causes.values():
        first, *others = sorted(alike, key=lambda record: ranks[record.law])
        yield first, others


def _is_told_with(record: CellRecord, wrong: Collection[str]) -> bool:
    """Whether what is not claimed fails beside what is: one bug may show in both."""
    return record.status == Status.NOT_CLAIMED and record.claim in wrong


def _cause(record: CellRecord) -> str:
    """Say what two failures of a claim share: refutations are one, errors by what was raised, or is to do."""
    if record.status == Status.ERROR:
        return "".join(record.text.splitlines()[-1:]).rpartition("; ")[2]
    return record.law if record.status == Status.BREAK_NOT_FOUND else ""


def _also(others: Sequence[CellRecord]) -> list[str]:
    """Name the other laws that show a cause, and how each is shown."""
    if not others:
        return []
    names = ", ".join(record.law for record in others)
    return textwrap.wrap(
        f"{names} (--law {others[0].law} shows it; --all shows all)",
        TEXT_WIDTH,
        initial_indent=f"  {'also':<{LABEL}}",
        subsequent_indent=" " * (LABEL + 2),
        break_on_hyphens=False,
    )


def _mark(record: CellRecord) -> str:
    return mark(record.decided) if record.status == Status.HOLDS else MARKS[Status(record.status)]


def _miss(record: CellRecord) -> float | None:
    return record.miss_probability if record.status == Status.HOLDS else None


def _controls(records: Sequence[CellRecord]) -> Iterator[str]:
    """Say in how many cells each wrong run was told from the right one."""
    cells: dict[str, int] = {}
    for record in records:
        for control in record.controls:
            cells[control] = cells.get(control, 0) + 1
    if cells:
        told = ", ".join(f"{control} ({plural(count, 'cell')})" for control, count in cells.items())
        yield from _paragraph(f"told from the right run: {told}")


def _obstacles(records: Sequence[CellRecord]) -> Iterator[str]:
    """Say why cells went to the rounding model, one line a reason."""
    claims: dict[str, set[str]] = {}
    for record in records:
        if record.obstacle:
            claims.setdefault(record.obstacle, set()).add(record.claim)
    for obstacle, names in sorted(claims.items()):
        yield f"{'':<10}up to rounding because {obstacle}: {', '.join(sorted(names))}"


def _paragraph(text: str) -> list[str]:
    indent = " " * 10
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
