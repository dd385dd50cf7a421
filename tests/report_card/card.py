"""Everything that the page is made of: measurements, and where they were made."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from properties.running.threads import threads_set
from tests.report_card import finding, growth, laws, pairs, scaling
from tests.report_card.finding import EVERYTHING, Effort, Held, Tried
from tests.report_card.growth import Grown
from tests.report_card.laws import LawCost
from tests.report_card.pairs import Judged
from tests.report_card.scaling import Scaled

Progress = Callable[[str], None]
Part = TypeVar("Part")
EVERY = 10


@dataclass(frozen=True)
class Card:
    """What was measured."""

    machine: str
    laws: Sequence[LawCost]
    grown: Sequence[Grown]
    scaled: Sequence[Scaled]
    tried: Sequence[Tried]
    held: Sequence[Held]
    judged: Sequence[Judged]
    pair_examples: int
    """Cases of a law that this suite tried of a right pair."""


@dataclass(frozen=True)
class Extent:
    """How much is measured: the whole, or a little of everything."""

    claims: Sequence[str] = laws.CLAIMS
    law_names: Sequence[str] | None = None
    law_rounds: int = laws.ROUNDS
    layers: tuple[str, ...] = tuple(growth.LAYERS)
    sizes: int | None = None
    """Of each layer, so many sizes from the smallest; None takes all."""
    budget: float = growth.BUDGET
    counts: Sequence[int] = scaling.COUNTS
    repeats: int = scaling.REPEATS
    effort: Effort = EVERYTHING
    mutants: list[str] | None = None
    right: list[str] | None = None
    pairs: list[str] | None = None
    """Of tests/numerics; None takes all."""


QUICK = Extent(
    claims=("n-d-linear-flatten",),
    law_names=("forward", "rejects"),
    law_rounds=2,
    layers=("n-d-linear-flatten",),
    sizes=2,
    budget=0.05,
    counts=(1,),
    repeats=1,
    effort=Effort(seeds=1, right_seeds=2, hypothesis_seeds=1, examples=2, pair_seeds=1, pair_examples=2),
    mutants=["DetachesInput", "CastsInput"],
    right=["two-d-fc"],
    pairs=["SoftmaxFromLogarithm", "CutAtFifty"],
)


def measured(extent: Extent, progress: Progress) -> Card:
    """Measure everything, one part after the other: nothing else runs beside what is timed."""
    layers = {name: growth.LAYERS[name][: extent.sizes] for name in extent.layers}
    with threads_set(1):
        timed = (laws.timed(name, extent.law_names, extent.law_rounds) for name in extent.claims)
        costs = list(laws.law_costs(list(_told(timed, "claims timed law by law", progress))))
        grown = growth.grown(layers, extent.budget, growth.ROUNDS)
        sizes = list(_told(grown, "sizes of layers timed", progress))
        scaled = scaling.scaled(extent.counts, extent.repeats)
        verified = list(_told(scaled, "runs of numbers of claims timed", progress))
        mutants = list(_told(finding.tried(extent.effort, extent.mutants), "mutants tried", progress))
        right = list(_told(finding.held(extent.effort, extent.right), "right forms held", progress))
        judged = list(_told(pairs.judged(extent.effort, extent.pairs), "pairs judged", progress))
    return Card(
        machine=machine(),
        laws=costs,
        grown=_flat(sizes),
        scaled=verified,
        tried=_flat(mutants),
        held=_flat(right),
        judged=_flat(judged),
        pair_examples=extent.effort.pair_examples,
    )


def _told(parts: Iterator[Part], what: str, progress: Progress) -> Iterator[Part]:
    """Give the parts, and tell of the first few and then of every tenth that it is done."""
    for number, part in enumerate(parts, start=1):
        yield part
        if number < EVERY or number % EVERY == 0:
            progress(f"{number} {what}")


def _flat(lists: Sequence[list[Part]]) -> list[Part]:
    return [one for some in lists for one in some]


def machine() -> str:
    """Name the processor's kind and number, and the versions, of where this runs."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor() or platform.machine()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{model} (cores: {os.cpu_count()}), {versions}"
