"""An equation, stated again with every operation disturbed: what rounding explains of a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

from properties.cases.form import FormError
from properties.cases.regime import Regime, Undisturbed
from properties.oracle.agreement import Difference, Equation
from properties.oracle.disturbance import Disturbance
from properties.oracle.nearness import first_beyond_a_few_units, first_beyond_noise, first_less_precise
from properties.oracle.rounding import CONSTANT, ENOUGH, STAGES

MOST_TIMES = 4.0
"""A candidate may round so many times as much as the reference."""
State = Callable[[Regime], Equation]
"""Numbers of a kind -> the equation on them."""


def beyond_noise(
    state: State,
    regime: Regime,
    stages: Mapping[int, float] = STAGES,
    *,
    whole: bool = False,
) -> tuple[Difference | None, float]:
    """Say how an equation differs by more than rounding, and which part of the allowed rounding it uses.

    Most right pairs lie within a few units in the last place, or within the noise of one disturbed run:
    further runs are made only where these do not explain a difference.
    """
    plain = state(regime)
    difference = first_beyond_a_few_units(plain, whole=whole)
    used = 0.0
    disturbed: list[Equation] = []
    for runs, constant in stages.items():
        if difference is None or difference.leaf is None:
            break
        disturbed += _disturbed(state, regime, range(len(disturbed), runs))
        found = first_beyond_noise(plain, disturbed, constant, whole=whole)
        difference, used = found.difference, found.used / CONSTANT
        if found.decisive and (whole or runs >= ENOUGH):
            break
    return difference, used


def less_precise(state: State, regime: Regime) -> Difference | None:
    """Say where the candidate's side rounds more than MOST_TIMES as much as the reference's."""
    plain = state(regime)
    difference = first_beyond_a_few_units(plain)
    disturbed: list[Equation] = []
    for runs in (ENOUGH, max(STAGES)):
        if difference is None or difference.leaf is None:
            return None
        disturbed += _disturbed(state, regime, range(len(disturbed), runs))
        difference = first_less_precise(plain, disturbed, MOST_TIMES)
    return difference


def _disturbed(state: State, regime: Regime, numbers: Iterable[int]) -> Iterator[Equation]:
    """State an equation with every operation disturbed; a run in which a form raises says nothing."""
    for number in numbers:
        disturbance = Disturbance(number)
        with suppress(FormError):
            with disturbance:
                equation = state(Undisturbed(regime, disturbance))
            yield equation
