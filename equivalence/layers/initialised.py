"""A layer that an initialiser fills, and NumPy's initialisers in torch's clothes."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.layers.validation import check_input, check_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from equivalence.layers.initialisers import Array


class Initialised(nn.Module):
    """y = x Wᵀ with W the weight flattened to a matrix, (*batch, in · |kernel|) -> (*batch, out).

    weight has the given shape, (out, in, *kernel), and is filled by the initialiser, in place. Raises
    ValueError for a shape of fewer than two axes, a size that is no integer of at least 0, or an input with
    another last axis; TypeError for an input with another dtype.
    """

    def __init__(self, shape: tuple[int, ...], initialiser: Callable[[Tensor], object]) -> None:
        if len(shape) < 2:
            raise ValueError(f"shape must have two axes or more, but is {shape}; add axes of size 1")
        for axis, size in enumerate(shape):
            check_size(f"shape[{axis}]", size)
        super().__init__()
        self.in_features = math.prod(shape[1:])
        self.weight = nn.Parameter(torch.zeros(shape))
        with torch.no_grad():
            initialiser(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, in · |kernel|) -> (*batch, out)."""
        check_input(x, (self.in_features,), self.weight)
        return functional.linear(x, self.weight.flatten(1))


def from_numpy(function: Callable[..., Array], **options: object) -> Callable[[Tensor], Tensor]:
    """function(shape, generator, **options) as an initialiser that fills a tensor in place and returns it.

    NumPy's generator is seeded from torch's, so that torch's seed determines the draw.
    """
    return functools.partial(_fill, function, options)


def _fill(function: Callable[..., Array], options: dict[str, object], tensor: Tensor) -> Tensor:
    seed = int(torch.randint(2**63 - 1, (), device="cpu"))
    values = function(tuple(tensor.shape), np.random.default_rng(seed), **options)
    with torch.no_grad():
        return tensor.copy_(torch.from_numpy(values))
