"""How a mutant is written: a claim whose docstring is the one bug in it, under the law that sees it first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from equivalence.claim import Equivalence

Mutant = TypeVar("Mutant", bound=type[Equivalence])

MUTANTS: dict[str, type[Equivalence]] = {}
"""Every mutant by name, family by family."""
SEEN_IN: dict[str, tuple[str, ...]] = {}
"""The circumstances without which a mutant is right, the one that it is planted for first."""


def mutant(law: str, *seen_in: str) -> Callable[[Mutant], Mutant]:
    """Register a claim that this law rejects alone, or before every law that comes after it.

    Where circumstances are named, it rejects the claim in these alone.
    """

    def register(claim: Mutant) -> Mutant:
        assert claim.__doc__
        assert claim.__name__ not in MUTANTS
        claim.breaks = {law: claim.__doc__}
        MUTANTS[claim.__name__] = claim
        if seen_in:
            SEEN_IN[claim.__name__] = seen_in
        return claim

    return register


def mutated(claim: type[Equivalence]) -> type[Equivalence]:
    """Give the claim that a mutant was made from."""
    base = claim.__base__
    assert base is not None
    assert issubclass(base, Equivalence)
    return base
