"""What a form costs, in closed form: what it stores, and the products that one forward takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """What a form keeps, and how much it multiplies."""

    parameters: int
    """Scalars stored as parameters: shared ones once, dead and frozen ones too."""
    multiply_adds: int
    """Products of two numbers in one forward, each with the addition that takes it in."""
    dead: int = 0
    """Parameters that training cannot change."""
    buffers: int = 0
    """Entries stored as buffers."""

    @property
    def free_parameters(self) -> int:
        """The parameters that training can change."""
        return self.parameters - self.dead


def dense(batch: int, in_features: int, out_features: int, *, bias: bool) -> Counts:
    """y = x Wᵀ + b: out · in + out parameters (out · in without a bias), batch · in · out multiply-adds."""
    weights = in_features * out_features
    return Counts(weights + bias * out_features, batch * weights)
