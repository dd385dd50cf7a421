"""The second oracle, for forms that leave the integers: the precision ladder.

Both forms run on the same values in float32 and in float64. Rounding shrinks by 2^29 from one to the other, a
difference of meaning stays. So each tensor's own float32 noise sets what its float64 difference may be:

    noise = max(|ref32 - ref64|, |cand32 - cand64|, |ref32 - cand32|, u32 * scale)
    differs where |ref64 - cand64| > TOLERANCE * 2^-29 * noise

No tolerance is chosen by hand for any layer: an ill-conditioned one has more noise and is given more room.
TOLERANCE is one constant for all of them, 2^10. Right pairs use up to 2^4.4 of it at 16,384 terms and 2^6.5
at a million (a layer norm, whose float64 error grows faster than its float32 noise); a difference of meaning
arrives at 2^29.
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
STUCK = 2.0**-10
"""A difference that keeps this part of its float32 size in float64 did not shrink."""


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


def computes_in_single(reference: tuple[Tensor, Tensor], candidate: tuple[Tensor, Tensor]) -> bool:
    """Whether a small difference did not shrink: the mark of a form that computes in float32 inside."""
    single, double = (
        _largest(reference[0].double() - candidate[0].double()),
        _largest(reference[1] - candidate[1]),
    )
    small = double <= 2.0**10 * UNIT_ROUNDOFF * _largest(reference[1])
    return small and double > STUCK * single


def _largest(values: Tensor) -> float:
    finite = values[torch.isfinite(values)]
    return float(finite.abs().max()) if finite.numel() else 0.0


def _nonfinite(values: Tensor) -> Tensor:
    """0 for a number, 1 and 2 for +inf and -inf, 3 for nan."""
    return values.isposinf() + 2 * values.isneginf().int() + 3 * values.isnan().int()
