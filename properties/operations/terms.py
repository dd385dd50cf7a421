"""How many terms operations add up for one entry of their result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from torch import Tensor

Terms = Callable[[Sequence[Any]], int]
"""args of one call -> terms."""


def one(_: Sequence[Any]) -> int:
    """Return 1: nothing is added up."""
    return 1


def contracted(args: Sequence[Any]) -> int:
    """Return the length of the axis that a product of matrices or vectors adds up."""
    left = tensor_arguments(args)[-2]
    return left.shape[-1] if left.ndim else 1


def reduced(args: Sequence[Any]) -> int:
    """Return the entries of the axes reduced, where the call names these in second place."""
    return _reduced(args, 1)


def normed(args: Sequence[Any]) -> int:
    """Return the same of a norm, which takes its order before the axes."""
    return _reduced(args, 2)


def convolved(args: Sequence[Any]) -> int:
    """Return the products in one output of a convolution."""
    return taps(args[1])


def convolved_back(args: Sequence[Any]) -> int:
    """Return the products in one entry of the gradients of a convolution, of that which has more.

    For one of its input these are as many as forward; that of its kernel adds up over all positions.
    """
    slid: Tensor = args[1] if args[7] else args[0]
    positions = slid.numel() // max(1, slid.shape[1])
    return max(1, taps(args[2]) if args[-1][0] else 1, positions if args[-1][1] else 1)


def _reduced(args: Sequence[Any], place: int) -> int:
    """Count the entries of the axes at a place of the call: one, several, or all."""
    tensor: Tensor = args[0]
    axes = args[place] if len(args) > place else None
    if isinstance(axes, int) and not isinstance(axes, bool):
        axes = [axes]
    if not isinstance(axes, list | tuple) or not axes:
        return tensor.numel()
    return prod(tensor.shape[axis] for axis in axes) if tensor.ndim else 1


def taps(weight: Tensor) -> int:
    """Return the products in one output of a convolution, or of its transpose."""
    return max(weight.numel() // max(1, size) for size in weight.shape[:2])


def tensor_arguments(args: Sequence[Any]) -> list[Tensor]:
    """Return the tensors of a call that stand in no list."""
    return [arg for arg in args if isinstance(arg, Tensor)]
