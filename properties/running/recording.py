"""What a cell came to, as plain data: the one place that knows what a passed or failed test means."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

from hypothesis.errors import Unsatisfiable

from equivalence.catalogue import CATALOGUE
from properties.cases.coverage import corners_covered, sizes_covered
from properties.cost import UncountedOperationError
from properties.judging.power import PowerlessError
from properties.refutation.counterexample import Refuted
from properties.refutation.failure import described, write
from properties.report.document import CellRecord
from properties.report.text import harmless
from properties.running.cell import Cell
from properties.running.refusals import MostlyRefusedError
from properties.ways import EXACT, ROUNDING


class Status(StrEnum):
    """What a cell came to."""

    HOLDS = "holds"
    REFUTED_AS_DECLARED = "refuted as declared"
    NOT_CLAIMED = "not claimed"
    DOES_NOT_APPLY = "does not apply"
    REFUTED = "refuted"
    BREAK_NOT_FOUND = "declared break not found"
    ERROR = "error"


FUNCTION = "forward"
"""The law without which nothing is called the same."""
NOT_THE_USERS = {
    Path(__file__).parent.parent,
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
}
"""Folders of code that no user of the suite writes."""
UNKEPT = "counterexamples cannot be kept in"
"""Begins the note of a folder that cannot be written: no verdict depends on it."""
AS_CLAIMED = {Status.HOLDS, Status.REFUTED_AS_DECLARED, Status.NOT_CLAIMED, Status.DOES_NOT_APPLY}


def as_claimed(record: CellRecord) -> bool:
    """Whether the claim's own statement was borne out."""
    return record.status in AS_CLAIMED


def unkept(records: Iterable[CellRecord]) -> dict[str, None]:
    """Say why counterexamples were not kept, once for each reason; empty where they were."""
    return dict.fromkeys(note for record in records for note in record.notes if note.startswith(UNKEPT))


def record(
    cell: Cell, name: str, seconds: float, error: BaseException | None, failures: str | None = None
) -> CellRecord:
    """Say what the test of a cell came to, by what it raised; news is written into the folder `failures`."""
    status = _status(cell, error)
    tally = cell.tally
    exact, rounded = tally.decided.get(EXACT), tally.decided.get(ROUNDING)
    if isinstance(error, Refuted) and status is Status.REFUTED and failures is not None:
        tally.notes.update(_unkept(error, failures))
    return CellRecord(
        claim=name,
        law=cell.law.name,
        status=status,
        reason=_reason(cell, status),
        executed=tally.executed,
        outside=tally.outside,
        decided={way.word: count for way, count in tally.decided.items()},
        miss_probability=tally.exactness.miss_probability if exact and tally.exactness else None,
        worst_ratio=tally.rounding_used if rounded else None,
        seconds=seconds,
        sizes=sizes_covered(tally.cases),
        corners=corners_covered(tally.cases, non_contiguous=cell.law.non_contiguous),
        counterexample=error.record if isinstance(error, Refuted) else None,
        obstacle=tally.exactness.obstacle if rounded and tally.exactness else "",
        text=_text(cell, status, error),
        controls=dict(tally.told_apart),
        notes=[*_buffers(cell), *tally.notes],
    )


def _buffers(cell: Cell) -> Iterator[str]:
    """Say which buffers of the candidate stay as they are constructed, with the law that every claim has."""
    if cell.law.name == FUNCTION and cell.tally.executed and (names := cell.judge.unnamed_buffers()):
        yield f"buffers of the candidate that carry does not name stay as constructed: {', '.join(names)}"


def unfinished(name: str, law: str, text: str) -> CellRecord:
    """Record a cell of which nothing is known but why it never came to its end."""
    return CellRecord(
        claim=name,
        law=law,
        status=Status.ERROR,
        reason="",
        executed=0,
        outside=0,
        decided={},
        miss_probability=None,
        worst_ratio=None,
        seconds=0.0,
        sizes={},
        corners=corners_covered([], non_contiguous=False),
        text=text,
    )


def _unkept(refuted: Refuted, failures: str) -> Iterator[str]:
    """Keep a counterexample in a folder; say why where that cannot be written."""
    failure = described(refuted, smallest=True)
    try:
        path = write(failure, failures)
    except OSError as error:
        yield f"{UNKEPT} {failures}: {error.strerror}"
        return
    # Nothing that a file merely names is imported: the user's own claim is named beside it.
    named = "" if failure.claim in CATALOGUE else f" --claim {failure.claim}"
    refuted.file = path.as_posix() + named if path else ""


def _status(cell: Cell, error: BaseException | None) -> Status:
    if isinstance(error, Refuted):
        if cell.beyond:
            return Status.NOT_CLAIMED
        return Status.REFUTED_AS_DECLARED if cell.declared else Status.REFUTED
    if error is not None:
        return Status.ERROR
    if cell.found_inapplicable or (not cell.tally.executed and cell.inapplicable):
        return Status.DOES_NOT_APPLY
    return Status.BREAK_NOT_FOUND if cell.declared else Status.HOLDS


def _reason(cell: Cell, status: Status) -> str:
    if status is Status.DOES_NOT_APPLY:
        return cell.inapplicable
    return cell.beyond if status is Status.NOT_CLAIMED else cell.declared


def _text(cell: Cell, status: Status, error: BaseException | None) -> str:
    if isinstance(error, Refuted):
        return str(error)
    if isinstance(error, PowerlessError | UncountedOperationError | MostlyRefusedError):
        return str(error)
    if isinstance(error, Unsatisfiable):
        return _nothing_executed(cell)
    if error is not None:
        return traced(error)
    return _not_found(cell) if status is Status.BREAK_NOT_FOUND else ""


def traced(error: BaseException) -> str:
    """Say what was raised, and where."""
    return harmless("".join(_raised(error)))


def _raised(error: BaseException) -> Iterator[str]:
    """Give where the user's code raised, in one place; all of the way where it was none of theirs."""
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours(frame.filename)]
    if not theirs:
        yield from traceback.format_exception(error)
        return
    yield from traceback.format_list(theirs[-1:])
    yield f"{type(error).__name__}: {error}\n"


def _is_ours(file: str) -> bool:
    """Whether a file is no user's: of this package, of what is installed, or of Python."""
    return any(Path(file).is_relative_to(folder) for folder in NOT_THE_USERS)


def _nothing_executed(cell: Cell) -> str:
    return (
        f"{cell.domain.name} under {cell.law.name}: at least one case is executed, but the reference "
        f"refused all {cell.tally.outside} that were drawn, the first with {cell.tally.refusal}; widen "
        "the domain"
    )


def _not_found(cell: Cell) -> str:
    return (
        f"{cell.domain.name} declares that it breaks {cell.law.name} ({cell.declared}), but "
        f"{cell.tally.executed} cases agree; take the declaration away, or widen the domain until it shows"
    )
