"""Claims × laws -> outcomes: the run behind the command line."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hypothesis.errors import Unsatisfiable

from equivalence.variable import ClaimError
from properties.cell import Cell, Plan
from properties.counterexample import Refuted


class Status(StrEnum):
    """What a cell came to."""

    HOLDS = "holds"
    REFUTED_AS_DECLARED = "refuted as declared"
    DOES_NOT_APPLY = "does not apply"
    REFUTED = "refuted"
    BREAK_NOT_FOUND = "declared break not found"
    ERROR = "error"


AS_CLAIMED = {Status.HOLDS, Status.REFUTED_AS_DECLARED, Status.DOES_NOT_APPLY}


@dataclass(frozen=True)
class Outcome:
    """A cell, what it came to, and the text that says why."""

    name: str
    cell: Cell
    status: Status
    text: str = ""

    @property
    def as_claimed(self) -> bool:
        """Whether the claim's own statement was borne out."""
        return self.status in AS_CLAIMED


Progress = Callable[[int, int, str, str], None]
"""(cells done, cells in all, claim, law) -> None."""


def verify(
    cells: Sequence[tuple[str, Cell]], plan: Plan, progress: Progress = lambda *_: None
) -> Iterable[Outcome]:
    """Run every cell in order."""
    for done, (name, cell) in enumerate(cells):
        progress(done, len(cells), name, cell.law.name)
        yield outcome(name, cell, plan)


def outcome(name: str, cell: Cell, plan: Plan) -> Outcome:
    """Run one cell; ClaimError for a claim that cannot be checked as written."""
    if cell.inapplicable:
        return Outcome(name, cell, Status.DOES_NOT_APPLY, cell.inapplicable)
    try:
        cell.test(plan)()
    except Refuted as refuted:
        return Outcome(
            name, cell, Status.REFUTED_AS_DECLARED if cell.declared else Status.REFUTED, str(refuted)
        )
    except Unsatisfiable:
        return Outcome(name, cell, Status.ERROR, _nothing_executed(cell))
    except ClaimError:
        raise
    except Exception:  # noqa: BLE001  (a crash is no counterexample: it is reported as an error of this cell)
        return Outcome(name, cell, Status.ERROR, traceback.format_exc())
    if cell.declared:
        return Outcome(name, cell, Status.BREAK_NOT_FOUND, _not_found(cell))
    return Outcome(name, cell, Status.HOLDS)


def _nothing_executed(cell: Cell) -> str:
    return (
        f"{cell.domain.name} under {cell.law.name}: at least one case is executed, but the reference "
        f"refused all {cell.tally.outside} that were drawn, the last with {cell.tally.refusal}; widen "
        "the domain"
    )


def _not_found(cell: Cell) -> str:
    return (
        f"{cell.domain.name} declares that it breaks {cell.law.name} ({cell.declared}), but "
        f"{cell.tally.executed} cases agree; take the declaration away, or widen the domain until it shows"
    )
