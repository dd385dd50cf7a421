"""Which claim is trained alike by which optimiser: `python -m tests.training_table --write FILE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from hypothesis import HealthCheck, Phase, given, settings

from equivalence.catalogue import CATALOGUE
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.generators import generator_state
from properties.cases.sample import OutsideDomainError, Sample
from properties.cases.strategies import cases
from properties.judging.judge import Judge
from properties.judging.numbers import DOUBLE
from properties.judging.power import controls_told
from properties.laws import LAWS
from properties.laws.recipes import ADAFACTOR, MUON, RECIPES, Recipe
from properties.laws.registry import Controlled, Law
from properties.laws.training import STEPS, controlled, trained, wrong_runs
from properties.report.files import write_whole
from properties.report.live import LiveLine
from properties.running.cell import Cell

LAW_OF = (
    *((recipe, "training") for recipe in RECIPES),
    (ADAFACTOR, "training_adafactor"),
    (MUON, "training_muon"),
)
"""Every recipe, and the law that runs it."""
CASES = 4
"""Cases in which a claim must hold, for each recipe; a break may take MOST_CASES to show."""
MOST_CASES = 60
SEEDS = 100
CONTROLLED = "n-d-linear-flatten"
"""The claim, trained alike by every optimiser, that the controls are measured on."""
TIED = "shared-unrolled"
HEADING = f"""# Training

{STEPS} steps on both forms from carried weights, each step with a target of its own: do the weights still
correspond, carry(θ_k) = θ'_k, and are the losses equal? The laws `training`, `training_adafactor` and
`training_muon` ask it of every claim; their verdicts are reached up to rounding. Written by
`make training-table`, which asks every claim about every way to train, one by one.

Adafactor and Muon take a step as large however small its gradient is, and would enlarge what rounding leaves
of a gradient that is 0. So before each of their steps, on both forms, an entry below eps^(2/3) of the step's
largest, or of 1, is set to 0: 3.7e-11 in float64. torch's Muon computes in bfloat16 inside: it sees two to
three digits of a gradient, and leaves the rest to the other optimisers.
"""
KEY = "`=` trained alike  `x` trained apart, as declared  `.` does not apply  **!** not as declared"


@dataclass(frozen=True)
class Row:
    """A claim, and what each recipe came to: its mark, and the cases it took."""

    claim: str
    marks: Sequence[str]
    right_runs: int


def drawn(domain: Domain, count: int) -> list[Case]:
    """Draw cases as a run does: wide ones of several rows first, then small ones of every size."""
    found = list(islice(Cell(domain, LAWS["training_adafactor"]).examples(), 2))

    def collect(case: Case) -> None:
        found.append(case)

    test = given(case=cases(domain))(collect)
    plan = settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    plan(test)()
    return found


def row(name: str) -> Row:
    """Ask one claim about every recipe."""
    domain = Domain(CATALOGUE[name])
    pool = drawn(domain, MOST_CASES)
    asked = [_asked(domain, LAWS[law], recipe, pool) for recipe, law in LAW_OF]
    return Row(name, [mark for mark, _ in asked], sum(runs for _, runs in asked))


def _asked(domain: Domain, law: Law, recipe: Recipe, pool: Sequence[Case]) -> tuple[str, int]:
    """Give the mark of a claim under a recipe, and how many runs agreed where all must."""
    if law.needs(domain.exemplar):
        return ".", 0
    declared = law.name in domain.claim.breaks
    judge, held = Judge(domain, law), 0
    number = RECIPES.index(recipe) if law.variants > 1 else 0
    for place, case in enumerate(pool):
        try:
            verdict = judge.verdict(replace(case, seed=number + place * law.variants))
        except OutsideDomainError:
            continue
        if not verdict.holds:
            return ("x" if declared else "**!**"), held
        held += 1
        if held == CASES and not declared:
            return "=", held
    return ("**!**" if declared else "="), held


def verdicts(rows: Sequence[Row]) -> Iterator[str]:
    """Give the table claim × recipe, and what its columns are."""
    yield from (f"{place}. {recipe.name}" for place, (recipe, _) in enumerate(LAW_OF, start=1))
    yield from ("", KEY, "")
    yield "| claim | " + " | ".join(str(place) for place in range(1, len(LAW_OF) + 1)) + " |"
    yield "|---|" + ":-:|" * len(LAW_OF)
    yield from (f"| `{row.claim}` | " + " | ".join(row.marks) + " |" for row in rows)


def reasons() -> Iterator[str]:
    """Say why each claim is trained apart, one line for each reason."""
    for name, claim in CATALOGUE.items():
        laws: dict[str, list[str]] = {}
        for law in dict.fromkeys(law for _, law in LAW_OF):
            if law in claim.breaks:
                laws.setdefault(claim.breaks[law], []).append(f"`{law}`")
        yield from (f"* `{name}`, {', '.join(named)}: {reason}" for reason, named in laws.items())


def told_apart(recipe: Recipe, seeds: int) -> dict[str, tuple[int, int]]:
    """Count how often each wrong run of a recipe was told from the right one, and how often it was tried."""
    domain = Domain(CATALOGUE[CONTROLLED])
    firsts = list(Cell(domain, LAWS["training"]).examples())
    counted = dict.fromkeys(wrong_runs(recipe), (0, 0))

    def controls(sample: Sample) -> Controlled:
        return controlled(sample, recipe, list(counted))

    judge = Judge(domain, replace(LAWS["training"], controls=controls))
    for seed in range(seeds):
        seen = controls_told(judge, replace(firsts[seed % len(firsts)], seed=seed))
        counted = {name: (told + seen[name], tried + 1) for name, (told, tried) in counted.items()}
    return counted


def controls(seeds: int) -> tuple[list[str], bool]:
    """Give the table recipe × control, and whether every one was told apart every time."""
    lines = ["| trained by | a frozen form | gradient × 1.0001 | half the learning rate | another order |"]
    lines.append("|---|--:|--:|--:|--:|")
    complete = True
    for recipe, _ in LAW_OF:
        counted = list(told_apart(recipe, seeds).values())
        complete &= all(told == tried for told, tried in counted)
        shown = [f"{told} of {tried}" for told, tried in counted]
        lines.append(f"| {recipe.name} | " + " | ".join(shown) + " |")
    return lines, complete


def drift() -> Iterator[str]:
    """Say how far the two uses of an unrolled layer come apart, step by step."""
    domain = Domain(CATALOGUE[TIED])
    case = next(iter(Cell(domain, LAWS["training_adafactor"]).examples()))
    sample = Sample(case, DOUBLE)
    agrees = Judge(domain, LAWS["parameter_gradient"]).verdict(case).holds
    yield f"| steps of SGD | one use from the other | each from the shared one, at most | {TIED} |"
    yield "|--:|--:|--:|---|"
    for steps in range(STEPS + 1):
        shared, unrolled = (
            trained(form, sample, RECIPES[0], range(steps)).state
            for form in (sample.reference, sample.candidate)
        )
        one, other = (unrolled[f"middle{use}.weight"] for use in (1, 2))
        away = max(float((use - shared["middle.weight"]).norm()) for use in (one, other))
        told = ("one gradient agrees" if agrees else "one gradient differs") if not steps else "apart"
        yield f"| {steps} | {float((one - other).norm()):.3g} | {away:.3g} | {told} |"


def page(seeds: int) -> tuple[str, bool]:
    """Give the page, and whether everything on it is as claimed."""
    rows, line = [], LiveLine()
    for done, name in enumerate(CATALOGUE):
        line.count(done, len(CATALOGUE), name)
        rows.append(row(name))
    line.write("")
    table, complete = controls(seeds)
    alarms = sum("**!**" in one.marks for one in rows)
    runs = sum(one.right_runs for one in rows if "**!**" not in one.marks)
    lines = [
        HEADING,
        *verdicts(rows),
        *("", "## Why a claim is trained apart", "", *reasons()),
        *("", "## Tied and unrolled", ""),
        "One gradient agrees: through carry, the gradients of both uses are summed. In training each use",
        "follows its own, and from the first step on they are no longer one layer (Frobenius norms).",
        *("", *drift(), "", "## Power", ""),
        f"Wrong runs told from the right one, on `{CONTROLLED}`, {seeds} seeds each. The factor is on the",
        "gradient from the second step on, after clipping: Adam and its like do not see a constant one.",
        "Every run of the suite asks for wrong runs again: Adafactor and Muon for all four, the others for",
        "one each, by turns; with a pinned seed, its recipe for all. One that is never told is an error.",
        *("", *table, "", "## False alarms", ""),
        f"{alarms} in {runs:,} runs of claims that are trained alike, over all ways to train.",
    ]
    return "\n".join([*lines, ""]), complete and not alarms


def main() -> int:
    """Ask everything, and write the page; 1 where something is not as claimed."""
    parser = argparse.ArgumentParser(prog="python -m tests.training_table", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", required=True, help="the page")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of each control (default: %(default)s)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with generator_state(0):
        text, right = page(arguments.seeds)
    write_whole(text, arguments.write)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
