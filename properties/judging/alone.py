"""What one form is observed to do in a process that never runs the other.

Beside the reference a candidate can hand back what the reference gave, or change what compares the two. Alone
it has nothing to hand back, and what it changes is changed for itself.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.form import Form
from properties.cases.regime import Regime, Undisturbed
from properties.cases.sample import InapplicableError, OutsideDomainError, Sample
from properties.judging.isolation import own_state
from properties.judging.numbers import SINGLE, usual
from properties.laws import all_laws
from properties.oracle.agreement import RAISES, Difference, Equation
from properties.oracle.disturbance import Disturbance
from properties.oracle.exact import SINGLE_EVERY
from properties.oracle.nearness import first_beyond_a_few_units, first_beyond_noise
from properties.oracle.rounding import CONSTANT, STAGES
from properties.oracle.widening import narrows
from properties.report.text import one_line

LAWS = ("forward", "input_gradient", "parameter_gradient")
ROWS = 5
SEEDS = (0, 1, 2, SINGLE_EVERY - 1)
"""The last is tried in float32."""
RUNS = max(STAGES)
"""Disturbed runs, where the plain ones differ."""


class Question(NamedTuple):
    """One law in one wide case: numbers and a word, so that every claim with the same fields reads it."""

    law: str
    place: int
    seed: int

    def case(self, domain: Domain) -> Case:
        """Return the case of a domain that is asked for."""
        wide = list(domain.wide())[self.place]
        axes = {name: domain.axis(name, (ROWS,)) for name in domain.axes}
        return replace(wide, axes=axes, seed=domain.pins.get("seed", self.seed))


class Observed(NamedTuple):
    """What a form was observed to do: undisturbed, then disturbed, or what it raised."""

    runs: list[Any]
    least: float = 0.0
    """What underflows in a dtype that it computes in."""
    raised: str = ""


def questions(domain: Domain) -> list[Question]:
    """Return what both forms are asked: laws of the function that apply, in cases of every option."""
    laws = all_laws()
    applying = [name for name in LAWS if not laws[name].needs(domain.exemplar)]
    places = range(len(list(domain.wide())))
    return [Question(law, place, seed) for law in applying for place in places for seed in SEEDS]


def answers(domain: Domain, asked: Sequence[Question], runs: int) -> bytes:
    """Return what the candidate is observed to do, as tensors and words that torch.load reads safely."""
    observed = [_observed(domain, "candidate", question, runs) for question in asked]
    file = io.BytesIO()
    torch.save([one and tuple(one) for one in observed], file)
    return file.getvalue()


def differences(
    domain: Domain, asked: Sequence[Question], theirs: bytes, runs: int
) -> Mapping[Question, Difference]:
    """Say where the answers of a candidate differ from what the reference of a domain gives, beyond rounding.

    Where nothing was asked to run disturbed, what is beyond a few units in the last place.
    """
    found = {}
    for question, answer in zip(asked, _read(theirs, len(asked)), strict=True):
        own = _observed(domain, "reference", question, runs)
        if own is not None and answer is not None and (one := _difference(own, answer)) is not None:
            found[question] = one
    return found


def _read(answered: bytes, count: int) -> list[Observed | None]:
    """Read answers that another process gave; of what is none, nothing is executed."""
    try:
        read = torch.load(io.BytesIO(answered), weights_only=True)
        found = [None if one is None else Observed(*one) for one in read]
    except (RuntimeError, ValueError, TypeError, EOFError, pickle.UnpicklingError):
        found = []
    return found if len(found) == count else [Observed([], raised="gave no answer that can be read")] * count


def _difference(own: Observed, answer: Observed) -> Difference | None:
    if answer.raised:
        return Difference(RAISES, "", "returned", answer.raised)
    plain, *disturbed = (Equation(*pair) for pair in zip(own.runs, answer.runs, strict=True))
    difference = first_beyond_a_few_units(plain)
    if difference is None or difference.leaf is None or not disturbed:
        return difference
    least = max(own.least, answer.least)
    return first_beyond_noise(plain, disturbed, CONSTANT, whole=False, least=least).difference


def _observed(domain: Domain, side: str, question: Question, runs: int) -> Observed | None:
    """Observe the form of one side; None where the law says nothing of it, or the reference draws."""
    case = question.case(domain)
    regime = SINGLE if case.in_single else usual(case)
    try:
        with own_state(case):
            return _runs(case, side, question.law, regime, runs)
    except (OutsideDomainError, InapplicableError):
        return None
    except Exception as error:  # noqa: BLE001  (whatever a form raises, it is all that it gave)
        original = error.original if isinstance(error, FormError) else error
        first = f"{type(original).__name__}: {original}".splitlines()[0]
        return Observed([], raised=f"raised {one_line(first)}") if side == "candidate" else None


def _runs(case: Case, side: str, law: str, regime: Regime, runs: int) -> Observed | None:
    observed: list[Any] = []
    narrow: set[torch.dtype] = set()
    form, plain = _run(case, side, law, regime)
    if side == "reference" and form.has_drawn:
        return None
    observed.append(plain)
    for number in range(runs):
        disturbance = Disturbance(number)
        with disturbance:
            _, observation = _run(case, side, law, Undisturbed(regime, disturbance))
        observed.append(observation)
        narrow |= {dtype for _, dtype in disturbance.rounded if narrows(regime.dtype, dtype)}
    return Observed(observed, max((torch.finfo(dtype).tiny for dtype in narrow), default=0.0))


def _run(case: Case, side: str, law: str, regime: Regime) -> tuple[Form, Any]:
    sample = Sample(case, regime)
    form = sample.reference if side == "reference" else sample.candidate
    form.watched = True
    return form, tree_map_only(Tensor, Tensor.detach, all_laws()[law].observe(form, sample))
