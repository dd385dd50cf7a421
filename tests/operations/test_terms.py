"""How many terms a call adds up, against what is counted by hand."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from properties.operations.terms import Terms, contracted, convolved, convolved_back, normed, one, reduced

NUMBER, VECTOR, MATRIX, CUBE = torch.ones(()), torch.ones(5), torch.ones(3, 5), torch.ones(2, 3, 5)


def back(asked: list[bool], *, transposed: bool = False) -> list[Any]:
    """(2, 7, 5) back through a kernel of 2 to (2, 3, 6) or, transposed, to (2, 3, 4)."""
    of_output, kernel = torch.ones(2, 7, 5), torch.ones(7, 3, 2)
    signal = torch.ones(2, 3, 4 if transposed else 6)
    return [of_output, signal, kernel, [7], [1], [0], [1], transposed, [0], 1, asked]


@pytest.mark.parametrize(
    ("terms", "args", "expected"),
    [
        pytest.param(one, [CUBE, CUBE], 1, id="one"),
        pytest.param(contracted, [MATRIX, MATRIX.T], 5, id="matrix × matrix"),
        pytest.param(contracted, [VECTOR, VECTOR], 5, id="vector × vector"),
        pytest.param(contracted, [torch.ones(3, 3), MATRIX, MATRIX.T], 5, id="added"),
        pytest.param(contracted, [NUMBER, NUMBER], 1, id="number × number"),
        pytest.param(reduced, [CUBE], 30, id="all axes"),
        pytest.param(reduced, [CUBE, []], 30, id="no axes are all"),
        pytest.param(reduced, [CUBE, None], 30, id="None is all"),
        pytest.param(reduced, [CUBE, True], 30, id="a flag is no axis"),
        pytest.param(reduced, [CUBE, -1], 5, id="one axis"),
        pytest.param(reduced, [CUBE, [0, 2]], 10, id="several axes"),
        pytest.param(reduced, [NUMBER, [0]], 1, id="a number"),
        pytest.param(normed, [CUBE, 2], 30, id="norm"),
        pytest.param(normed, [CUBE, 2, [1]], 3, id="norm along an axis"),
        pytest.param(convolved, [CUBE, torch.ones(7, 3, 2)], 14, id="a convolution, or its transpose"),
        pytest.param(convolved, [CUBE, torch.ones(3, 7, 2)], 14, id="the same with its channels exchanged"),
        pytest.param(convolved, [CUBE, torch.ones(0, 3, 2)], 0, id="no channels"),
        pytest.param(convolved_back, back([True, False, False]), 14, id="the gradient of its input"),
        pytest.param(convolved_back, back([False, True, False]), 10, id="that of its kernel"),
        pytest.param(convolved_back, back([True, True, True]), 14, id="both"),
        pytest.param(convolved_back, back([False, False, True]), 1, id="that of its bias"),
        pytest.param(convolved_back, back([False, True, False], transposed=True), 8, id="of its transpose"),
    ],
)
def test_terms_are_those_counted_by_hand(terms: Terms, args: Sequence[Any], expected: int) -> None:
    assert terms(args) == expected
