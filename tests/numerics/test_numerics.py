"""Right pairs with hard numerics hold, and wrong ones are refuted, by the suite and on a grid without it."""

import pytest

from properties.running.profiles import GATE_EXAMPLES
from tests.numerics import LESS_PRECISE, NO_SECOND_DERIVATIVE, RIGHT, WRONG
from tests.numerics.grid import differences
from tests.numerics.trying import tried

EXAMPLES = 2
"""Cases of a right pair under each law; `python -m tests.numerics.measure` draws as many as one likes."""
SLOW = (
    "RNNStepByStep",
    "GRUStepByStep",
    "LSTMStepByStep",
    "LogisticMap",
    "MovingAverage",
    "DescentInClosedForm",
)
"""Pairs of one case under two laws: each takes hundreds of operations a run."""
LAWS_OF_SLOW = ("forward", "input_gradient")
OTHER_DRAWS = "DropoutFromOtherDraws"
"""Equal in distribution alone: no grid shows that."""


def test_there_are_sixty_and_more_of_each_side() -> None:
    assert len(RIGHT) >= 64
    assert len(WRONG) >= 64


def test_what_is_said_of_pairs_is_said_of_some() -> None:
    assert set(RIGHT) >= LESS_PRECISE | NO_SECOND_DERIVATIVE.keys()


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_pair_holds(name: str) -> None:
    few = name in SLOW
    outcome = tried("right", name, [0], 1 if few else EXAMPLES, LAWS_OF_SLOW if few else ())
    assert outcome.expected, outcome.first
    assert outcome.cases


@pytest.mark.parametrize("name", [name for name in RIGHT if name != OTHER_DRAWS])
def test_a_right_pair_is_one_function_on_a_grid_of_awkward_numbers(name: str) -> None:
    assert list(differences(RIGHT[name], twice=name not in NO_SECOND_DERIVATIVE)) == []


@pytest.mark.parametrize("name", ["UnitOfZeros", "MaximumOfOne", "EluByChoice", "SecondDerivativeLost"])
def test_the_grid_shows_what_is_wrong_at_zeros_at_ties_and_far_out(name: str) -> None:
    assert list(differences(WRONG[name], twice=True)) != []


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_pair_is_refuted(name: str) -> None:
    outcome = tried("wrong", name, [0], GATE_EXAMPLES)
    assert outcome.expected, f"{WRONG[name].__doc__} {outcome.first}"
