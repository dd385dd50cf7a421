"""Equation -> difference. The only file that compares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from equivalence.matrix_distribution import Fixed
from properties.oracle import closed_form, statistics
from properties.oracle.dependence import Together, together
from properties.oracle.statistics import Draws, Positions
from properties.oracle.trees import joined


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


RAISES = "raises"
"""The kind of a difference where the candidate raises and a value was asked for."""


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
    times: float = field(default=0.0, compare=False)
    """How many times as large it is as what rounding explains; 0 where nobody measured that."""
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
Comparison = Callable[[Any, Any, str], Difference | None]


def first_difference(equation: Equation) -> Difference | None:
    """Compare two sides bitwise: equal numbers (0 = -0), nan beside nan, same shape and dtype."""
    return first_in_trees(equation.reference, equation.candidate, "", compared)


def detached(leaf: Any) -> Any:
    """Return a tensor without its graph, and anything else as it is."""
    return leaf.detach() if isinstance(leaf, Tensor) else leaf


def first_in_trees(reference: Any, candidate: Any, where: str, compare: Comparison) -> Difference | None:
    """Walk two trees of equal structure, and compare their leaves in order."""
    if isinstance(reference, Mapping) and isinstance(candidate, Mapping):
        if reference.keys() != candidate.keys():
            return Difference("structure", where, f"{sorted(reference)}", f"{sorted(candidate)}")
        branches: Iterator[tuple[str, Any, Any]] = (
            (joined(where, name), value, candidate[name]) for name, value in reference.items()
        )
    elif isinstance(reference, list | tuple) and isinstance(candidate, list | tuple):
        if len(reference) != len(candidate):
            return Difference("structure", where, f"{len(reference)} tensors", f"{len(candidate)} tensors")
        names = [where] if len(reference) == 1 else [f"{where}[{place}]" for place in range(len(reference))]
        branches = zip(names, reference, candidate, strict=True)
    else:
        return compare(reference, candidate, where)
    found = (first_in_trees(left, right, name, compare) for name, left, right in branches)
    return next((difference for difference in found if difference is not None), None)


def compared(reference: Any, candidate: Any, where: str) -> Difference | None:
    """Compare two leaves bitwise, or as distributions where they are draws."""
    reference, candidate = detached(reference), detached(candidate)
    if isinstance(reference, Tensor) and isinstance(candidate, Tensor):
        return described(reference, candidate, where) or _bitwise(reference, candidate, where)
    if isinstance(candidate, Draws | Positions | Together):
        return _distribution(reference, candidate, where)
    if type(reference) is not type(candidate):
        return Difference("structure", where, named(reference), named(candidate))
    return None if reference == candidate else Difference("value", where, str(reference), str(candidate))


def _bitwise(reference: Tensor, candidate: Tensor, where: str) -> Difference | None:
    """Compare two tensors of one shape, dtype and device; those on no device hold no values."""
    # Most tensors are equal, and to say where they differ takes longer than to say that they do not.
    if reference.is_meta or all_equal(reference, candidate):
        return None
    differing = reference != candidate
    if reference.is_floating_point():
        differing &= ~(reference.isnan() & candidate.isnan())
    return differing_values(reference, candidate, where, differing)


def all_equal(reference: Tensor, candidate: Tensor) -> bool:
    """Whether all numbers are equal; NumPy compares several at a time, torch.equal one by one."""
    plain = type(reference) is type(candidate) is Tensor and reference.is_cpu
    if plain and reference.numel() > FEW and reference.dtype in (torch.float32, torch.float64):
        return np.array_equal(reference.numpy(force=True), candidate.numpy(force=True))
    return torch.equal(reference, candidate)


def described(reference: Tensor, candidate: Tensor, where: str) -> Difference | None:
    """Compare what is said of two tensors: shape, dtype, device."""
    for kind in ("shape", "dtype", "device"):
        left, right = getattr(reference, kind), getattr(candidate, kind)
        if left != right:
            shown = (tuple(left), tuple(right)) if kind == "shape" else (left, right)
            return Difference(kind, f"{where} {kind}".strip(), str(shown[0]), str(shown[1]))
    return None


def differing_values(
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


def named(side: Any) -> str:
    """Return a word or a number as it is, and the type of anything else."""
    return str(side) if isinstance(side, str | int | float) else type(side).__name__
