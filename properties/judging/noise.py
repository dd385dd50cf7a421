"""An equation, stated again with every operation disturbed: what rounding explains of a difference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import torch

from properties.cases.answering import FormError
from properties.cases.regime import Regime, Undisturbed
from properties.dtypes import named
from properties.oracle.agreement import Difference, Equation
from properties.oracle.disturbance import Disturbance
from properties.oracle.nearness import first_beyond_a_few_units, first_beyond_noise, first_less_precise
from properties.oracle.rounding import CONSTANT, ENOUGH, STAGES
from properties.oracle.widening import narrows

MOST_TIMES = 4.0
"""A candidate may round so many times as much as the reference."""
LESS_PRECISE = {2: MOST_TIMES / 4, ENOUGH: MOST_TIMES, max(STAGES): MOST_TIMES}
"""Disturbed runs -> how many times less precise a candidate may be by so many."""
State = Callable[[Regime], Equation]
"""Numbers of a kind -> the equation on them."""


@dataclass
class Judged:
    """What rounding leaves of the difference between the sides of an equation."""

    difference: Difference | None
    used: float = 0.0
    """The largest part of the allowed rounding that was used; 1 is the limit."""
    lost: bool = False
    """Whether rounding leaves no digit of some entry."""
    narrow: Collection[torch.dtype] = ()
    """The dtypes narrower than that of the run in which a form computes."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader is told of a case in which no difference was found."""
        computed = [f"equal within {named(dtype)}, in which a form computes" for dtype in self.narrow]
        digits = ["rounding leaves no digit of some entries: nothing is said of these"] if self.lost else []
        return (*computed, *digits)


def beyond_noise(
    state: State, regime: Regime, stages: Mapping[int, float] = STAGES, *, whole: bool = False
) -> Judged:
    """Say how an equation differs by more than rounding, and what rounding does to it.

    Most right pairs lie within a few units in the last place, or within the noise of one disturbed run:
    further runs are made only where these do not explain a difference.
    """
    plain = state(regime)
    judged = Judged(first_beyond_a_few_units(plain, whole=whole))
    disturbed: list[Equation] = []
    narrow: set[torch.dtype] = set()
    for runs, constant in stages.items():
        if judged.difference is None or judged.difference.leaf is None:
            break
        disturbed += disturbed_runs(state, regime, range(len(disturbed), runs), narrow)
        # What underflows in a narrow dtype is 0 in every run.
        least = max((torch.finfo(dtype).tiny for dtype in narrow), default=0.0)
        found = first_beyond_noise(plain, disturbed, constant, whole=whole, least=least)
        judged = Judged(found.difference, found.used / CONSTANT, found.lost, narrow)
        if found.decisive and (whole or runs >= ENOUGH):
            break
    return judged


def less_precise(state: State, regime: Regime) -> Difference | None:
    """Say where the candidate's side rounds more than MOST_TIMES as much as the reference's."""
    plain = state(regime)
    difference = first_beyond_a_few_units(plain)
    disturbed: list[Equation] = []
    for runs, most in LESS_PRECISE.items():
        if difference is None or difference.leaf is None:
            return None
        disturbed += disturbed_runs(state, regime, range(len(disturbed), runs), set())
        difference = first_less_precise(plain, disturbed, most)
    return difference


def disturbed_by(disturbance: Disturbance, state: State, regime: Regime) -> Equation:
    """State an equation with its operations disturbed, and its numbers as they are."""
    with disturbance:
        return state(Undisturbed(regime, disturbance))


def disturbed_runs(
    state: State, regime: Regime, numbers: Iterable[int], narrow: set[torch.dtype]
) -> Iterator[Equation]:
    """State an equation with every operation disturbed; a run in which a form raises says nothing.

    The narrower dtypes in which a form computes are added to `narrow`.
    """
    for number in numbers:
        disturbance = Disturbance(number)
        with suppress(FormError):
            equation = disturbed_by(disturbance, state, regime)
            narrow |= {dtype for _, dtype in disturbance.rounded if narrows(regime.dtype, dtype)}
            yield equation
