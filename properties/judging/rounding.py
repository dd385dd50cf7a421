"""How two forms of one function round beside each other: what the exact oracle leaves unsaid."""

from __future__ import annotations

import torch
from torch import Tensor

from properties.cases.domain import Domain
from properties.cases.form import FormError
from properties.cases.sample import OutsideDomainError, Sample
from properties.judging.judge import FLOATS

SAME_BITS = "bitwise the same in float32"
OTHER_ORDER = "the same function, another order of summation"
LESS_PRECISE = "the same function, less precise"
MORE_PRECISE = "the same function, more precise"
CLEARLY = 8.0
"""Noise that is so many times larger is no matter of the order of summation."""


def rounding(domain: Domain) -> str:
    """Say how the candidate rounds in float32 beside the reference, at one wide case; empty if it raises."""
    case = next(domain.wide())
    try:
        with torch.no_grad():
            single, double = (_outputs(Sample(case, regime, domain.data)) for regime in FLOATS)
    except (FormError, OutsideDomainError):
        return ""
    if all(torch.equal(one, other) for one, other in zip(*single, strict=True)):
        return SAME_BITS
    reference, candidate = (
        max(map(_noise, rounded, exact), default=0.0) for rounded, exact in zip(single, double, strict=True)
    )
    if candidate > CLEARLY * reference:
        return LESS_PRECISE
    return MORE_PRECISE if reference > CLEARLY * candidate else OTHER_ORDER


def _outputs(sample: Sample) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    return sample.reference(sample.theta, sample.inputs), sample.candidate(sample.theta, sample.inputs)


def _noise(rounded: Tensor, exact: Tensor) -> float:
    return float((rounded.double() - exact.double()).abs().max()) if rounded.numel() else 0.0
