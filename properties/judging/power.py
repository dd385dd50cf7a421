"""Whether a law tells wrong runs from the right one: where it tells none, its agreement is worth nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.regime import Regime
from properties.cases.sample import OutsideDomainError, Sample
from properties.judging.isolation import own_state
from properties.judging.judge import Judge
from properties.judging.noise import State, beyond_noise
from properties.judging.numbers import usual
from properties.oracle.agreement import Equation
from properties.oracle.nearness import first_far_apart
from properties.oracle.rounding import QUICK

MOST_TRIALS = 16
"""So many draws of one case are tried before a control that none tells apart is an error."""
TURNS = 4
"""After so many draws of a variant, a control that takes turns comes again: it is tried on its own draws."""


class PowerlessError(AssertionError):
    """A law holds of something that it must tell from a right form: its agreement is worth nothing."""


def controls_told(judge: Judge, case: Case) -> dict[str, bool]:
    """Say of each control of the law whether it was told apart; empty where a case gives nothing to tell."""
    if judge.law.controls is None:
        return {}
    controls, reals = judge.law.controls, usual(case)
    runs: dict[Regime, Mapping[str, Equation]] = {}

    def states(regime: Regime) -> Mapping[str, Equation]:
        if regime not in runs:
            right, wrong = controls(Sample(case, regime, judge.domain.data))
            runs[regime] = {name: Equation(right, one) for name, one in wrong.items()}
        return runs[regime]

    def told(name: str) -> bool:
        # The digits that rounding leaves a form may be fewer than half.
        clearly = first_far_apart(states(reals)[name]) is not None
        return clearly or not _explained(lambda regime: states(regime)[name], reals)

    try:
        with own_state(case):
            return {name: told(name) for name in states(reals)}
    except (OutsideDomainError, FormError):
        return {}


def _explained(state: State, regime: Regime) -> bool:
    """Whether rounding explains how a wrong run differs from the right one."""
    return beyond_noise(state, regime, QUICK).difference is None


def require_power(judge: Judge, case: Case) -> dict[str, bool]:
    """Tell every control of the law apart, in this case or another draw of it; PowerlessError otherwise.

    A case without a gradient is no evidence: where there is none at all, the answer is empty.
    """
    told: dict[str, bool] = {}
    for number in range(MOST_TRIALS):
        found = controls_told(judge, replace(case, seed=case.seed + number * TURNS * judge.law.variants))
        told = {name: seen or told.get(name, False) for name, seen in found.items()} or told
        if all(told.values()):
            return told
    untold = ", ".join(name for name, seen in told.items() if not seen)
    message = (
        f"{judge.domain.name} under {judge.law.name}: every control is told from the right run, but {untold} "
        f"was not in {MOST_TRIALS} draws of {case}; leave the law out, or widen the domain"
    )
    raise PowerlessError(message)
