"""Equation, and the runs of it that were disturbed -> difference beyond rounding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from properties.oracle import rounding
from properties.oracle.agreement import (
    Difference,
    Equation,
    all_equal,
    compared,
    described,
    detached,
    differing_values,
    first_in_trees,
    named,
)
from properties.oracle.trees import joined

NONE_EXPLAINS = 1e18
"""What is so many times as large as the noise stands beside a number that no rounding moves."""


def first_far_apart(equation: Equation) -> Difference | None:
    """Find where two sides differ in the first half of their digits, beside each tensor's largest."""
    nearly = partial(_nearly, whole=True, half=True)
    return first_in_trees(equation.reference, equation.candidate, "", nearly)


def within_range(equation: Equation) -> Equation:
    """Put 0 where the numbers of both sides have left the range of their dtype: there they say nothing.

    float16 ends so early that derivatives of usual numbers leave it: there nothing is said where the
    reference alone does.
    """
    return Equation(*_within_range(equation.reference, equation.candidate))


def _within_range(reference: Any, candidate: Any) -> tuple[Any, Any]:
    if (
        isinstance(reference, Mapping)
        and isinstance(candidate, Mapping)
        and reference.keys() == candidate.keys()
    ):
        pairs = {name: _within_range(value, candidate[name]) for name, value in reference.items()}
        return {name: pair[0] for name, pair in pairs.items()}, {
            name: pair[1] for name, pair in pairs.items()
        }
    if isinstance(reference, list | tuple) and isinstance(candidate, list | tuple):
        if len(reference) == len(candidate):
            found = [_within_range(left, right) for left, right in zip(reference, candidate, strict=True)]
            return [left for left, _ in found], [right for _, right in found]
        return reference, candidate
    if not (_is_inexact(reference) and _is_inexact(candidate)) or reference.shape != candidate.shape:
        return reference, candidate
    beyond = ~torch.isfinite(reference)
    if reference.dtype != torch.float16:
        beyond &= ~torch.isfinite(candidate)
    if not beyond.any():
        return reference, candidate
    return reference.detach().masked_fill(beyond, 0), candidate.detach().masked_fill(beyond, 0)


def first_beyond_a_few_units(equation: Equation, *, whole: bool = False) -> Difference | None:
    """Compare two sides up to a few units in the last place; all but real numbers as it is.

    The last place is that of each number, or of the largest one of the `whole` tensor.
    """
    return first_in_trees(equation.reference, equation.candidate, "", partial(_nearly, whole=whole))


@dataclass(frozen=True)
class Rounded:
    """Two sides held against the noise of their disturbed runs."""

    difference: Difference | None
    used: float
    """The largest |reference - candidate| over the noise; the constant of the stage is the limit."""
    decisive: bool
    """Whether the difference found is far beyond the widest noise of all runs."""
    lost: bool
    """Whether rounding leaves no digit of some entry: nothing is said of it."""


def first_beyond_noise(
    plain: Equation,
    disturbed: Sequence[Equation],
    constant: float,
    *,
    whole: bool = False,
    least: float = 0.0,
) -> Rounded:
    """Compare two sides up to `constant` times the noise that their disturbed runs show, and the `least` one.

    What is decisive is held against the widest noise of each tensor, or of the `whole` of both sides.
    """
    reference = _gathered(plain.reference, [one.reference for one in disturbed])
    candidate = _gathered(plain.candidate, [one.candidate for one in disturbed])
    compare = _BeyondNoise(constant, _widest_part([reference, candidate]) if whole else 0.0, least)
    difference = first_in_trees(reference, candidate, "", compare)
    return Rounded(difference, compare.used, compare.decisive, compare.lost)


def first_less_precise(plain: Equation, disturbed: Sequence[Equation], factor: float) -> Difference | None:
    """Find the first tensor of which the candidate rounds more than `factor` times as much as the reference.

    Row by row, along the last axis, and only where the two differ by as much: noise alone counts operations.
    """
    candidate = {
        where: (value, noise)
        for where, value, noise in noise_of(plain.candidate, [one.candidate for one in disturbed])
    }
    for where, value, noise in noise_of(plain.reference, [one.reference for one in disturbed]):
        other, more = candidate.get(where, (value, noise))
        if other.shape != value.shape or other.dtype != value.dtype:
            continue
        times = rounding.times_less_precise((value, noise), (other, more))
        if times.numel() and float(times.max()) > factor:
            rows = (times > factor).unsqueeze(-1) if value.ndim else times > factor
            apart = rows & ~rounding.close(value, other)
            remark = f"{float(times.max()):.3g} times less precise"
            return _measured(differing_values(value, other, where, apart, remark), times)
    return None


def noise_of(plain: Any, disturbed: Sequence[Any]) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Give the real tensors of one side by their places, each with its noise."""
    for where, leaf in _leaves(_gathered(plain, disturbed), ""):
        if _is_inexact(leaf.plain):
            yield where, leaf.plain, rounding.noise(leaf.plain, leaf.disturbed)


def numeric_leaves(side: Any) -> Iterator[tuple[str, Tensor]]:
    """Return the tensors of one side that hold numbers, by their places."""
    for where, leaf in _leaves(_gathered(side, []), ""):
        if isinstance(leaf.plain, Tensor) and not leaf.plain.is_meta:
            yield where, leaf.plain


@dataclass(frozen=True)
class _Runs:
    """One leaf of one side, undisturbed and in the disturbed runs that have it."""

    plain: Any
    disturbed: list[Tensor]


class _BeyondNoise:
    """Compares two leaves up to their noise, and keeps the largest part of it that was used."""

    def __init__(self, constant: float, part: float, least: float) -> None:
        self.constant = constant
        self.part = part
        self.least = least
        self.used = 0.0
        self.decisive = False
        self.lost = False

    def __call__(self, reference: Any, candidate: Any, where: str) -> Difference | None:
        if not isinstance(reference, _Runs) or not isinstance(candidate, _Runs):
            return Difference("structure", where, _structure(reference), _structure(candidate))
        left, right = reference.plain, candidate.plain
        if not _is_inexact(left) or not _is_inexact(right):
            return compared(left, right, where)
        if problem := described(left, right, where):
            return problem
        noises = (rounding.noise(one.plain, one.disturbed) for one in (reference, candidate))
        allowed = torch.maximum(*noises).clamp(min=self.least)
        ratios = rounding.ratio(left, right, allowed)
        self.lost |= bool((rounding.lost(left, allowed) & (ratios > 0)).any())
        self.used = max(self.used, rounding.largest(ratios))
        differing = ratios > self.constant
        if differing.any():
            sides = (reference, candidate)
            wide = torch.maximum(*(rounding.widest(one.plain, one.disturbed, self.part) for one in sides))
            self.decisive = bool((rounding.ratio(left, right, wide) > rounding.DECISIVE).any())
        remark = _beyond(ratios[differing & torch.isfinite(ratios)])
        return _measured(differing_values(left, right, where, differing, remark), ratios[differing])


def _widest_part(sides: Sequence[Any]) -> float:
    """Return the largest deviation of any tensor of both sides, beside the largest entry of that tensor."""
    runs = (leaf for side in sides for _, leaf in _leaves(side, "") if _is_inexact(leaf.plain))
    return max((rounding.widest_part(leaf.plain, leaf.disturbed) for leaf in runs), default=0.0)


def _beyond(ratios: Tensor) -> str:
    """Say how far beyond rounding numbers differ; empty where they are none."""
    if not ratios.numel():
        return ""
    times = rounding.largest(ratios)
    return f"{times:.3g} times what rounding explains" if times < NONE_EXPLAINS else "no rounding explains it"


def _measured(difference: Difference | None, ratios: Tensor) -> Difference | None:
    """Keep with a difference how many times as large as the noise it is."""
    return difference and replace(difference, times=rounding.largest(ratios))


def _gathered(plain: Any, disturbed: Sequence[Any]) -> Any:
    """Put the leaves of several runs of one side together; a run of another structure is left out."""
    if isinstance(plain, Mapping):
        alike = [one for one in disturbed if isinstance(one, Mapping) and one.keys() == plain.keys()]
        return {name: _gathered(value, [one[name] for one in alike]) for name, value in plain.items()}
    if isinstance(plain, list | tuple):
        equal = [one for one in disturbed if isinstance(one, list | tuple) and len(one) == len(plain)]
        return [_gathered(value, [one[place] for one in equal]) for place, value in enumerate(plain)]
    return _Runs(detached(plain), [detached(one) for one in disturbed if isinstance(one, Tensor)])


def _leaves(tree: Any, where: str) -> Iterator[tuple[str, _Runs]]:
    if isinstance(tree, _Runs):
        yield where, tree
    elif isinstance(tree, Mapping | list):
        for name, branch in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
            yield from _leaves(branch, joined(where, str(name)))


def _nearly(
    reference: Any, candidate: Any, where: str, *, whole: bool, half: bool = False
) -> Difference | None:
    """Compare two leaves up to a few units in the last place, or up to half of their digits."""
    reference, candidate = detached(reference), detached(candidate)
    if not _is_inexact(reference) or not _is_inexact(candidate):
        return compared(reference, candidate, where)
    if problem := described(reference, candidate, where):
        return problem
    if all_equal(reference, candidate):
        return None
    units = rounding.half_the_digits(reference.dtype) if half else rounding.CLOSE
    near = rounding.close(reference, candidate, units, whole=whole)
    return differing_values(reference, candidate, where, ~near)


def _structure(side: Any) -> str:
    if isinstance(side, _Runs):
        return "one tensor" if isinstance(side.plain, Tensor) else named(side.plain)
    return f"{len(side)} tensors"


def _is_inexact(value: Any) -> bool:
    if not isinstance(value, Tensor) or value.is_meta:
        return False
    return value.is_floating_point() or value.is_complex()
