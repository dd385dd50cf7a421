"""How a mutant is tried: which laws reject it, and how many cases each seed takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import Phase, example, given, seed, settings

from equivalence.claim import Equivalence
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.circumstances import CIRCUMSTANCES
from properties.judging.tally import Tally
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import CORNERED, Cell, Plan
from properties.running.corners import Corners
from properties.running.profiles import EXPLORE_EXAMPLES, GATE_EXAMPLES
from tests.mutants.planted import SEEN_IN, mutated

SEEDS = 20
PLAINEST = tuple(f"not {name}" for name in CIRCUMSTANCES)


def declared(mutant: type[Equivalence]) -> str:
    """Name the law that must see the mutant first."""
    (law,) = mutant.breaks
    return law


class FoundError(BaseException):
    """Ends a run at its first counterexample: Hypothesis neither replays nor shrinks what is no Exception."""


def rejection(cell: Cell, number: int, most: int | None = None) -> int | None:
    """Count the cases up to the first refuted, in a run with this seed; None if all agree.

    Cases are drawn in the plainest use: a mutant that is right in it is given as many as in the gate, and
    then what a run in explore draws.
    """
    if most is None and cell.domain.name in SEEN_IN:
        found = _rejected(cell, number, Plan(examples=GATE_EXAMPLES))
        return found or _rejected(cell, number, Plan("explore", EXPLORE_EXAMPLES))
    return _rejected(cell, number, Plan(examples=most or EXPLORE_EXAMPLES))


def _rejected(cell: Cell, number: int, plan: Plan) -> int | None:
    counted = 0
    # What an earlier run of this cell has tried does not count.
    cell.tally, cell.refuted = Tally(plainest=cell.domain.under), False
    cell.alike_as_distributions.clear()

    def check(case: Any) -> None:
        nonlocal counted
        counted += 1
        try:
            cell.check(case)
        except Refuted as refuted:
            raise FoundError from refuted

    test = given(case=cell.drawn(plan))(check)
    for case in _first(cell, number):
        test = example(case=case)(test)
    chosen = settings(plan.settings(cell.law), phases=[Phase.explicit, Phase.generate], database=None)
    try:
        seed(number)(chosen(test))()
    except FoundError:
        return counted
    return _in_corners(cell, counted, number)


def _in_corners(cell: Cell, counted: int, number: int) -> int | None:
    """Try what no drawn case had, as a run of the cell does, and count on."""
    if Plan().settings(cell.law).max_examples < CORNERED:
        return None
    before = cell.tally.executed
    try:
        cell.try_corners(Corners(cell.domain, number))
    except Refuted:
        return counted + cell.tally.executed - before
    return None


def _first(cell: Cell, number: int) -> list[Case]:
    """Give the cases that every run of a law begins with, from seeds of their own, the last one first."""
    if cell.law.decided.as_a_whole:
        return [replace(case, seed=case.seed + cell.law.variants * number) for case in cell.examples()]
    if cell.law.decided.wide:
        wide = enumerate(cell.domain.wide())
        # Hypothesis runs the example given last first.
        return [replace(case, seed=SEEDS * place + number) for place, case in wide][::-1]
    return []


def cell_of(mutant: type[Equivalence], law: str) -> Cell:
    """Pair a mutant with a law, in the circumstance that it is planted for where no gate tries that."""
    asked = [name for name in SEEN_IN.get(mutant.__name__, ())[:1] if CIRCUMSTANCES[name].tried != "gate"]
    return Cell(Domain(mutant, {"under": asked}), LAWS[law])


def rejected_earlier(mutant: type[Equivalence]) -> str:
    """Name a law before the declared one that rejects the mutant, and not the claim that it mutates.

    In the plainest use, but for mutants of circumstances.
    """
    for law in LAWS:
        if law == declared(mutant):
            break
        # What a law about a circumstance sees, forward sees in it too.
        plainest = None if mutant.__name__ in SEEN_IN else {"under": PLAINEST}
        cell = Cell(Domain(mutant, plainest), LAWS[law]) if plainest else cell_of(mutant, law)
        if law in mutated(mutant).breaks or cell.inapplicable:
            continue
        if rejection(cell, 0, GATE_EXAMPLES) is not None:
            return law
    return ""
