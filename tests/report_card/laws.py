"""Time per case of every law beside the forms' own time, over a spread of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from equivalence.catalogue import CATALOGUE
from properties.benchmarking.contenders import contenders, training_step
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.setting import Setting
from properties.laws import LAWS
from properties.running.cell import Cell, Plan
from properties.running.suites import cells
from tests.report_card.timing import Seconds, Spread, Step, side_by_side, spread

CLAIMS = (
    "two-d-fc",
    "two-d-fc-flatten-matmul",
    "n-d-linear",
    "n-d-linear-einsum",
    "masked-where",
    "local",
    "shared-unrolled",
    "parallel-wide",
    "identity-linear",
    "init-kaiming-uniform",
)
"""At least one of every family of the catalogue."""
DOUBLE = Setting()
RUN, DECIDE, OWN = "run", "decide", "own"
Timed = tuple[int, Seconds]
"""How many cases, and the seconds of all of them together."""
BUDGET, ROUNDS = 0.0, 2
"""No seconds beyond those of the least rounds: there are many cells."""


@dataclass(frozen=True)
class LawCost:
    """What one law takes for a case, over all claims and rounds; ratios are to the forms' own time."""

    law: str
    claims: int
    cases: int
    milliseconds: Spread
    run: Spread
    """The whole test: drawing the case, tracing once, deciding."""
    decide: Spread
    """Deciding alone."""


def timed(name: str, laws: Sequence[str] | None, rounds: int) -> dict[str, Timed]:
    """Time one claim of the catalogue under these laws, or under all that hold of it."""
    return {cell.law.name: _timed(cell, rounds) for cell in _holding(name, laws)}


def law_costs(claims: Sequence[dict[str, Timed]]) -> Iterator[LawCost]:
    """Put the claims together, law by law."""
    for law in LAWS:
        if parts := [claim[law] for claim in claims if law in claim]:
            yield _law_cost(law, parts)


def _holding(name: str, laws: Sequence[str] | None) -> list[Cell]:
    """Give a claim's cells that apply and hold: a refuted one would time the search for its smallest case."""
    paired = cells(Domain(CATALOGUE[name]), laws)
    return [cell for cell in paired if not cell.inapplicable and not cell.declared]


def _timed(cell: Cell, rounds: int) -> Timed:
    """Give the cases of a cell's run, and the seconds of the run, of deciding them, and of their forms."""
    cell.test(Plan())()
    drawn = list(cell.tally.cases)
    own = [step for case in drawn for step in own_steps(case)]
    steps: dict[str, Step] = {
        RUN: partial(_run, cell),
        DECIDE: lambda: [cell.judge.verdict(case) for case in drawn],
        OWN: lambda: [step() for step in own],
    }
    return len(drawn), side_by_side(steps, BUDGET, rounds)


def _run(cell: Cell) -> None:
    """Test a claim under a law as the command does, with nothing traced yet."""
    Cell(cell.domain, cell.law).test(Plan())()


def own_steps(case: Case) -> list[Step]:
    """Give one forward and backward of each form, in float64, already built and filled."""
    return [training_step(form) for form in contenders({"candidate": case}, DOUBLE)]


def _law_cost(law: str, parts: Sequence[Timed]) -> LawCost:
    ratios = {
        name: np.concatenate([seconds[name] / seconds[OWN] for _, seconds in parts]) for name in (RUN, DECIDE)
    }
    return LawCost(
        law,
        len(parts),
        sum(count for count, _ in parts),
        spread(np.concatenate([seconds[RUN] / count * 1e3 for count, seconds in parts])),
        spread(ratios[RUN]),
        spread(ratios[DECIDE]),
    )
