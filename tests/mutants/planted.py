"""How a mutant is written: a claim whose docstring is the one bug in it, under the law that sees it first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from equivalence.claim import Equivalence

Mutant = TypeVar("Mutant", bound=type[Equivalence])

MUTANTS: dict[str, type[Equivalence]] = {}
"""Every mutant by name, family by family."""


def mutant(law: str) -> Callable[[Mutant], Mutant]:
    """Register a claim that this law rejects alone, or before every law that comes after it."""

    def register(claim: Mutant) -> Mutant:
        assert claim.__doc__
        assert claim.__name__ not in MUTANTS
        claim.breaks = {law: claim.__doc__}
        MUTANTS[claim.__name__] = claim
        return claim

    return register


def mutated(claim: type[Equivalence]) -> type[Equivalence]:
    """Give the claim that a mutant was made from."""
    base = claim.__base__
    assert base is not None
    assert issubclass(base, Equivalence)
    return base
