"""Pairs of forms with hard numerics, right and wrong: `python -m tests.numerics.measure`."""

# Each pair registers itself.
from tests.numerics import right
from tests.numerics.pairs import REFUTED_BY, RIGHT, WRONG
from tests.numerics.right import LESS_PRECISE, NO_SECOND_DERIVATIVE

__all__ = ["LESS_PRECISE", "NO_SECOND_DERIVATIVE", "REFUTED_BY", "RIGHT", "WRONG", "right"]
