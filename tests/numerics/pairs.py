"""How a pair with hard numerics is written: a claim, registered as right or as wrong, and bases for many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar, TypeVar

from torch import Tensor, nn

from equivalence.claim import AtLeast, Equivalence, Real

Claim = TypeVar("Claim", bound=type[Equivalence])
Function = Callable[..., Tensor]
Size = Annotated[int, AtLeast(1)]

RIGHT: dict[str, type[Equivalence]] = {}
"""Pairs that are one function, by name."""
WRONG: dict[str, type[Equivalence]] = {}
"""Pairs that are two functions, by name."""
REFUTED_BY: dict[str, tuple[str, ...]] = {}
"""The laws of which at least one refutes a wrong pair, by its name."""


def right(claim: Claim) -> Claim:
    """Register a claim that holds under every law of the function."""
    assert claim.__doc__
    assert claim.__name__ not in RIGHT
    RIGHT[claim.__name__] = claim
    return claim


def wrong(*laws: str) -> Callable[[Claim], Claim]:
    """Register a claim whose docstring says what is wrong, and the laws of which one must refute it."""

    def register(claim: Claim) -> Claim:
        assert laws
        assert claim.__doc__
        assert claim.__name__ not in WRONG
        WRONG[claim.__name__] = claim
        REFUTED_BY[claim.__name__] = laws
        return claim

    return register


class Functions(Equivalence):
    """Two functions of the inputs, the reference first."""

    forms: ClassVar[tuple[Function, Function]]

    def reference(self) -> nn.Module:
        return Form(type(self), 0)

    def candidate(self) -> nn.Module:
        return Form(type(self), 1)


class Form(nn.Module):
    """A module without parameters: one of a claim's two functions, looked up so that it can be pickled."""

    def __init__(self, claim: type[Functions], place: int) -> None:
        super().__init__()
        self.claim = claim
        self.place = place

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.claim.forms[self.place](*inputs)


class OfRows(Functions):
    """Two functions of rows."""

    n: Size

    x = Real("*batch n")


class OfTwoRows(Functions):
    """Two functions of two rows of one size."""

    n: Size

    x = Real("*batch n")
    y = Real("*batch n")


class OfMatrix(Functions):
    """Two functions of a square matrix."""

    n: Annotated[int, AtLeast(1)]

    x = Real("*batch n n")


class OfSystem(Functions):
    """Two functions of a square matrix and a row."""

    n: Size

    x = Real("*batch n n")
    b = Real("*batch n")


class OfSequences(Functions):
    """Two functions of a query, keys and values: (*batch, time, n) each."""

    time: Size
    n: Size

    q = Real("*batch time n")
    k = Real("*batch time n")
    v = Real("*batch time n")
