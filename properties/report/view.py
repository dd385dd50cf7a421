"""A report in the order in which it is read: what is not as claimed first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from properties.report.document import CellRecord, ClaimRecord, LawRecord, Report
from properties.report.numbers import plural
from properties.report.words import NOT_CLAIMED, REFUTED_AS_DECLARED, STATUSES, StatusWord, mark

GROUPS = ("Not as claimed", "As claimed, with breaks declared or not claimed", "As claimed")
"""In the order of a row's urgency."""


@dataclass(frozen=True)
class CellView:
    """A cell with all that its dialog says."""

    identifier: str
    claim: ClaimRecord
    law: LawRecord
    record: CellRecord

    @property
    def status(self) -> StatusWord:
        """The status with its mark and colour."""
        return STATUSES[self.record.status]

    @property
    def mark(self) -> str:
        """The letter in the matrix."""
        return mark(self.record.status, self.record.decided)

    @property
    def link(self) -> str:
        """The part of the address after #: claim/law."""
        return f"{quote(self.claim.name, safe='')}/{quote(self.law.name, safe='')}"

    @property
    def spoken(self) -> str:
        """What a screen reader says of the cell."""
        cases = f", {plural(self.record.executed, 'case')}" if self.record.executed else ""
        return f"{self.claim.name}, {self.law.name}: {self.record.status}{cases}"


@dataclass(frozen=True)
class Row:
    """A claim and its cells, none where a law was not checked."""

    claim: ClaimRecord
    cells: Sequence[CellView | None]

    @property
    def group(self) -> int:
        """Which of the groups the row belongs to."""
        statuses = [cell.status for cell in self.cells if cell]
        if not all(status.as_claimed for status in statuses):
            return 0
        broken = (REFUTED_AS_DECLARED, NOT_CLAIMED)
        return 1 if any(status.name in broken for status in statuses) else 2


@dataclass(frozen=True)
class Segment:
    """A status with its number of cells, and its part of the bar above the matrix."""

    status: StatusWord
    cells: int
    start: float
    width: float
    """In percent."""


def groups(report: Report) -> dict[str, list[Row]]:
    """Give the rows by urgency; ValueError where a cell is of no claim or law that is listed."""
    rows = _rows(report)
    sorted_rows = {title: [row for row in rows if row.group == place] for place, title in enumerate(GROUPS)}
    return {title: members for title, members in sorted_rows.items() if members}


def segments(report: Report) -> Iterator[Segment]:
    """Give the statuses that occur, the most urgent first."""
    cells = Counter(cell.status for cell in report.cells)
    start = 0.0
    for name, status in STATUSES.items():
        if cells[name]:
            width = 100 * cells[name] / cells.total()
            yield Segment(status, cells[name], start, width)
            start += width


def verdict(report: Report) -> str:
    """Say in one sentence what the run came to."""
    wrong = sum(not STATUSES[cell.status].as_claimed for cell in report.cells)
    if wrong:
        return (
            f"{wrong:,} of {plural(len(report.cells), 'cell')} {'is' if wrong == 1 else 'are'} not as claimed"
        )
    if not report.cells:
        return "Nothing was checked"
    return "Everything is as claimed" if report.complete else "Everything checked so far is as claimed"


def missing(report: Report) -> int:
    """Count the cells of the matrix that were not checked."""
    return len(report.claims) * len(report.laws) - len(report.cells)


def _rows(report: Report) -> list[Row]:
    cells = {(cell.claim, cell.law): cell for cell in report.cells}
    rows = [_row(place, claim, report.laws, cells) for place, claim in enumerate(report.claims)]
    if sum(cell is not None for row in rows for cell in row.cells) != len(report.cells):
        listed = {(claim.name, law.name) for claim in report.claims for law in report.laws}
        message = (
            f"each cell is of one listed claim and one listed law, but got {len(report.cells)} cells, "
            f"{sorted(set(cells) - listed)} not listed; list these, and give each cell once"
        )
        raise ValueError(message)
    return rows


def _row(
    place: int,
    claim: ClaimRecord,
    laws: Sequence[LawRecord],
    cells: Mapping[tuple[str, str], CellRecord],
) -> Row:
    views: list[CellView | None] = []
    for column, law in enumerate(laws):
        record = cells.get((claim.name, law.name))
        views.append(CellView(f"cell-{place}-{column}", claim, law, record) if record else None)
    return Row(claim, views)
