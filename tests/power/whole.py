"""The law from end to end: every claim of the catalogue constructed anew, and what it shows of the scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from equivalence.matrix_distribution import Fixed
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.judging.judge import Judge
from properties.judging.numbers import DOUBLE
from properties.laws import LAWS
from properties.oracle.agreement import Equation, first_difference
from properties.oracle.dependence import Together
from properties.oracle.statistics import Draws, Positions
from tests.mutants import MUTANTS

LAW = LAWS["initialisation"]
SCALES = (1.05, 0.95)
SCALED = ("entries", "place by place", "closed form")
SHOWN, CONSTANT, NOT_SHOWN = "within 5 %", "no scale: all 0", "not by statistics"
UNDER_ONE_SEED = {"any": "", "same": "the same draws", "permuted": "the same draws, permuted"}
TESTS = {"two samples": 2, "closed form": 4, "fixed": 1, "place by place": 2, "together": 3}
"""How many tests are made of each pair of draws, with FALSE_ALARM each."""
SPOILED = (
    "DrawsFivePercentWider",
    "DrawsUniform",
    "ReadsFanFromShape",
    "TruncatesInStds",
    "CopiesFirstColumn",
    "DrawsOneRowForAll",
    "SeedsBothLayersAlike",
)
"""Mutants that are constructed as well, from end to end."""


@dataclass(frozen=True)
class Run:
    """What the law said of one claim in a wide case."""

    claim: str
    tests: int
    refused: bool
    scale: str
    under_one_seed: str

    @property
    def unknown(self) -> bool:
        """Whether neither statistics nor equal numbers say anything of the scale."""
        return self.scale == NOT_SHOWN and not self.under_one_seed


def runs(names: Iterator[str] | list[str], number: int) -> Iterator[Run]:
    """Hold claims against the law, each in its first wide case, with seeds of the run's own."""
    for name in names:
        claim = CATALOGUE[name]
        equation = equation_of(claim, number)
        yield Run(
            claim=name,
            tests=sum(_tests(*pair) for pair in _pairs(equation.reference, equation.candidate)),
            refused=first_difference(equation) is not None,
            scale=scale_shown(equation),
            under_one_seed=UNDER_ONE_SEED[claim.fresh_draws],
        )


def right_claims() -> list[str]:
    """Name the claims of the catalogue that do not declare to break the law."""
    return [name for name, claim in CATALOGUE.items() if LAW.name not in claim.breaks]


def missed(number: int) -> list[str]:
    """Name the mutants that the law does not tell in their first wide case."""
    return [name for name in SPOILED if first_difference(equation_of(MUTANTS[name], number)) is None]


def equation_of(claim: type[Equivalence], number: int) -> Equation:
    """State the law of a claim's first wide case."""
    domain = Domain(claim)
    case: Case = replace(next(domain.wide()), seed=number)
    return Judge(domain, LAW).statement.equation(case, DOUBLE)


def scale_shown(equation: Equation) -> str:
    """Say whether a scale of any parameter that is 5 % off would have been refused, on these very draws.

    Draws of another scale s, divided by s, are right draws, and refused as seldom. So what the law refuses
    when divided by s has not the scale s.
    """
    answers = {_shown_of(equation, name) for name in equation.candidate["entries"]}
    return next(answer for answer in (NOT_SHOWN, SHOWN, CONSTANT) if answer in answers)


def _shown_of(equation: Equation, parameter: str) -> str:
    reference, candidate = (_of(side, parameter) for side in (equation.reference, equation.candidate))
    if not any(draws.values.any() for draws in candidate.values()):
        return CONSTANT
    scaled = [{kind: _divided(draws, scale) for kind, draws in candidate.items()} for scale in SCALES]
    return SHOWN if all(first_difference(Equation(reference, one)) for one in scaled) else NOT_SHOWN


def _of(side: Mapping[str, Any], parameter: str) -> dict[str, Any]:
    """Give what is compared of one parameter and moves with its scale; a number of zeros does not."""
    kinds = [kind for kind in side if kind in SCALED or kind.startswith("norm")]
    return {kind: side[kind][parameter] for kind in kinds if parameter in side[kind]}


def _divided(draws: Draws | Positions, scale: float) -> Draws | Positions:
    return replace(draws, values=draws.values / scale)


def _pairs(reference: Any, candidate: Any) -> Iterator[tuple[Any, Any]]:
    """Give what is compared with what, tensors left out: these are the same or not, without any chance."""
    if isinstance(candidate, Mapping):
        for name, branch in candidate.items():
            yield from _pairs(reference[name], branch)
    elif not isinstance(candidate, torch.Tensor):
        yield reference, candidate


def _tests(expected: Any, draws: Any) -> int:
    if isinstance(draws, Together):
        return TESTS["together"]
    if isinstance(expected, Fixed):
        return TESTS["fixed"]
    if isinstance(draws, Positions):
        return TESTS["place by place"]
    return TESTS["two samples" if isinstance(expected, Draws) else "closed form"]
