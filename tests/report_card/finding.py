"""What this suite and the usual ways find of the mutants, how fast, and which right forms they reject."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

import torch

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties.cases.domain import Domain
from properties.refutation.counterexample import Refuted
from properties.running.cell import Plan
from properties.running.profiles import GATE_EXAMPLES
from properties.running.suites import cells
from tests.mutants import MUTANTS
from tests.mutants.trial import cell_of, declared, rejection
from tests.report_card.timing import CLOCK
from tests.report_card.ways import WAYS, one_size, published_size, random_shapes

PRODUCT = "this suite"
PUBLISHED = "one size, the published one"
"""Tried on right forms alone: a mutant need not have a size of its own."""
FUNCTION_LAWS = ("forward", "input_gradient", "parameter_gradient", "second_derivative")
"""What a form computes and its derivatives: all that the usual ways look at."""
SEEDS = 2
"""Seeds of every way for a mutant."""
RIGHT_SEEDS = 100
HYPOTHESIS_SEEDS = 5
"""Runs of a way that draws 100 shapes and values in each."""
PAIR_SEEDS = 2
"""Seeds of every way for a pair with hard numerics."""
WORKERS = 2

Found = TypeVar("Found")


@dataclass(frozen=True)
class Effort:
    """How many seeds are spent."""

    seeds: int = SEEDS
    right_seeds: int = RIGHT_SEEDS
    hypothesis_seeds: int = HYPOTHESIS_SEEDS
    examples: int | None = None
    """Cases of a law for a right form; None takes those of the gate."""
    pair_seeds: int = PAIR_SEEDS
    pair_examples: int = GATE_EXAMPLES
    """Cases of a law for a right pair with hard numerics."""


EVERYTHING = Effort()


@dataclass(frozen=True)
class Tried:
    """One mutant under one way: of its runs, those that found it, and the seconds of each of these."""

    mutant: str
    law: str
    way: str
    runs: int
    seconds: tuple[float, ...]

    @property
    def found(self) -> float:
        """The share of runs that found it."""
        return len(self.seconds) / self.runs


@dataclass(frozen=True)
class Held:
    """One right form under one way: how many runs rejected it."""

    claim: str
    way: str
    runs: int
    rejected: int


def tried(effort: Effort, names: list[str] | None = None) -> Iterator[list[Tried]]:
    """Try every mutant under every way, mutant by mutant."""
    yield from spread_out(partial(tried_mutant, effort.seeds), list(MUTANTS) if names is None else names)


def held(effort: Effort, names: list[str] | None = None) -> Iterator[list[Held]]:
    """Run every right form under every way, claim by claim."""
    yield from spread_out(partial(held_claim, effort), right_claims() if names is None else names)


def right_claims() -> list[str]:
    """Name the claims of the catalogue whose forms are the same function with the same derivatives."""
    return [name for name, claim in CATALOGUE.items() if not claim.breaks.keys() & {*FUNCTION_LAWS}]


def tried_mutant(seeds: int, name: str) -> list[Tried]:
    """Try one mutant under the law declared for it, and under the usual ways."""
    mutant = MUTANTS[name]
    law = declared(mutant)
    runs = {way: [_timed(way, mutant, number) for number in range(seeds)] for way in (PRODUCT, *WAYS)}
    return [
        Tried(name, law, way, len(taken), tuple(seconds for found, seconds in taken if found))
        for way, taken in runs.items()
    ]


def held_claim(effort: Effort, name: str) -> list[Held]:
    """Run one right form under every law that it does not declare broken, and under the usual ways."""
    claim = CATALOGUE[name]
    verdicts = [_refuted(name, law, effort.examples) for law in _laws_of(claim)]
    found = [Held(name, PRODUCT, len(verdicts), sum(verdicts))]
    for way, test in WAYS.items():
        runs = effort.hypothesis_seeds if test is random_shapes else effort.right_seeds
        found.append(Held(name, way, runs, sum(test(claim, number) for number in range(runs))))
    rejected = sum(published_size(name, number) for number in range(effort.right_seeds))
    return [*found, Held(name, PUBLISHED, effort.right_seeds, rejected)]


def _timed(way: str, mutant: type[Equivalence], number: int) -> tuple[bool, float]:
    """Say whether one run finds a mutant, and in how many seconds of processor time."""
    found: list[bool] = []

    def run() -> None:
        if way == PRODUCT:
            found.append(rejection(cell_of(mutant, declared(mutant)), number) is not None)
        else:
            found.append(WAYS[way](mutant, number))

    seconds = CLOCK.seconds(run, 1)
    return found[0], seconds


def _laws_of(claim: type[Equivalence]) -> list[str]:
    return [cell.law.name for cell in cells(Domain(claim)) if not cell.declared and not cell.inapplicable]


def _refuted(name: str, law: str, examples: int | None) -> bool:
    (cell,) = cells(Domain(CATALOGUE[name]), [law])
    try:
        cell.test(Plan(examples=examples))()
    except Refuted:
        return True
    return False


def spread_out(measure: Callable[[str], list[Found]], names: list[str]) -> Iterator[list[Found]]:
    """Measure in processes of one thread each: processor time is their own."""
    if len(names) <= WORKERS:
        yield from map(measure, names)
        return
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), _warm) as pool:
        yield from pool.map(measure, names)


def _warm() -> None:
    """Keep a process to one thread, and let torch load what the first run of anything loads."""
    torch.set_num_threads(1)
    mutant = next(iter(MUTANTS.values()))
    rejection(cell_of(mutant, declared(mutant)), 0)
    one_size(mutant, 0)
