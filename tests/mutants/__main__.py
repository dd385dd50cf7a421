"""Try every mutant, and print or write two tables: what each law rejects first, and every mutant."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties.circumstances.registry import told_of
from properties.laws import LAWS
from properties.report.files import write_whole
from properties.report.live import LiveLine
from properties.running.profiles import GATE_EXAMPLES
from tests.mutants import MUTANTS
from tests.mutants.planted import SEEN_IN, mutated
from tests.mutants.trial import SEEDS, cell_of, declared, rejected_earlier, rejection

HEADING = (
    "# Mutants\n\nClaims with one planted bug each, and the law that sees it first, apart from laws that the "
    f"mutated claim itself breaks;\n{SEEDS} seeds each. Written by `python -m tests.mutants --write "
    "docs/mutants.md`, which tries them all again."
)


@dataclass(frozen=True)
class Trial:
    """A mutant, the law before its own that rejects it (none should), and the cases that each seed took."""

    mutant: type[Equivalence]
    earlier: str
    counts: Sequence[int | None]

    @property
    def law(self) -> str:
        return declared(self.mutant)

    @property
    def rejected(self) -> list[int]:
        return [count for count in self.counts if count is not None]

    @property
    def as_declared(self) -> bool:
        return not self.earlier and len(self.rejected) == len(self.counts)


def tried(mutant: type[Equivalence]) -> Trial:
    """Try a mutant under the laws before its own once, and under its own with every seed."""
    cell = cell_of(mutant, declared(mutant))
    counts = [rejection(cell, number) for number in range(SEEDS)]
    return Trial(mutant, rejected_earlier(mutant), counts)


def by_law(trials: Sequence[Trial]) -> Iterator[str]:
    """Give the table law × mutants."""
    yield "| law | rejected first by it | mutants |"
    yield "|---|---|--:|"
    for law in LAWS:
        names = [trial.mutant.__name__ for trial in trials if trial.law == law and trial.as_declared]
        yield f"| {law} | {', '.join(names)} | {len(names)} |"


def by_mutant(trials: Sequence[Trial]) -> Iterator[str]:
    """Give one line a mutant."""
    yield "| mutant | of | planted | first rejected by | seeds | median cases |"
    yield "|---|---|---|---|--:|--:|"
    for trial in trials:
        cases = f"{median(trial.rejected):g}" if trial.rejected else ""
        first = f"{trial.earlier}, not {trial.law}" if trial.earlier else trial.law
        if planted_for := SEEN_IN.get(trial.mutant.__name__, ())[:1]:
            first += f", {told_of(planted_for)}"
        yield (
            f"| {trial.mutant.__name__} | {_name(mutated(trial.mutant))} | {trial.mutant.breaks[trial.law]} "
            f"| {first} | {len(trial.rejected)}/{len(trial.counts)} | {cases} |"
        )


def total(trials: Sequence[Trial]) -> str:
    """Say how many mutants were rejected as declared."""
    right = sum(trial.as_declared for trial in trials)
    seeds = sum(len(trial.rejected) for trial in trials)
    late = sum(count > GATE_EXAMPLES for trial in trials for count in trial.rejected)
    return (
        f"{right} of {len(trials)} mutants are rejected first by the law declared, in all of {SEEDS} seeds: "
        f"{seeds:,} of {SEEDS * len(trials):,} runs,\n{late} of them beyond the {GATE_EXAMPLES} cases of the "
        "gate, within those that the explore profile draws."
    )


def main() -> int:
    """Try all mutants, print or write the page; 1 where one is not rejected as declared."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page instead of printing it")
    destination = parser.parse_args().write
    torch.set_num_threads(1)
    trials, line = [], LiveLine()
    for done, mutant in enumerate(MUTANTS.values()):
        line.count(done, len(MUTANTS), mutant.__name__)
        trials.append(tried(mutant))
    line.write("")
    lines = [HEADING, "", total(trials), "", *by_law(trials), "", *by_mutant(trials)]
    if destination:
        write_whole("\n".join(lines) + "\n", destination)
    print("\n".join(lines) if not destination else total(trials))
    return 0 if all(trial.as_declared for trial in trials) else 1


def _name(claim: type[Equivalence]) -> str:
    """Give a claim's name in the catalogue, or its class's."""
    return next((name for name, one in CATALOGUE.items() if one is claim), claim.__name__)


if __name__ == "__main__":
    sys.exit(main())
