"""Pairs of forms with hard numerics, right and wrong: `python -m tests.numerics.measure`."""

# Each pair registers itself.
from tests.numerics import right, wrong
from tests.numerics.pairs import REFUTED_BY, RIGHT, WRONG
from tests.numerics.right import ALSO, LESS_PRECISE, NO_SECOND_DERIVATIVE

__all__ = ["ALSO", "LESS_PRECISE", "NO_SECOND_DERIVATIVE", "REFUTED_BY", "RIGHT", "WRONG", "right", "wrong"]
