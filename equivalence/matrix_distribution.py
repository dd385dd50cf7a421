"""Closed-form distributions of the entries of fresh matrices, whose entries are not independent draws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from equivalence.distribution import Normal


@dataclass(frozen=True)
class SphereCoordinate:
    """One coordinate of a uniform point on the sphere of a radius: x^2 / radius^2 ~ Beta(1/2, (n - 1)/2).

    So is one entry of radius · Q, where Q is uniform among matrices with orthonormal rows or columns, each of
    n entries.
    """

    dimension: int
    radius: float

    @property
    def support(self) -> tuple[float, float]:
        """[-radius, radius]."""
        return -self.radius, self.radius

    @property
    def mean(self) -> float:
        """0."""
        return 0.0

    @property
    def variance(self) -> float:
        """radius^2 / n."""
        return self.radius**2 / self.dimension

    def cdf(self, values: Tensor) -> Tensor:
        """(1 + G(value / radius)) / 2 with G(t) the mass of [-t, t], and G(-t) = -G(t)."""
        return (1 + _mass_about_equator(values.double() / self.radius, self.dimension)) / 2


@dataclass(frozen=True)
class Thinned:
    """0 in a share of the places, drawn at random, `rest` in the others, independent once these are known."""

    share: float
    rest: Normal

    @property
    def support(self) -> tuple[float, float]:
        """Every real number."""
        return self.rest.support

    @property
    def mean(self) -> float:
        """(1 - share) E[rest]."""
        return (1 - self.share) * self.rest.mean

    @property
    def variance(self) -> float:
        """(1 - share) (Var[rest] + E[rest]^2) - mean^2."""
        return (1 - self.share) * (self.rest.variance + self.rest.mean**2) - self.mean**2

    def cdf(self, values: Tensor) -> Tensor:
        """Share from 0 on, plus (1 - share) P(rest <= value)."""
        at_zero = self.share * (values.double() >= 0).double()
        return at_zero + (1 - self.share) * self.rest.cdf(values)


@dataclass(frozen=True)
class Fixed:
    """A constant for every place, row by row; the moments are those of a random place."""

    values: tuple[float, ...]

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest constant."""
        return min(self.values, default=0.0), max(self.values, default=0.0)

    @property
    def mean(self) -> float:
        """The mean over the places."""
        return math.fsum(self.values) / max(1, len(self.values))

    @property
    def variance(self) -> float:
        """The variance over the places."""
        squares = ((value - self.mean) ** 2 for value in self.values)
        return math.fsum(squares) / max(1, len(self.values))

    def cdf(self, values: Tensor) -> Tensor:
        """The share of the places whose constant is at most the value."""
        ordered = torch.tensor(self.values, dtype=torch.float64).sort().values
        return torch.searchsorted(ordered, values.double(), right=True) / max(1, len(ordered))


def _mass_about_equator(sine: Tensor, dimension: int) -> Tensor:
    """Integrate cos^(n - 2) from 0 to the latitude, over its integral to the pole, in steps of two powers."""
    if dimension == 1:
        return (sine >= 1).double() - (sine < -1).double()
    sine = sine.clamp(-1, 1)
    mass, first = (sine, 3) if dimension % 2 else (2 / math.pi * sine.asin(), 2)
    whole = 1.0 if dimension % 2 else math.pi / 2
    cosine = (1 - sine.square()).sqrt()
    for power in range(first, dimension, 2):
        whole *= (power - 1) / power
        mass = mass + cosine ** (power - 1) * sine / (power * whole)
    return mass
