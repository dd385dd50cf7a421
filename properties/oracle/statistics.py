"""The third oracle, for fresh parameters: finite-sample tests with a stated chance of a false alarm.

Every test below rejects a true statement with probability at most FALSE_ALARM, for every sample size:

* distribution: draws are compared in pairs, one of each sample, both of one distribution, which need not be
  that of the next pair. Given the two numbers of every pair, which sample holds which is a fair coin: so
  Hoeffding's inequality bounds F_n - G_n at each of m quantiles of all 2 n numbers, and between two it moves
  by at most 2 / m: P(sup |F_n - G_n| > e) <= 2 m exp(-n (e - 2 / m)^2 / 2). Values may move by float32
  rounding; nan is held to be the largest number.
* ends: by the same coins, the k largest of such pairs are all in one sample with probability 2^-k at most,
  and so are the k smallest.
* by ranks: each number is scored by its rank among all 2 n, or by how far that lies from the middle one. By
  the same coins Hoeffding's inequality bounds the sum of the differences d of the pairs' scores:
  P(|sum| > e) <= 2 exp(-e^2 / (2 sum d^2)). Where draws lie and how far they spread shows here before it does
  in F_n - G_n: half as wide again in 1,024 pairs.
* place by place: the Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant,
  P(sup |F_n - F| > e) <= 2 exp(-2 n e^2), for single entries over many constructions, FALSE_ALARM shared
  among them; an entry that every construction of both forms fixes must be fixed at the same value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

FALSE_ALARM = 1e-9
MOST_PLACES = 48
"""Entries of one parameter that are compared one by one."""
QUANTILES = 16
"""Quantiles for each root of n: enough to lose little between them, few enough to share FALSE_ALARM."""
MOST_RANKED = 4096
"""Pairs that are ranked: more would take longer than all other tests."""
ALL_BEYOND = math.ceil(math.log2(4 / FALSE_ALARM))
"""So many draws beyond one end, all of one sample, are no chance: 2 samples and 2 ends share FALSE_ALARM."""
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
    one, other = (ordered(_nan_last(side.values)) for side in (reference, candidate))
    problem = _ends(one, other) or _apart(one, other) or _ranked(reference.values, candidate.values)
    if not problem:
        return ""
    return f"{problem}; {moments(candidate.values)}, the reference {moments(reference.values)}"


def place_by_place(reference: Positions, candidate: Positions) -> str:
    """Say at which entry two fresh parameters differ: a fixed value, or the distribution."""
    if reference.values.shape[1:] != candidate.values.shape[1:] or not reference.values.numel():
        return ""
    reference, candidate = (replace(side, values=_nan_last(side.values)) for side in (reference, candidate))
    return _fixed_entries(reference, candidate) or _drawn_entries(reference, candidate)


def dkw(count: int, probability: float) -> float:
    """e with 2 exp(-2 n e^2) = probability: how far an empirical distribution may lie from the true one."""
    return math.sqrt(math.log(2 / probability) / (2 * count))


def apart_by_chance(pairs: int, probability: float) -> float:
    """e with 2 m exp(-n (e - 2 / m)^2 / 2) = probability: how far two samples of n pairs may lie apart."""
    quantiles = QUANTILES * math.isqrt(pairs) + 1
    return 2 / quantiles + math.sqrt(2 * math.log(2 * quantiles / probability) / pairs)


def ordered(values: Tensor) -> Tensor:
    """Sort along the last axis, in float64: NumPy takes a tenth of torch's time, which sorts places too."""
    return torch.from_numpy(np.sort(values.double().numpy()))


def _fixed_entries(reference: Positions, candidate: Positions) -> str:
    """Compare the entries that are one value in every construction of both."""
    low, high = reference.values.amin(0), reference.values.amax(0)
    other_low, other_high = candidate.values.amin(0), candidate.values.amax(0)
    fixed = (low == high) & (other_low == other_high)
    slack = REPRESENTATION * torch.maximum(low.abs(), other_low.abs()).nan_to_num(posinf=0.0)
    wrong = (fixed & ((low - other_low).abs() > slack)).nonzero()
    if not len(wrong):
        return ""
    place = int(wrong[0])
    return (
        f"entry {index_of(place, reference.shape)} is always {other_low[place]:.6g}, the reference's always "
        f"{low[place]:.6g}; {len(wrong)} of {len(low)} entries differ"
    )


def _drawn_entries(reference: Positions, candidate: Positions) -> str:
    """Compare a few entries, each with the same one of the other form, and share FALSE_ALARM among them."""
    total = reference.values.shape[1]
    places = torch.arange(0, total, max(1, math.ceil(total / MOST_PLACES)))
    probability = FALSE_ALARM / (2 * len(places))
    limit = sum(dkw(len(one.values), probability) for one in (reference, candidate))
    one, other = (ordered(side.values[:, places].T.contiguous()) for side in (reference, candidate))
    gaps = _gap(one, other)
    beyond = (gaps > limit).nonzero()
    if not len(beyond):
        return ""
    first = int(beyond[0])
    return (
        f"another distribution of entry {index_of(int(places[first]), reference.shape)}: {gaps[first]:.3g} "
        f"apart, where chance gives at most {limit:.3g}; {moments(other[first])}, the reference "
        f"{moments(one[first])}"
    )


def index_of(place: int, shape: tuple[int, ...]) -> list[int]:
    """Give the index of an entry that is counted row by row."""
    return [int(axis) for axis in np.unravel_index(place, shape)]


def _gap(one: Tensor, other: Tensor) -> Tensor:
    """Give how far two sorted samples lie apart, (..., n) and (..., m) -> (...)."""
    slack = _slack(one, other)
    return torch.maximum(_lead(one, other, slack), _lead(other, one, slack))


def _lead(one: Tensor, other: Tensor, slack: Tensor) -> Tensor:
    """Give max F_one(x) - F_other(x + its rounding) over two sorted samples."""
    count, others = one.shape[-1], other.shape[-1]
    steps = torch.arange(1, count + 1, dtype=torch.float64) / count
    below = torch.searchsorted(other, one + slack + rounding(one), right=True)
    return (steps - below / others).amax(-1)


def _ends(one: Tensor, other: Tensor) -> str:
    """Count how many draws of one sorted sample lie beyond all of the other, at either end."""
    slack = _slack(one, other).item()
    for whose, inner, outer in (("the reference", one, other), ("the candidate", other, one)):
        low, high = inner[[0, -1]]
        above = int((outer > high + slack + rounding(high)).sum())
        below = int((outer < low - slack - rounding(low)).sum())
        if max(above, below) >= ALL_BEYOND:
            end = f"above {high.item():.6g}" if above >= ALL_BEYOND else f"below {low.item():.6g}"
            beyond = f"{max(above, below)} draws {end}, where {whose} ends"
            return f"{beyond}, and chance gives fewer than {ALL_BEYOND}"
    return ""


def _apart(one: Tensor, other: Tensor) -> str:
    gap = _gap(one, other).item()
    limit = apart_by_chance(min(len(one), len(other)), FALSE_ALARM)
    if gap <= limit:
        return ""
    return f"another distribution: {gap:.3g} apart, where chance gives at most {limit:.3g}"


def _ranked(reference: Tensor, candidate: Tensor) -> str:
    """Compare where the draws of pairs lie among all, and how far from the middle one."""
    count = min(reference.numel(), candidate.numel(), MOST_RANKED)
    one, other = (_nan_last(side.flatten()[:count].double()) for side in (reference, candidate))
    ranks = _ranks(torch.cat([one, other]))
    for scores, told in ((ranks, ("lower", "higher")), (ranks.abs(), ("closer together", "further apart"))):
        differences = scores[count:] - scores[:count]
        total = differences.sum().item()
        limit = math.sqrt(2 * differences.dot(differences).item() * math.log(2 / FALSE_ALARM))
        if abs(total) > limit:
            apart, most = abs(total) / count, limit / count
            return f"draws lie {told[total > 0]}: ranks {apart:.3g} apart, where chance gives {most:.3g}"
    return ""


def _ranks(values: Tensor) -> Tensor:
    """Give the rank of each number, from -1 to 1; numbers that only rounding tells apart have one rank."""
    order = torch.from_numpy(np.argsort(values.numpy()))
    ascending = values[order]
    slack = _slack(ascending, ascending) + rounding(ascending)
    begins = torch.ones(len(values), dtype=torch.bool)
    begins[1:] = ascending[1:] > ascending[:-1] + slack[:-1]
    group = begins.cumsum(0) - 1
    places = torch.arange(len(values), dtype=torch.float64)
    middle = torch.zeros(int(group[-1]) + 1, dtype=torch.float64)
    middle.scatter_reduce_(0, group, places, "mean", include_self=False)
    ranks = torch.empty_like(middle[group])
    ranks[order] = 2 * (middle[group] + 0.5) / len(values) - 1
    return ranks


def _slack(one: Tensor, other: Tensor) -> Tensor:
    """Give the rounding of draws of two sorted samples, (..., n) and (..., m) -> (..., 1)."""
    return REPRESENTATION * torch.maximum(typical(one), typical(other))


def typical(values: Tensor) -> Tensor:
    """Give the largest |x| of a sorted sample but for one draw in a hundred at either end, (..., 1).

    Few draws, infinite or huge, are not to widen what is taken for rounding of all others.
    """
    left_out = values.shape[-1] // 100
    return _finite(values[..., [left_out, -1 - left_out]]).abs().amax(-1, keepdim=True)


def rounding(values: Tensor) -> Tensor:
    """Give the rounding of each draw by itself."""
    return REPRESENTATION * _finite(values).abs()


def _finite(values: Tensor) -> Tensor:
    return values.nan_to_num(0.0, 0.0, 0.0)


def _nan_last(values: Tensor) -> Tensor:
    """Put nan above every number, as no inequality holds of it: so its draws are counted as others are."""
    if not values.isnan().any():
        return values
    return values.nan_to_num(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf)


def moments(values: Tensor) -> str:
    """Say where draws lie, and how far they spread."""
    values = values.double()
    mean = values.mean()
    apart = (values - mean).flatten()
    return f"mean {mean.item():.3g}, std {math.sqrt(apart.dot(apart).item() / len(apart)):.3g}"
