"""How two forms of one function round beside each other: what the exact oracle leaves unsaid."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.regime import Reals
from properties.cases.sample import OutsideDomainError, Sample
from properties.dtypes import named
from properties.judging.numbers import DOUBLE, SINGLE

SAME_BITS = "bitwise the same in {}"
OTHER_ORDER = "the same function, another order of summation"
LESS_PRECISE = "the same function, less precise"
MORE_PRECISE = "the same function, more precise"
CLEARLY = 8.0
"""Noise that is so many times larger is no matter of the order of summation."""
CASES = 32


def rounding(domain: Domain) -> str:
    """Say how the candidate rounds beside the reference, in wide cases; empty if it raises.

    In float32 where the setting is float64, else in its own dtype.
    """
    rounded = SINGLE if domain.setting.is_double else Reals(domain.setting.dtype)
    try:
        with torch.no_grad():
            found = [_errors(domain, case, rounded) for case in _cases(domain)]
    except (FormError, OutsideDomainError):
        return ""
    if all(alike for alike, _, _ in found):
        return f"{SAME_BITS.format(named(rounded.dtype))}, in each of {CASES} cases"
    if domain.setting.is_narrow:
        # Rounded themselves, the numbers of a case hide which form rounds more.
        return ""
    reference, candidate = (max(one[side] for one in found) for side in (1, 2))
    if candidate > CLEARLY * reference:
        return LESS_PRECISE
    return MORE_PRECISE if reference > CLEARLY * candidate else OTHER_ORDER


def _cases(domain: Domain) -> Iterator[Case]:
    """Give wide cases of every option, each with several seeds."""
    wide = itertools.cycle(list(domain.wide()))
    return (replace(case, seed=seed) for seed, case in enumerate(itertools.islice(wide, CASES)))


def _errors(domain: Domain, case: Case, rounded: Reals) -> tuple[bool, float, float]:
    """Say whether both give the same bits in a dtype, and how far each is from itself in float64."""
    single, double = (_outputs(Sample(case, regime, domain.data)) for regime in (rounded, DOUBLE))
    alike = all(torch.equal(one, other) for one, other in zip(*single, strict=True))
    reference, candidate = (
        max(map(_error, rounded, exact), default=0.0) for rounded, exact in zip(single, double, strict=True)
    )
    return alike, reference, candidate


def _outputs(sample: Sample) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    return sample.reference(sample.theta, sample.inputs), sample.candidate(sample.theta, sample.inputs)


def _error(rounded: Tensor, exact: Tensor) -> float:
    return float((rounded.double() - exact.double()).abs().max()) if rounded.numel() else 0.0
