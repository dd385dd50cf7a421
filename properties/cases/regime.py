"""Which numbers a case is filled with: integers for a bitwise verdict, reals for the precision ladder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Shape = tuple[int, ...]


class Regime(Protocol):
    """A way to draw tensors, and the dtype that the forms run in."""

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of every real tensor of the case."""

    def draw(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw an input or a cotangent."""

    def draw_parameter(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw a parameter."""


@dataclass(frozen=True)
class Integers:
    """Integers -2^bits <= n <= 2^bits, held in float64: 2^(bits + 1) + 1 equally likely values."""

    bits: int
    dtype: torch.dtype = torch.float64

    def draw(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw every entry uniformly and independently."""
        bound = 2**self.bits
        return torch.randint(-bound, bound + 1, shape, generator=generator, dtype=self.dtype)

    draw_parameter = draw


@dataclass(frozen=True)
class Reals:
    """Normal numbers, drawn in float32 so that every dtype from there on holds the same values."""

    dtype: torch.dtype

    def draw(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw every entry from N(0, 1)."""
        return torch.randn(shape, generator=generator, dtype=torch.float32).to(self.dtype)

    def draw_parameter(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw every entry from N(0, 1 / fan_in), so that deep forms neither saturate nor overflow."""
        fan_in = max(1, math.prod(shape[1:]))
        return self.draw(shape, generator) / math.sqrt(fan_in)
