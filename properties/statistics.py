"""The third oracle, for fresh parameters: finite-sample tests with a stated chance of a false alarm.

Every test below rejects a true statement with probability at most FALSE_ALARM, for every sample size:

* support: certain, no chance involved.
* reach: n independent draws all miss the last part delta of a bounded support with probability
  (1 - delta)^n; delta is where that equals FALSE_ALARM. It sees a bound that is too small.
* distribution: the Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant,
  P(sup |F_n - F| > e) <= 2 exp(-2 n e^2). Two samples are each given half of FALSE_ALARM, and values may
  move by float32 rounding.
* spread: the second moment of n normal draws is chi-squared, and its tail is bounded by Laurent and Massart
  (2000, lemma 1): P(X > n + 2 sqrt(n t) + 2 t) <= exp(-t) and P(X < n - 2 sqrt(n t)) <= exp(-t).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from equivalence.distribution import Distribution, Normal, Uniform

FALSE_ALARM = 1e-9
REPRESENTATION = 2.0**-20
"""Relative width of float32 rounding in a bound: a draw may be rounded onto it, or just past it."""


@dataclass(frozen=True)
class Draws:
    """Independent draws about one fresh parameter (entries, norms), and its shape."""

    values: Tensor
    shape: tuple[int, ...]


def two_samples(reference: Draws, candidate: Draws) -> str:
    """Say how two samples cannot come from one distribution; empty where they can."""
    if reference.shape != candidate.shape:
        return f"shape {candidate.shape} where the reference has {reference.shape}"
    if not reference.values.numel():
        return ""
    one, other = (draws.values.double().sort().values for draws in (reference, candidate))
    gap = max(_lead(one, other), _lead(other, one))
    limit = sum(dkw(one.values.numel(), FALSE_ALARM / 2) for one in (reference, candidate))
    if gap <= limit:
        return ""
    return (
        f"another distribution: {gap:.3g} apart, where chance gives at most {limit:.3g}; "
        f"{_moments(candidate.values)}, the reference {_moments(reference.values)}"
    )


def one_sample(expected: Distribution, draws: Draws) -> str:
    """Say how a sample cannot come from a closed-form distribution; empty where it can."""
    values = draws.values.double()
    if not values.numel():
        return ""
    return (
        _support(expected, values)
        or _reach(expected, values)
        or _shape(expected, values)
        or _spread(expected, values)
    )


def dkw(count: int, probability: float) -> float:
    """e with 2 exp(-2 n e^2) = probability: how far an empirical distribution may lie from the true one."""
    return math.sqrt(math.log(2 / probability) / (2 * count))


def _lead(one: Tensor, other: Tensor) -> float:
    """Give max F_one(x) - F_other(x + slack) over two sorted samples.

    The slack lets draws pass that differ by float32 rounding alone.
    """
    slack = REPRESENTATION * max(one.abs().max().item(), other.abs().max().item())
    steps = torch.arange(1, len(one) + 1, dtype=torch.float64) / len(one)
    return float((steps - torch.searchsorted(other, one + slack, right=True) / len(other)).max())


def _support(expected: Distribution, values: Tensor) -> str:
    low, high = expected.support
    slack = REPRESENTATION * max((abs(bound) for bound in (low, high) if math.isfinite(bound)), default=0.0)
    smallest, largest = values.min().item(), values.max().item()
    if low - slack <= smallest and largest <= high + slack:
        return ""
    return (
        f"values from {smallest:.6g} to {largest:.6g} leave the support [{low:.6g}, {high:.6g}] of {expected}"
    )


def _reach(expected: Distribution, values: Tensor) -> str:
    if not isinstance(expected, Uniform) or expected.low == expected.high:
        return ""
    part = -math.expm1(math.log(FALSE_ALARM / 2) / values.numel())
    width = part * (expected.high - expected.low)
    smallest, largest = values.min().item(), values.max().item()
    if smallest <= expected.low + width and largest >= expected.high - width:
        return ""
    return f"{values.numel()} draws reach only from {smallest:.6g} to {largest:.6g} in {expected}"


def _shape(expected: Distribution, values: Tensor) -> str:
    if expected.variance == 0:
        return ""
    ordered = values.sort().values
    count = values.numel()
    steps = torch.arange(count + 1, dtype=torch.float64) / count
    cdf = expected.cdf(ordered)
    gap = max((steps[1:] - cdf).max().item(), (cdf - steps[:-1]).max().item())
    limit = dkw(count, FALSE_ALARM)
    if gap <= limit:
        return ""
    return (
        f"another distribution than {expected}: {gap:.3g} apart, where chance gives at most {limit:.3g}; "
        f"{_moments(values)}, expected mean {expected.mean:.3g}, std {math.sqrt(expected.variance):.3g}"
    )


def _spread(expected: Distribution, values: Tensor) -> str:
    if not isinstance(expected, Normal):
        return ""
    count, tail = values.numel(), math.log(2 / FALSE_ALARM)
    total = ((values - expected.centre) / expected.std).square().sum().item()
    low, high = count - 2 * math.sqrt(count * tail), count + 2 * math.sqrt(count * tail) + 2 * tail
    if low <= total <= high:
        return ""
    return f"another spread than {expected}: {_moments(values)}, from {count} draws"


def _moments(values: Tensor) -> str:
    values = values.double()
    return f"mean {values.mean().item():.3g}, std {values.std(correction=0).item():.3g}"
