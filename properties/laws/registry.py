"""The laws, by name, in the order of their definition."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from equivalence.claim import Equivalence
from equivalence.variable import ClaimError
from properties.cases.sample import Sample
from properties.oracle.agreement import Equation

Equate = Callable[[Any, Sample], Equation]
"""(claim, sample) -> equation."""
Controls = Callable[[Any, Sample], Mapping[str, Equation]]
"""(claim, sample) -> equations that must not hold, by name; OutsideDomainError where nothing can be told."""
Decided = Literal["values", "directly", "statistics", "reals"]


@dataclass(frozen=True)
class Law:
    """One equation that holds for every true claim it applies to."""

    equate: Equate
    needs: Callable[[Equivalence], str]
    """Why the law cannot apply to a claim; empty where it can."""
    decided: Decided
    """values (integers, else the ladder), reals (the ladder), directly (exact by itself), or statistics."""
    premise: Equate | None = None
    """What the reference alone must satisfy for the law to speak; asked only when the candidate fails."""
    controls: Controls | None = None
    """Wrong equations that the law must tell from its own in every run of a claim: they show its power."""
    variants: int = 1
    """So many forms has the law, and a case's seed says which: seed % variants. A cell tries all of them."""

    @property
    def name(self) -> str:
        """The law's word, as used in `breaks` and on the command line."""
        return self.equate.__name__

    @property
    def statement(self) -> str:
        """The equation, as its docstring opens with it."""
        return (self.equate.__doc__ or "").strip().splitlines()[0]

    @property
    def owner(self) -> str:
        """The module that defines it, and the distribution of that module where it is not ours."""
        distribution = DISTRIBUTIONS.get(self.name)
        return self.equate.__module__ + (f" of {distribution}" if distribution else "")


LAWS: dict[str, Law] = {}
"""Every registered law by name."""
DISTRIBUTIONS: dict[str, str] = {}
"""The distribution, with its version, of every law that an entry point brought."""


def always(_: Equivalence) -> str:
    """Apply to every claim."""
    return ""


def law(
    needs: Callable[[Equivalence], str] = always,
    *,
    decided: Decided = "values",
    premise: Equate | None = None,
    controls: Controls | None = None,
    variants: int = 1,
) -> Callable[[Equate], Equate]:
    """Register a function (claim, sample) -> Equation as a law; ClaimError where it cannot be one."""
    _check_use(needs, decided)

    def register(equate: Equate) -> Equate:
        _check_function(equate)
        LAWS[equate.__name__] = Law(equate, needs, decided, premise, controls, variants)
        return equate

    return register


def _check_use(needs: Callable[[Equivalence], str], decided: str) -> None:
    if len(inspect.signature(needs).parameters) != 1:
        message = (
            "@law() takes what the law needs of a claim, a function of the claim alone, but got "
            f"{needs.__name__}; write @law() with its parentheses above the law"
        )
        raise ClaimError(message)
    if decided not in get_args(Decided):
        message = f"a law is decided by one of {', '.join(get_args(Decided))}, but got {decided!r}"
        raise ClaimError(message)


def _check_function(equate: Equate) -> None:
    name = equate.__name__
    if not (equate.__doc__ or "").strip():
        message = (
            f"a law states its equation in the first line of its docstring, but {name!r} of "
            f"{equate.__module__} has none; write one"
        )
        raise ClaimError(message)
    if name in LAWS:
        message = (
            f"a law's name is its own, but {name!r} of {equate.__module__} is taken by {LAWS[name].owner}; "
            "choose another"
        )
        raise ClaimError(message)
