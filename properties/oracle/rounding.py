"""Disturbed runs -> how far rounding can carry an output, and whether two outputs lie within it.

The noise of an output is the spread of its disturbed runs (see `disturbance`) around the undisturbed one: at
each entry the root of the mean square of the deviations, the largest quarter left out, for a disturbed run
may choose another way at a threshold and says nothing then. Few runs may happen to lie close together at one
entry, so no entry's noise is less, beside its size, than what is usual in its tensor. Of very many entries
the farthest lies farther out, as the root of the logarithm of their number: each is granted so much more.

    differs where |reference - candidate| > CONSTANT * max(noise of the reference, noise of the candidate)

CONSTANT is one number for all layers and dtypes: `python -m tests.calibration` measures both ends, and
docs/calibration.md shows them. An ill-conditioned form has much noise, and is given as much room.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import torch
from torch import Tensor

from properties.dtypes import widened

CONSTANT = 16.0
STAGES = {1: 4.0, 3: 8.0, 8: CONSTANT, 32: CONSTANT}
"""Disturbed runs -> the constant that is used with so many: most of what is right is seen with few."""
QUICK = {1: CONSTANT}
"""Where nothing is refuted by what is found."""
ENOUGH = 8
DECISIVE = 1000.0
"""What is so many times beyond the widest noise seen needs no more runs than ENOUGH."""
CLOSE = 4.0
"""So many units in the last place are rounding without further question."""
LEFT_OUT = 4
"""One deviation in so many is left out, the largest ones first."""
MANY = 1024
"""Of so many entries the farthest lies as far out as the constant was measured for."""
LOST = 0.1
"""An entry whose noise is this part of it keeps no digit."""


def close(reference: Tensor, candidate: Tensor, units: float = CLOSE, *, whole: bool = False) -> Tensor:
    """Say where two tensors lie within so many units in the last place, or hold the same infinity or nan.

    The last place is that of each entry, or of the largest one of the `whole`.
    """
    apart = (reference - candidate).abs()
    size = torch.maximum(reference.abs(), candidate.abs())
    if whole and size.numel():
        size = size.nan_to_num(0.0, 0.0, 0.0).amax()
    finfo = torch.finfo(reference.dtype)
    near = apart <= units * finfo.eps * size + underflow(reference.dtype)
    return (near & torch.isfinite(apart)) | (reference == candidate) | (reference.isnan() & candidate.isnan())


def half_the_digits(dtype: torch.dtype) -> float:
    """Return how many units in the last place leave half of the digits of a dtype."""
    return float(torch.finfo(dtype).eps ** -0.5)


def underflow(dtype: torch.dtype) -> float:
    """Give the size below which numbers may have lost digits to gradual underflow on their way."""
    finfo = torch.finfo(dtype)
    # float16 underflows so near to 1 that no more than its subnormal numbers can be left out.
    return float(finfo.tiny if dtype == torch.float16 else finfo.tiny / finfo.eps)


def noise(plain: Tensor, disturbed: Sequence[Tensor]) -> Tensor:
    """Give how far rounding carries each entry of an output, from its undisturbed and its disturbed runs."""
    plain, usable = _usable(plain, disturbed)
    if not usable or not plain.numel():
        return torch.zeros_like(plain.abs())
    deviations = torch.stack([(one - plain).abs().nan_to_num(0.0, 0.0, 0.0) for one in usable])
    kept = deviations.sort(0).values[: len(usable) - len(usable) // LEFT_OUT]
    own = _reach(plain.numel()) * _root_mean_square(kept)
    return torch.maximum(own, _usual(own, plain.abs()) * plain.abs().nan_to_num(0.0, 0.0, 0.0))


def _reach(entries: int) -> float:
    """Return how much farther out the farthest of so many entries lies, as of so many normal deviations."""
    return math.sqrt(max(1.0, math.log(max(1, entries)) / math.log(MANY)))


def widest(plain: Tensor, disturbed: Sequence[Tensor], part: float = 0.0) -> Tensor:
    """Return the most that rounding may carry each entry, by the largest deviation of any run.

    Where a form rounds onto a coarse grid, few runs may all end where the undisturbed one does. `part` of its
    largest entry is granted to each.
    """
    plain, usable = _usable(plain, disturbed)
    if not usable or not plain.numel():
        return torch.zeros_like(plain.abs())
    farthest = torch.stack([(one - plain).abs().nan_to_num(0.0, 0.0, 0.0) for one in usable]).amax(0)
    size = plain.abs().nan_to_num(0.0, 0.0, 0.0)
    relative = torch.where(size > 0, farthest / size, 0.0).amax().nan_to_num(0.0, 0.0, 0.0)
    return torch.maximum(farthest, relative * size).clamp(min=part * float(size.max()))


def widest_part(plain: Tensor, disturbed: Sequence[Tensor]) -> float:
    """Return the largest deviation of any run, beside the largest entry; 0 where nothing is to be seen."""
    farthest, size = widest(plain, disturbed), plain.abs().nan_to_num(0.0, 0.0, 0.0)
    return float(farthest.max() / size.max()) if size.numel() and size.max() > 0 else 0.0


def ratio(reference: Tensor, candidate: Tensor, allowed: Tensor) -> Tensor:
    """Give |reference - candidate| over the noise; 0 where they are close, inf where one alone is finite."""
    apart = (reference - candidate).abs().double()
    over = apart / (allowed.double() + underflow(reference.dtype))
    over = torch.where(torch.isfinite(apart), over, torch.inf)
    return torch.where(close(reference, candidate), 0.0, over)


def times_less_precise(reference: tuple[Tensor, Tensor], candidate: tuple[Tensor, Tensor]) -> Tensor:
    """Return how many times less precise each row of a candidate is, (*batch, n) and its noise -> (*batch).

    0 where the candidate's noise, or its distance from the reference, is explained by that of the reference:
    the noise alone would count how many operations a form takes. And 0 where no rounding explains the
    distance, for that is another function.
    """
    (value, noise_of_it), (other, more) = reference, candidate
    floor = torch.finfo(value.dtype).eps / 2 * _row(value)
    usual = torch.maximum(_row(noise_of_it), floor) + underflow(value.dtype)
    explained = ratio(value, other, torch.maximum(noise_of_it, more)) <= CONSTANT
    apart = torch.where(close(value, other) | ~explained, 0.0, (value - other).abs()).nan_to_num(
        0.0, 0.0, 0.0
    )
    return torch.minimum(_row(more), _row(apart)) / usual


def _row(values: Tensor) -> Tensor:
    """Return the root of the mean square of each row; of what has no axes, its size."""
    size = widened(values).abs().nan_to_num(0.0, 0.0, 0.0)
    return torch.linalg.vector_norm(size, dim=-1) / max(1, size.shape[-1]) ** 0.5 if size.ndim else size


def largest(ratios: Tensor) -> float:
    """Give the largest of some ratios, as a number that a report can hold."""
    return min(float(ratios.max()), sys.float_info.max) if ratios.numel() else 0.0


def lost(plain: Tensor, spread: Tensor) -> Tensor:
    """Say at which entries rounding leaves no digit."""
    return (spread > LOST * plain.abs()) & torch.isfinite(plain) & (plain.abs() > underflow(plain.dtype))


def _usable(plain: Tensor, disturbed: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Give the undisturbed run and those disturbed ones that have its shape, in digits enough."""
    return widened(plain), [widened(one) for one in disturbed if one.shape == plain.shape]


def _root_mean_square(values: Tensor) -> Tensor:
    # Scaled, for squares leave the range long before the numbers do.
    size = values.amax(0).clamp(min=underflow(values.dtype))
    return (values / size).square().mean(0).sqrt() * size


def _usual(own: Tensor, size: Tensor) -> Tensor:
    """Give the median of noise over size, over the entries that have both."""
    both = (own > 0) & (size > 0) & torch.isfinite(size)
    return (own[both] / size[both]).median() if both.any() else own.new_zeros(())
