"""What is known of the values of a tensor: integers up to a bound, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from sys import float_info

import torch
from torch import Tensor


@dataclass(frozen=True)
class Exact:
    """|value| <= weight * M^degree, with every value an integer."""

    degree: int
    weight: float

    def at(self, bits: int) -> float:
        """Give the bound for M = 2^bits; inf beyond all numbers."""
        exponent = bits * self.degree
        return inf if exponent >= float_info.max_exp else float(self.weight * 2.0**exponent)

    def joined(self, other: Bound) -> Bound:
        """Bound a tensor of which one part has this bound and one the other."""
        if isinstance(other, Tainted):
            return other
        return Exact(max(self.degree, other.degree), max(self.weight, other.weight))


@dataclass(frozen=True)
class Tainted:
    """Values that are not known to be integers, and why."""

    reason: str

    def joined(self, other: Bound) -> Bound:  # noqa: ARG002  (the other kind of bound uses it)
        """Stay tainted."""
        return self


Bound = Exact | Tainted


def observed(tensor: Tensor) -> Bound:
    """Bound a constant, and any tensor of indices, by the values it holds; one on no device holds none."""
    if not tensor.numel() or tensor.dtype == torch.bool or tensor.is_meta:
        return Exact(0, 1.0)
    if tensor.is_floating_point() and not torch.equal(tensor, tensor.round()):
        return Tainted("a value from outside is no integer")
    largest = float(tensor.abs().max().item())
    if not isfinite(largest):
        return Tainted("a value from outside is not finite")
    return Exact(0, max(1.0, largest))
