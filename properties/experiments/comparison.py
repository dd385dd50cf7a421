"""Two forms after an epoch, held against each other: losses, logits, and φ(θ) against θ'."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from properties.experiments.ladder import allowance_used, beyond_rounding
from properties.experiments.member import Member, carried, theta_of
from properties.experiments.records import Comparison, Double


def compared(
    members: Sequence[Sequence[Member]], logits: Sequence[Sequence[Tensor]], losses: Tensor, epoch: int
) -> Comparison | None:
    """Compare the second variant with the first, None where there is but one.

    `members` and `logits` are variants × precisions, `losses` is (steps, variants) in float32.
    """
    if len(members) == 1:
        return None
    reference, candidate = (variant[0] for variant in members)
    return Comparison(
        reference=reference.variant.label,
        candidate=candidate.variant.label,
        seed=reference.seed,
        epoch=epoch,
        loss=float((losses[:, 0] - losses[:, 1]).abs().max()) if epoch else 0.0,
        logits=_largest(logits[0][0] - logits[1][0]),
        parameters=_drift(reference, candidate),
        double=_double(logits) if len(members[0]) > 1 else None,
    )


def _double(logits: Sequence[Sequence[Tensor]]) -> Double:
    (single, double), (candidate_single, candidate_double) = logits
    sides = (single, double), (candidate_single, candidate_double)
    return Double(
        logits=_largest(double - candidate_double),
        allowance=allowance_used(*sides),
        same=not bool(beyond_rounding(*sides).any()),
    )


def _drift(reference: Member, candidate: Member) -> dict[str, float]:
    """Give the largest |φ(θ) - θ'| of each of the candidate's parameters."""
    with torch.no_grad():
        expected = carried(candidate.claim, theta_of(reference.module), candidate.module, reference.dtype)
    return {
        name: _largest(expected[name] - value.detach()) for name, value in candidate.module.named_parameters()
    }


def _largest(difference: Tensor) -> float:
    return float(difference.abs().max()) if difference.numel() else 0.0
