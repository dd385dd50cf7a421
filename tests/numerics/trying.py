"""How a pair is tried: its laws over a number of run seeds, and what they came to."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from equivalence.claim import Equivalence
from properties.cases.domain import Domain
from properties.cases.setting import USUAL, Setting
from properties.laws import LAWS
from properties.running.cell import Cell
from properties.running.profiles import GATE_EXAMPLES
from tests.mutants.trial import rejection
from tests.numerics import ALSO, NO_SECOND_DERIVATIVE, REFUTED_BY, RIGHT, WRONG

FUNCTION = (
    "forward",
    "input_gradient",
    "parameter_gradient",
    "second_derivative",
    "rows",
    "layout",
    "modes",
    "state",
)
"""The laws of the function and of its circumstances."""
SIDES = {"right": RIGHT, "wrong": WRONG}


@dataclass
class Outcome:
    """What the laws of one pair came to."""

    side: str
    name: str
    seeds: int
    cases: int = 0
    refuted: int = 0
    """The runs of a law that refuted a right pair, or the seeds in which a wrong one was found."""
    first: str = ""
    """How the first counterexample differs, or the error that ended a law."""
    seconds: float = 0.0

    @property
    def expected(self) -> bool:
        """Whether a right pair held everywhere, or a wrong one was found in every seed."""
        return self.refuted == (0 if self.side == "right" else self.seeds) and not self.first.startswith(
            "error"
        )

    def add(self, cell: Cell, seed: int, examples: int) -> bool:
        """Try one law in one seed, and say whether it refutes the pair."""
        try:
            refutes = rejection(cell, seed, examples) is not None
            difference = str(cell.judge.verdict(cell.tally.cases[-1]).difference) if refutes else ""
        except Exception as error:  # noqa: BLE001  (whatever it is, the table says so)
            refutes, difference = False, f"error: {type(error).__name__}: {error}"
        self.cases += cell.tally.executed
        if difference and (refutes or not self.first):
            self.first = self.first or f"{difference} ({cell.law.name}, seed {seed})".replace("\n", " ")
        return refutes


def laws_of(side: str, name: str) -> Iterable[str]:
    """Name the laws that a pair is tried under: those that exist, and apply."""
    if side == "wrong":
        return [law for law in REFUTED_BY[name] if law in LAWS]
    laws = (*FUNCTION, *ALSO.get(name, ()))
    return [law for law in laws if law != "second_derivative" or name not in NO_SECOND_DERIVATIVE]


def cells(side: str, name: str, setting: Setting = USUAL) -> list[Cell]:
    claim: type[Equivalence] = SIDES[side][name]
    tried = [Cell(Domain(claim, setting=setting), LAWS[law]) for law in laws_of(side, name)]
    return [cell for cell in tried if not cell.inapplicable]


def tried(  # noqa: PLR0913  (a pair, and all about how it is tried)
    side: str,
    name: str,
    seeds: Iterable[int],
    examples: int = GATE_EXAMPLES,
    laws: Collection[str] = (),
    *,
    setting: Setting = USUAL,
) -> Outcome:
    """Try a right pair under all its laws, or these, a wrong one until a law refutes it, in every seed."""
    outcome = Outcome(side, name, len(list(seeds)))
    began = time.perf_counter()
    of_pair = [cell for cell in cells(side, name, setting) if not laws or cell.law.name in laws]
    for seed in seeds:
        results = (outcome.add(cell, seed, examples) for cell in of_pair)
        outcome.refuted += any(results) if side == "wrong" else sum(list(results))
    outcome.seconds = time.perf_counter() - began
    return outcome
