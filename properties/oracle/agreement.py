"""Equation -> difference. The only file that compares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from equivalence.matrix_distribution import Fixed
from properties.oracle import closed_form, rounding, statistics
from properties.oracle.dependence import Together, together
from properties.oracle.statistics import Draws, Positions


@dataclass(frozen=True)
class Equation:
    """Two sides that must agree: trees of tensors, shapes, numbers, words, or draws."""

    reference: Any
    candidate: Any


class Leaf(NamedTuple):
    """The two tensors that differ, and where (bool, True = differs)."""

    reference: Tensor
    candidate: Tensor
    wrong: Tensor


@dataclass(frozen=True)
class Difference:
    """The first place where the sides of an equation differ, and by how much."""

    kind: str
    """value, shape, dtype, device, structure, raises or distribution."""
    where: str
    """Which part of the equation, as in weight[0, 1]."""
    reference: str
    candidate: str
    different: int = 1
    total: int = 1
    largest: float = 0.0
    """Largest |reference - candidate| over the tensor."""
    remark: str = ""
    leaf: Leaf | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        """State the place, what was got, and what it should be."""
        counted = f", {self.different} of {self.total} differ" if self.total > 1 else ""
        remark = f" ({self.remark})" if self.remark else ""
        place = f"{self.where}: " if self.where else ""
        if self.kind == "distribution":
            return f"{place}{self.candidate}"
        return f"{place}candidate {self.candidate}, reference {self.reference}{counted}{remark}"


FEW = 4096
"""So many numbers are compared faster one by one: NumPy takes more calls."""
NONE_EXPLAINS = 1e18
"""What is so many times as large as the noise stands beside a number that no rounding moves."""
Comparison = Callable[[Any, Any, str], Difference | None]


def first_difference(equation: Equation) -> Difference | None:
    """Compare two sides bitwise: equal numbers (0 = -0), nan beside nan, same shape and dtype."""
    return _first(equation.reference, equation.candidate, "", _leaf)


def first_beyond_a_few_units(equation: Equation, *, whole: bool = False) -> Difference | None:
    """Compare two sides up to a few units in the last place; all but real numbers as it is.

    The last place is that of each number, or of the largest one of the `whole` tensor.
    """
    return _first(equation.reference, equation.candidate, "", partial(_nearly, whole=whole))


def within_range(equation: Equation) -> Equation:
    """Put 0 where the numbers of both sides have left the range of their dtype: there they say nothing."""
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
    beyond = ~(torch.isfinite(reference) | torch.isfinite(candidate))
    if not beyond.any():
        return reference, candidate
    return reference.detach().masked_fill(beyond, 0), candidate.detach().masked_fill(beyond, 0)


@dataclass(frozen=True)
class Rounded:
    """Two sides held against the noise of their disturbed runs."""

    difference: Difference | None
    used: float
    """The largest |reference - candidate| over the noise; the constant of the stage is the limit."""
    decisive: bool
    """Whether the difference found is far beyond the widest noise of all runs."""


def first_beyond_noise(plain: Equation, disturbed: Sequence[Equation], constant: float) -> Rounded:
    """Compare two sides up to `constant` times the noise that their disturbed runs show."""
    reference = _gathered(plain.reference, [one.reference for one in disturbed])
    candidate = _gathered(plain.candidate, [one.candidate for one in disturbed])
    compare = _BeyondNoise(constant)
    return Rounded(_first(reference, candidate, "", compare), compare.used, compare.decisive)


def first_less_precise(plain: Equation, disturbed: Sequence[Equation], factor: float) -> Difference | None:
    """Find the first tensor of which the candidate rounds more than `factor` times as much as the reference.

    Row by row, along the last axis, and only where the two differ by as much: the noise alone counts operations.
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
            return _values(value, other, where, apart, f"{float(times.max()):.3g} times less precise")
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

    def __init__(self, constant: float) -> None:
        self.constant = constant
        self.used = 0.0
        self.decisive = False

    def __call__(self, reference: Any, candidate: Any, where: str) -> Difference | None:
        if not isinstance(reference, _Runs) or not isinstance(candidate, _Runs):
            return Difference("structure", where, _structure(reference), _structure(candidate))
        left, right = reference.plain, candidate.plain
        if not _is_inexact(left) or not _is_inexact(right):
            return _leaf(left, right, where)
        if described := _description(left, right, where):
            return described
        allowed = torch.maximum(*(rounding.noise(one.plain, one.disturbed) for one in (reference, candidate)))
        ratios = rounding.ratio(left, right, allowed)
        self.used = max(self.used, rounding.largest(ratios))
        differing = ratios > self.constant
        if differing.any():
            wide = torch.maximum(
                *(rounding.widest(one.plain, one.disturbed) for one in (reference, candidate))
            )
            self.decisive = bool((rounding.ratio(left, right, wide) > rounding.DECISIVE).any())
        remark = _beyond(ratios[differing & torch.isfinite(ratios)])
        return _values(left, right, where, differing, remark)


def _beyond(ratios: Tensor) -> str:
    """Say how far beyond rounding numbers differ; empty where they are none."""
    if not ratios.numel():
        return ""
    times = rounding.largest(ratios)
    return f"{times:.3g} times what rounding explains" if times < NONE_EXPLAINS else "no rounding explains it"


def _gathered(plain: Any, disturbed: Sequence[Any]) -> Any:
    """Put the leaves of several runs of one side together; a run of another structure is left out."""
    if isinstance(plain, Mapping):
        alike = [one for one in disturbed if isinstance(one, Mapping) and one.keys() == plain.keys()]
        return {name: _gathered(value, [one[name] for one in alike]) for name, value in plain.items()}
    if isinstance(plain, list | tuple):
        equal = [one for one in disturbed if isinstance(one, list | tuple) and len(one) == len(plain)]
        return [_gathered(value, [one[place] for one in equal]) for place, value in enumerate(plain)]
    return _Runs(_values_of(plain), [_values_of(one) for one in disturbed if isinstance(one, Tensor)])


def _leaves(tree: Any, where: str) -> Iterator[tuple[str, _Runs]]:
    if isinstance(tree, _Runs):
        yield where, tree
    elif isinstance(tree, Mapping | list):
        for name, branch in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
            yield from _leaves(branch, f"{where}.{name}".lstrip("."))


def _values_of(leaf: Any) -> Any:
    return leaf.detach() if isinstance(leaf, Tensor) else leaf


def _first(reference: Any, candidate: Any, where: str, compare: Comparison) -> Difference | None:
    """Walk two trees of equal structure, and compare their leaves in order."""
    if isinstance(reference, Mapping) and isinstance(candidate, Mapping):
        if reference.keys() != candidate.keys():
            return Difference("structure", where, f"{sorted(reference)}", f"{sorted(candidate)}")
        branches: Iterator[tuple[str, Any, Any]] = (
            (f"{where}.{name}".lstrip("."), value, candidate[name]) for name, value in reference.items()
        )
    elif isinstance(reference, list | tuple) and isinstance(candidate, list | tuple):
        if len(reference) != len(candidate):
            return Difference("structure", where, f"{len(reference)} tensors", f"{len(candidate)} tensors")
        names = [where] if len(reference) == 1 else [f"{where}[{place}]" for place in range(len(reference))]
        branches = zip(names, reference, candidate, strict=True)
    else:
        return compare(reference, candidate, where)
    found = (_first(left, right, name, compare) for name, left, right in branches)
    return next((difference for difference in found if difference is not None), None)


def _leaf(reference: Any, candidate: Any, where: str) -> Difference | None:
    reference, candidate = _values_of(reference), _values_of(candidate)
    if isinstance(reference, Tensor) and isinstance(candidate, Tensor):
        return _description(reference, candidate, where) or _bitwise(reference, candidate, where)
    if isinstance(candidate, Draws | Positions | Together):
        return _distribution(reference, candidate, where)
    if type(reference) is not type(candidate):
        return Difference("structure", where, _named(reference), _named(candidate))
    return None if reference == candidate else Difference("value", where, str(reference), str(candidate))


def _nearly(reference: Any, candidate: Any, where: str, *, whole: bool) -> Difference | None:
    reference, candidate = _values_of(reference), _values_of(candidate)
    if not _is_inexact(reference) or not _is_inexact(candidate):
        return _leaf(reference, candidate, where)
    if described := _description(reference, candidate, where):
        return described
    if _equal(reference, candidate):
        return None
    return _values(reference, candidate, where, ~rounding.close(reference, candidate, whole=whole))


def _bitwise(reference: Tensor, candidate: Tensor, where: str) -> Difference | None:
    """Compare two tensors of one shape, dtype and device; those on no device hold no values."""
    # Most tensors are equal, and to say where they differ takes longer than to say that they do not.
    if reference.is_meta or _equal(reference, candidate):
        return None
    differing = reference != candidate
    if reference.is_floating_point():
        differing &= ~(reference.isnan() & candidate.isnan())
    return _values(reference, candidate, where, differing)


def _equal(reference: Tensor, candidate: Tensor) -> bool:
    """Whether all numbers are equal; NumPy compares several at a time, torch.equal one by one."""
    plain = type(reference) is type(candidate) is Tensor and reference.is_cpu
    if plain and reference.numel() > FEW and reference.dtype in (torch.float32, torch.float64):
        return np.array_equal(reference.numpy(force=True), candidate.numpy(force=True))
    return torch.equal(reference, candidate)


def _description(reference: Tensor, candidate: Tensor, where: str) -> Difference | None:
    """Compare what is said of two tensors: shape, dtype, device."""
    for kind in ("shape", "dtype", "device"):
        left, right = getattr(reference, kind), getattr(candidate, kind)
        if left != right:
            shown = (tuple(left), tuple(right)) if kind == "shape" else (left, right)
            return Difference(kind, f"{where} {kind}".strip(), str(shown[0]), str(shown[1]))
    return None


def _values(
    reference: Tensor, candidate: Tensor, where: str, differing: Tensor, remark: str = ""
) -> Difference | None:
    """Describe the first of the differing entries."""
    if not differing.any():
        return None
    place = tuple(differing.nonzero()[0].tolist())
    gaps = (reference.double() - candidate.double()).abs()
    finite = gaps[torch.isfinite(gaps)]
    return Difference(
        kind="value",
        where=f"{where}{list(place)}" if place else where,
        reference=_number(reference[place]),
        candidate=_number(candidate[place]),
        different=int(differing.sum()),
        total=differing.numel(),
        largest=float(finite.max()) if finite.numel() and reference.is_floating_point() else 0.0,
        remark=remark,
        leaf=Leaf(reference, candidate, differing),
    )


def _number(value: Tensor) -> str:
    # Adding 0 takes the sign off -0, which is no difference.
    return f"{value.item() + 0:.17g}"


def _distribution(expected: Any, draws: Draws | Positions | Together, where: str) -> Difference | None:
    if isinstance(draws, Together):
        problem = together(expected, draws)
    elif isinstance(draws, Positions) and isinstance(expected, Fixed):
        problem = closed_form.fixed_places(expected, draws)
    elif isinstance(draws, Positions):
        problem = statistics.place_by_place(expected, draws)
    elif isinstance(expected, Draws):
        problem = statistics.two_samples(expected, draws)
    else:
        problem = closed_form.one_sample(expected, draws)
    if not problem:
        return None
    return Difference("distribution", where, "as stated", problem)


def _named(side: Any) -> str:
    return str(side) if isinstance(side, str | int | float) else type(side).__name__


def _is_inexact(value: Any) -> bool:
    if not isinstance(value, Tensor) or value.is_meta:
        return False
    return value.is_floating_point() or value.is_complex()


def _structure(side: Any) -> str:
    if isinstance(side, _Runs):
        return "one tensor" if isinstance(side.plain, Tensor) else _named(side.plain)
    return f"{len(side)} tensors"
