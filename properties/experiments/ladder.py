"""Rounding of two forms in training: the same run in float32 and in float64.

Rounding shrinks by 2^29 from one to the other, a difference of meaning stays. So each tensor's own float32
noise sets what its float64 difference may be:

    noise = max(|ref32 - ref64|, |cand32 - cand64|, |ref32 - cand32|, u32 * scale)
    differs where |ref64 - cand64| > TOLERANCE * 2^-29 * noise

TOLERANCE is one constant, 2^10: ten epochs of MNIST use 2^1. A run of many epochs is too long to be made
again with every operation disturbed, as the laws do it.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

SHRINKAGE = 2.0**-29
"""float64 has 29 more bits of significand than float32."""
TOLERANCE = 1024.0
UNIT_ROUNDOFF = 2.0**-24
"""Of float32."""


def noise(reference: tuple[Tensor, Tensor], candidate: tuple[Tensor, Tensor]) -> float:
    """Give the rounding noise of one output in float32; each side is (float32, float64)."""
    reference_single, reference_double = (side.double() for side in reference)
    candidate_single, candidate_double = (side.double() for side in candidate)
    return max(
        _largest(reference_single - reference_double),
        _largest(candidate_single - candidate_double),
        _largest(reference_single - candidate_single),
        UNIT_ROUNDOFF * _largest(reference_double),
    )


def beyond_rounding(reference: tuple[Tensor, Tensor], candidate: tuple[Tensor, Tensor]) -> Tensor:
    """Say where the float64 values differ by more than rounding explains; each side is (float32, float64)."""
    difference = (reference[1] - candidate[1]).abs()
    allowed = TOLERANCE * SHRINKAGE * noise(reference, candidate)
    return (difference > allowed) | (_nonfinite(reference[1]) != _nonfinite(candidate[1]))


def allowance_used(reference: tuple[Tensor, Tensor], candidate: tuple[Tensor, Tensor]) -> float:
    """Give the largest difference beside what rounding explains: 1 is the limit; each side as above.

    It is finite, so that a report can hold it: what rounding explains may be the smallest number there is.
    """
    difference = _largest(reference[1] - candidate[1])
    allowed = TOLERANCE * SHRINKAGE * noise(reference, candidate)
    if not difference:
        return 0.0
    return min(difference / allowed, sys.float_info.max) if allowed else sys.float_info.max


def _largest(values: Tensor) -> float:
    finite = values[torch.isfinite(values)]
    return float(finite.abs().max()) if finite.numel() else 0.0


def _nonfinite(values: Tensor) -> Tensor:
    """0 for a number, 1 and 2 for +inf and -inf, 3 for nan."""
    return values.isposinf() + 2 * values.isneginf().int() + 3 * values.isnan().int()
