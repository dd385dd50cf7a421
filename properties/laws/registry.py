"""The laws, by name, in the order of their definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from equivalence.claim import Equivalence
from properties.agreement import Equation
from properties.sample import Sample

Equate = Callable[[Any, Sample], Equation]
"""(claim, sample) -> equation."""
Decided = Literal["values", "directly", "statistics"]


@dataclass(frozen=True)
class Law:
    """One equation that holds for every true claim it applies to."""

    equate: Equate
    needs: Callable[[Equivalence], str]
    """Why the law cannot apply to a claim; empty where it can."""
    decided: Decided
    """values (integers, else the ladder), directly (the equation itself is exact), or statistics."""
    premise: Equate | None = None
    """What the reference alone must satisfy for the law to speak; asked only when the candidate fails."""

    @property
    def name(self) -> str:
        """The law's word, as used in `breaks` and on the command line."""
        return self.equate.__name__

    @property
    def statement(self) -> str:
        """The equation, as its docstring opens with it."""
        return (self.equate.__doc__ or "").strip().splitlines()[0]


LAWS: dict[str, Law] = {}
"""Every registered law by name."""


def always(_: Equivalence) -> str:
    """Apply to every claim."""
    return ""


def law(
    needs: Callable[[Equivalence], str] = always,
    *,
    decided: Decided = "values",
    premise: Equate | None = None,
) -> Callable[[Equate], Equate]:
    """Register a function (claim, sample) -> Equation as a law; ValueError for a name that is taken."""

    def register(equate: Equate) -> Equate:
        if equate.__name__ in LAWS:
            message = f"a law's name is its own, but {equate.__name__!r} is taken; choose another"
            raise ValueError(message)
        LAWS[equate.__name__] = Law(equate, needs, decided, premise)
        return equate

    return register
