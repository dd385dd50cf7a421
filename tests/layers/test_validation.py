"""The messages of the checks, and the flattened leading axes."""

from typing import Any

import pytest
import torch

from equivalence.layers.validation import check_input, check_mask, check_size, flatten_leading


@pytest.mark.parametrize("size", [-1, 1.0, "2", None, True])
def test_sizes(size: Any) -> None:
    """A size is an integer, and no negative one; the message names rule, value and remedy."""
    with pytest.raises(ValueError, match=r"width must be an integer of at least 0, but is .*; pass"):
        check_size("width", size)


def test_good_sizes_pass() -> None:
    """The minimum itself is allowed."""
    check_size("width", 0)
    check_size("width", 1, minimum=1)


def test_shapes() -> None:
    """None stands for any size; an axis may not miss."""
    weight = torch.zeros(1)
    check_input(torch.zeros(2, 3, 7), (3, None), weight)
    with pytest.raises(ValueError, match=r"must be \(3, any\), but its shape is \(3,\); reshape"):
        check_input(torch.zeros(3), (3, None), weight)


def test_dtypes() -> None:
    """Nothing is converted in silence."""
    with pytest.raises(TypeError, match=r"torch\.float32, but has torch\.int64; convert"):
        check_input(torch.zeros(3, dtype=torch.int64), (3,), torch.zeros(1))


def test_masks() -> None:
    """Empty masks and masks of bool and of float pass."""
    for mask in (torch.ones(2, 0), torch.ones(2, 3).bool(), torch.eye(3)):
        check_mask(mask)
    with pytest.raises(ValueError, match=r"only 0 and 1, but holds 2\.0; pass"):
        check_mask(torch.tensor([[0.0, 2.0]]))


def test_flatten_leading() -> None:
    """No leading axes are one row."""
    assert flatten_leading(torch.zeros(4), 1).shape == (1, 4)
    assert flatten_leading(torch.zeros(2, 3, 0), 1).shape == (6, 0)
    assert flatten_leading(torch.zeros(0, 3, 0), 2).shape == (0, 3, 0)
