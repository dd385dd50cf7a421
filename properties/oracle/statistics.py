"""The third oracle, for fresh parameters: finite-sample tests with a stated chance of a false alarm.

Every test below rejects a true statement with probability at most FALSE_ALARM, for every sample size:

* support: certain, no chance involved.
* reach: n independent draws all miss the last part delta of a bounded support with probability
  (1 - delta)^n; delta is where that equals FALSE_ALARM. It sees a bound that is too small.
* distribution: the Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant,
  P(sup |F_n - F| > e) <= 2 exp(-2 n e^2). Two samples are each given half of FALSE_ALARM, and values may
  move by float32 rounding.
* place by place: the same for single entries over many constructions, FALSE_ALARM shared among them; an entry
  that every construction of both forms fixes must be fixed at the same value.
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
MOST_PLACES = 48
"""Entries of one parameter that are compared one by one."""
REPRESENTATION = 2.0**-20
"""Relative width of float32 rounding in a bound: a draw may be rounded onto it, or just past it."""


@dataclass(frozen=True)
class Draws:
    """Independent draws about one fresh parameter (entries, norms), and its shape."""

    values: Tensor
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Positions:
    """Independent draws of whole parameters, (constructions, entries), compared place by place."""

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


def place_by_place(reference: Positions, candidate: Positions) -> str:
    """Say at which entry two fresh parameters differ: a fixed value, or the distribution."""
    if reference.values.shape[1:] != candidate.values.shape[1:] or not reference.values.numel():
        return ""
    return _fixed_entries(reference, candidate) or _drawn_entries(reference, candidate)


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


def _fixed_entries(reference: Positions, candidate: Positions) -> str:
    """Compare the entries that are one value in every construction of both."""
    low, high = reference.values.amin(0), reference.values.amax(0)
    other_low, other_high = candidate.values.amin(0), candidate.values.amax(0)
    fixed = (low == high) & (other_low == other_high)
    slack = REPRESENTATION * torch.maximum(low.abs(), other_low.abs())
    wrong = (fixed & ((low - other_low).abs() > slack)).nonzero()
    if not len(wrong):
        return ""
    place = int(wrong[0])
    return (
        f"entry {_index(place, reference.shape)} is always {other_low[place]:.6g}, the reference's always "
        f"{low[place]:.6g}; {len(wrong)} of {len(low)} entries differ"
    )


def _drawn_entries(reference: Positions, candidate: Positions) -> str:
    """Compare a few entries, each with the same one of the other form, and share FALSE_ALARM among them."""
    total = reference.values.shape[1]
    places = torch.arange(0, total, max(1, math.ceil(total / MOST_PLACES)))
    probability = FALSE_ALARM / (2 * len(places))
    limit = sum(dkw(len(one.values), probability) for one in (reference, candidate))
    for place in places.tolist():
        one, other = (side.values[:, place].double().sort().values for side in (reference, candidate))
        gap = max(_lead(one, other), _lead(other, one))
        if gap > limit:
            return (
                f"another distribution of entry {_index(place, reference.shape)}: {gap:.3g} apart, where "
                f"chance gives at most {limit:.3g}; {_moments(other)}, the reference {_moments(one)}"
            )
    return ""


def _index(place: int, shape: tuple[int, ...]) -> list[int]:
    return [int(axis) for axis in torch.unravel_index(torch.tensor(place), shape)]


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
