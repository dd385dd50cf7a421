"""The page of the law `initialisation`: its false alarms, its power, and what it shows of the scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from properties.oracle.statistics import FALSE_ALARM
from tests.power.trials import CONFIDENCE, Count
from tests.power.whole import NOT_SHOWN, SPOILED, Run, right_claims
from tests.power.wrong import families

LARGEST_MISS = 1e-3
HEAD = """# How often the law `initialisation` is wrong

`make power` writes this page; `python -m tests.power` prints it after one run of the catalogue. What the law
can be wrong about is chance, which is bounded for every number of draws: see the tests
[of two samples](../properties/oracle/statistics.py),
[of closed forms](../properties/oracle/closed_form.py) and
[of dependence](../properties/oracle/dependence.py).

What it does not see: copies in one form and not in the other, in modules so large that they are constructed
seldom: from about 9,000 entries on, or 4,500 where the claim says `fresh_entries_independent = False`. Copies
that both forms make are right; weak dependence, and a dtype of the reference's at another parameter, pass.
"""
SCALE = """## What is shown of the scale

Not only "no difference seen": where a candidate's draws, divided by 1.05 and by 0.95, are refused, its scale
is neither 5 % wider nor 5 % narrower. That is wrong as seldom as a false alarm is given. Each parameter is
asked by itself, in the first wide case of the claim. Where both forms start with the same numbers under one
seed, permuted or not, this is compared bit for bit beside the statistics.

| claim | scale | under one seed |
|---|---|---|"""


@dataclass(frozen=True)
class Measured:
    """All counts, the runs of the catalogue, and the mutants that were missed."""

    counts: list[Count]
    runs: list[Run]
    missed: list[str]
    number: int
    """How often the catalogue was constructed."""

    @property
    def as_said(self) -> bool:
        """Whether nothing right was refused, all wrong draws were, and every scale was shown."""
        wrong = [one for one in self.counts if one.wrong]
        return (
            not any(one.mistaken for one in self.counts if not one.wrong)
            and all(one.bound <= LARGEST_MISS for one in wrong)
            and not any(run.refused or run.unknown for run in self.runs)
            and not self.missed
        )


def page(found: Measured) -> str:
    """Give the page as Markdown."""
    return "\n".join([HEAD, *_alarms(found), *_power(found), *_scales(found), ""])


def _alarms(found: Measured) -> Iterator[str]:
    tests = sum(run.tests for run in found.runs)
    yield "## False alarms"
    yield ""
    yield f"Each test refuses right draws with a probability of {FALSE_ALARM:g} or less, by construction."
    yield ""
    yield "| right | runs | tests | refused | by construction at most |"
    yield "|---|--:|--:|--:|--:|"
    claims = len({run.claim for run in found.runs})
    refused = sum(run.refused for run in found.runs)
    yield (
        f"| the catalogue, {claims} claims | {found.number:,} | {tests:,} | {refused} | "
        f"{tests * FALSE_ALARM:.1e} |"
    )
    for one in found.counts:
        if not one.wrong:
            yield f"| {one.family} | {one.trials:,} | | {one.mistaken} | |"
    yield ""


def _power(found: Measured) -> Iterator[str]:
    yield "## Power"
    yield ""
    yield "Draws of the kinds that the catalogue has, no more than its first wide case has, are spoiled in"
    yield "one way and held against the law's own tests; the table says how many numbers a trial has at most."
    yield f"The bound on the miss rate holds at {CONFIDENCE:.0%}."
    yield ""
    yield "| draws | numbers | wrong | trials | missed | miss rate at most |"
    yield "|---|--:|---|--:|--:|--:|"
    numbers = {family.name: family.draw(torch.Generator()).numel() for family in families()}
    for one in found.counts:
        if one.wrong:
            drawn = f"{one.family} | {numbers[one.family]:,}"
            yield f"| {drawn} | {one.wrong} | {one.trials:,} | {one.mistaken} | {one.bound:.2g} |"
    yield ""
    yield f"From end to end, seeds per mutant: {found.number}, missed: {len(found.missed)}. They are"
    yield from (f"* {name}" for name in SPOILED)
    yield ""
    yield "and [all others](mutants.md) are tried by `make mutants`."
    yield ""


def _scales(found: Measured) -> Iterator[str]:
    yield SCALE
    for name in right_claims():
        of_claim = [run for run in found.runs if run.claim == name]
        worst = next((run for run in of_claim if run.scale == NOT_SHOWN), of_claim[0])
        yield f"| {name} | {worst.scale} | {worst.under_one_seed} |"
