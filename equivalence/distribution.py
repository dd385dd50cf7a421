"""Closed-form distributions of fresh parameter entries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Distribution(Protocol):
    """The law of one fresh entry: its support, its moments and its distribution function."""

    @property
    def support(self) -> tuple[float, float]:
        """Smallest and largest value that can be drawn."""

    @property
    def mean(self) -> float:
        """E[x]."""

    @property
    def variance(self) -> float:
        """E[(x - E[x])^2]."""

    def cdf(self, values: Tensor) -> Tensor:
        """P(x <= value), elementwise, in float64."""


@dataclass(frozen=True)
class Uniform:
    """U(low, high)."""

    low: float
    high: float

    @property
    def support(self) -> tuple[float, float]:
        """[low, high]."""
        return self.low, self.high

    @property
    def mean(self) -> float:
        """(low + high) / 2."""
        return (self.low + self.high) / 2

    @property
    def variance(self) -> float:
        """(high - low)^2 / 12."""
        return (self.high - self.low) ** 2 / 12

    def cdf(self, values: Tensor) -> Tensor:
        """(value - low) / (high - low), clamped to [0, 1]."""
        return ((values.double() - self.low) / (self.high - self.low)).clamp(0, 1)


@dataclass(frozen=True)
class Normal:
    """N(centre, std^2)."""

    centre: float
    std: float

    @property
    def support(self) -> tuple[float, float]:
        """Every real number."""
        return -math.inf, math.inf

    @property
    def mean(self) -> float:
        """The centre."""
        return self.centre

    @property
    def variance(self) -> float:
        """std^2."""
        return self.std**2

    def cdf(self, values: Tensor) -> Tensor:
        """Phi((value - centre) / std)."""
        probability: Tensor = torch.special.ndtr((values.double() - self.centre) / self.std)
        return probability


@dataclass(frozen=True)
class TruncatedNormal:
    """N(centre, std^2) given low <= x <= high."""

    centre: float
    std: float
    low: float
    high: float

    @property
    def support(self) -> tuple[float, float]:
        """[low, high]."""
        return self.low, self.high

    @property
    def mean(self) -> float:
        """Centre + std (phi(a) - phi(b)) / Z, for the standardised bounds a and b."""
        a, b, mass = self._standardised()
        return self.centre + self.std * (_density(a) - _density(b)) / mass

    @property
    def variance(self) -> float:
        """std^2 (1 + (a phi(a) - b phi(b)) / Z - ((phi(a) - phi(b)) / Z)^2)."""
        a, b, mass = self._standardised()
        slope = (a * _density(a) - b * _density(b)) / mass
        shift = (_density(a) - _density(b)) / mass
        return self.std**2 * (1 + slope - shift**2)

    def cdf(self, values: Tensor) -> Tensor:
        """(Phi(z) - Phi(a)) / (Phi(b) - Phi(a)), clamped to [0, 1]."""
        a, _, mass = self._standardised()
        standardised = (values.double() - self.centre) / self.std
        probability: Tensor = (torch.special.ndtr(standardised) - _probability(a)) / mass
        return probability.clamp(0, 1)

    def _standardised(self) -> tuple[float, float, float]:
        a, b = (self.low - self.centre) / self.std, (self.high - self.centre) / self.std
        return a, b, _probability(b) - _probability(a)


@dataclass(frozen=True)
class Constant:
    """Every entry is `value`."""

    value: float

    @property
    def support(self) -> tuple[float, float]:
        """[value, value]."""
        return self.value, self.value

    @property
    def mean(self) -> float:
        """The value."""
        return self.value

    @property
    def variance(self) -> float:
        """0."""
        return 0.0

    def cdf(self, values: Tensor) -> Tensor:
        """1 from the value on, 0 below."""
        return (values.double() >= self.value).double()


def _density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _probability(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2
