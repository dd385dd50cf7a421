"""Whether draws have the distribution that is stated of them, with the false alarms of `statistics`.

* support: certain, no chance involved.
* reach: n independent draws all miss the first or the last part delta of a distribution with probability
  (1 - delta)^n; delta is where that equals half of FALSE_ALARM. It sees a bound that is too small.
* distribution: the Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant,
  P(sup |F_n - F| > e) <= 2 exp(-2 n e^2).
* spread: the second moment of n normal draws is chi-squared, and its tail is bounded by Laurent and Massart
  (2000, lemma 1): P(X > n + 2 sqrt(n t) + 2 t) <= exp(-t) and P(X < n - 2 sqrt(n t)) <= exp(-t).
* zeros: the share of zeros among n places, by Hoeffding (1963), who covers places drawn without replacement.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from equivalence.distribution import Distribution, Normal
from equivalence.matrix_distribution import Fixed, Thinned
from properties.oracle.statistics import (
    FALSE_ALARM,
    REPRESENTATION,
    Draws,
    Positions,
    dkw,
    index_of,
    moments,
    ordered,
    rounding,
    typical,
)


def fixed_places(expected: Fixed, candidate: Positions) -> str:
    """Say which entry is not the constant that is stated of it; empty where all are."""
    constants = torch.tensor(expected.values).expand(len(candidate.values), -1)
    if constants.shape != candidate.values.shape:
        return f"{candidate.values.shape[1]} entries where {constants.shape[1]} constants are stated"
    # So written that nan is wrong too.
    wrong = (~((constants - candidate.values).abs() <= REPRESENTATION * constants.abs())).nonzero()
    if not len(wrong):
        return ""
    row, place = wrong[0].tolist()
    found, stated = candidate.values[row, place].item(), expected.values[place]
    return f"entry {index_of(place, candidate.shape)} is {found:.6g}, stated as {stated:.6g}"


def one_sample(expected: Distribution, draws: Draws) -> str:
    """Say how a sample cannot come from a closed-form distribution; empty where it can."""
    values = draws.values
    if not values.numel():
        return ""
    if isinstance(expected, Thinned):
        numbers = values.float().numpy()
        # NumPy selects in a fraction of the time that torch takes.
        rest = torch.from_numpy(numbers[numbers != 0])
        zeros = values.numel() - rest.numel()
        return _zeros(expected, zeros, values.numel()) or one_sample(expected.rest, Draws(rest, draws.shape))
    low, high = torch.stack(values.aminmax()).tolist()
    return (
        _support(expected, low, high)
        or _reach(expected, low, high, values.numel())
        or _spread(expected, values)
        or _shape(expected, values)
    )


def _support(expected: Distribution, low: float, high: float) -> str:
    least, most = expected.support
    slack = REPRESENTATION * max((abs(bound) for bound in (least, most) if math.isfinite(bound)), default=0.0)
    if least - slack <= low and high <= most + slack and math.isfinite(low) and math.isfinite(high):
        return ""
    found = f"from {low:.6g} to {high:.6g}"
    return f"values {found} leave the support [{least:.6g}, {most:.6g}] of {expected}"


def _reach(expected: Distribution, low: float, high: float, count: int) -> str:
    if expected.variance == 0:
        return ""
    part = -math.expm1(math.log(FALSE_ALARM / 2) / count)
    deviation = math.sqrt(expected.variance)
    slack = [REPRESENTATION * max(abs(end), deviation) for end in (low, high)]
    rounded = torch.tensor([low - slack[0], high + slack[1]], dtype=torch.float64)
    first, last = expected.cdf(rounded).tolist()
    if first <= part and last >= 1 - part:
        return ""
    return f"{count} draws reach only from {low:.6g} to {high:.6g} in {expected}"


def _spread(expected: Distribution, values: Tensor) -> str:
    if not isinstance(expected, Normal):
        return ""
    count, tail = values.numel(), math.log(2 / FALSE_ALARM)
    standardised = (values.double() - expected.centre) / expected.std
    total = standardised.dot(standardised).item()
    low, high = count - 2 * math.sqrt(count * tail), count + 2 * math.sqrt(count * tail) + 2 * tail
    if low <= total <= high:
        return ""
    return f"another spread than {expected}: {moments(values)}, from {count} draws"


def _shape(expected: Distribution, values: Tensor) -> str:
    if expected.variance == 0:
        return ""
    inner = ordered(values)
    slack = REPRESENTATION * typical(inner).clamp(min=math.sqrt(expected.variance)) + rounding(inner)
    steps = torch.arange(len(inner) + 1, dtype=torch.float64) / len(inner)
    # A value may be rounded over an atom, and below an atom stands less than at it.
    ahead = (steps[1:] - expected.cdf(inner + slack)).max()
    behind = (expected.cdf(inner - slack) - steps[:-1]).max()
    gap, limit = max(ahead.item(), behind.item()), dkw(len(inner), FALSE_ALARM)
    if gap <= limit:
        return ""
    return (
        f"another distribution than {expected}: {gap:.3g} apart, where chance gives at most {limit:.3g}; "
        f"{moments(values)}, expected mean {expected.mean:.3g}, std {math.sqrt(expected.variance):.3g}"
    )


def _zeros(expected: Thinned, zeros: int, count: int) -> str:
    share, limit = zeros / count, dkw(count, FALSE_ALARM)
    if abs(share - expected.share) <= limit:
        return ""
    return f"{share:.3g} of the draws are 0, where {expected} has {expected.share:.3g} up to {limit:.3g}"
