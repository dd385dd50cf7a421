"""Measure the constant of the rounding model: `python -m tests.calibration --write docs/calibration.md`.

Every pair of tests/numerics is run with all the disturbed runs there are, whether or not fewer would do, and
how far its forms lie apart is put over its noise: right pairs must stay below the constant, wrong ones above.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
from hypothesis import Phase, given, seed, settings

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.regime import Reals
from properties.cases.sample import InapplicableError, OutsideDomainError, Sample
from properties.cases.strategies import cases
from properties.cases.values import LARGE, LIMIT, LOOKS
from properties.judging.isolation import own_state
from properties.judging.judge import Judge
from properties.judging.noise import disturbed_runs
from properties.judging.numbers import DOUBLE, SINGLE
from properties.laws import LAWS
from properties.oracle.nearness import first_beyond_a_few_units, first_beyond_noise
from properties.oracle.rounding import STAGES
from properties.report.files import write_whole
from properties.report.live import LiveLine
from properties.running.profiles import profile
from tests.calibration_page import Measured, draw, page
from tests.numerics import REFUTED_BY, RIGHT, WRONG

SETTINGS = (
    ("forward", DOUBLE),
    ("forward", SINGLE),
    ("input_gradient", DOUBLE),
    ("parameter_gradient", DOUBLE),
    ("second_derivative", DOUBLE),
)
SEEDS = (0,)
SLOW = ("RNNStepByStep", "GRUStepByStep", "LSTMStepByStep", "RecurrenceByDoubling")
"""Pairs of hundreds of steps: they are measured near N(0, 1) alone."""
RUNS = tuple(STAGES)
SIDES = {"right": RIGHT, "wrong": WRONG}


def measured(side: str, name: str, seeds: Sequence[int] = SEEDS) -> Iterator[Measured]:
    """Measure one pair on a case of every look, for every setting and seed."""
    domain = Domain(SIDES[side][name])
    if draws_by_itself(domain):
        return
    looked = [case for number in seeds for case in of_every_look(domain, number)]
    looked = looked[:1] if name in SLOW else looked
    for law, regime in SETTINGS:
        if LAWS[law].needs(domain.exemplar):
            continue
        judge = Judge(domain, LAWS[law])
        for case in looked:
            if (stages := ratios(judge, case, regime)) is not None:
                yield Measured(side, name, told(law, regime), stages)


def of_every_look(domain: Domain, number: int) -> list[Case]:
    """Draw a case for every look of values, as the suite draws them, but the plainest and empty ones.

    What differs just below overflow is no rounding: it is told, and refutes nothing.
    """
    drawn: list[Case] = []

    def keep(case: Case) -> None:
        drawn.append(case)

    looks = [look for look in LOOKS if look != LIMIT]
    plan = settings(profile("gate"), max_examples=1 + len(looks), phases=[Phase.generate])
    seed(number)(plan(given(case=cases(domain))(keep)))()
    varied = [case for case in drawn[1:] if case.entries] or drawn
    return [replace(varied[place % len(varied)], values=look) for place, look in enumerate(looks)]


def ratios(judge: Judge, case: Case, regime: Reals) -> tuple[float, ...] | None:
    """Give the largest ratio after each stage's runs; None where the case says nothing of rounding."""
    try:
        with own_state(case):
            return _ratios(judge, case, regime)
    except (FormError, OutsideDomainError, InapplicableError):
        return None


def _ratios(judge: Judge, case: Case, regime: Reals) -> tuple[float, ...] | None:
    plain = judge.statement.equation(case, regime)
    difference = first_beyond_a_few_units(plain)
    if difference is None:
        return ()
    if difference.leaf is None or (case.values in LARGE and not judge.premise.stays_in_range(case, regime)):
        return None
    runs_made = disturbed_runs(
        lambda numbers: judge.statement.equation(case, numbers), regime, range(max(RUNS)), set()
    )
    disturbed = list(runs_made)
    return tuple(first_beyond_noise(plain, disturbed[:runs], math.inf).used for runs in RUNS)


def draws_by_itself(domain: Domain) -> bool:
    """Whether a form draws random numbers of its own: such pairs are compared as distributions."""
    sample = Sample(domain.typical, DOUBLE)
    forms = (sample.reference, sample.candidate)
    for form in forms:
        form.watched = True
        with own_state(domain.typical), suppress(FormError):
            form(sample.theta, sample.inputs)
    return any(form.has_drawn for form in forms)


def told(law: str, regime: Reals) -> str:
    """Name a setting."""
    return f"{law}, float32" if regime.dtype == torch.float32 else law


def pairs() -> Iterator[tuple[str, str]]:
    """Name the pairs that are measured; what only computes less precisely is no other function."""
    yield from (("right", name) for name in RIGHT)
    yield from (("wrong", name) for name in WRONG if "precision" not in REFUTED_BY[name])


def main() -> None:
    """Measure every pair, and write the page and the picture beside it."""
    parser = argparse.ArgumentParser(prog="python -m tests.calibration", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", required=True, help="the page")
    destination = parser.parse_args().write
    torch.set_num_threads(1)
    began, line = time.monotonic(), LiveLine()
    found: list[Measured] = []
    named = list(pairs())
    for done, (side, name) in enumerate(named):
        line.count(done, len(named), name)
        found += measured(side, name)
    line.write("")
    draw(found, destination.parent / "pictures")
    write_whole(page(found, SEEDS), destination)
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
