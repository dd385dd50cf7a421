"""Forms that draw random numbers, each in an order of its own: what they give, as distributions.

An equation is stated many times on the same numbers of the case, with other draws of the forms each time, and
never the same ones for both. Its real entries are compared one by one, and all of a tensor by its norm and by
how many are zero, with the finite-sample tests of `statistics`: at most FALSE_ALARM a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from properties.oracle.agreement import Difference, Equation, Leaf, first_difference
from properties.oracle.nearness import numeric_leaves
from properties.oracle.statistics import Draws, Positions

RUNS = 1024
"""Of each form: enough to tell a layer that is dropped in one run of ten from one dropped in four."""
ALIKE = 1e-3
"""A part of each number by which it is still the same draw."""
State = Callable[[tuple[int, int]], Equation]
"""(the seed that the reference draws from, that of the candidate) -> equation."""


def drew_alike(leaf: Leaf) -> bool:
    """Whether two tensors differ by so little that both forms drew the same: something else differs."""
    reference, candidate = leaf.reference.double(), leaf.candidate.double()
    return bool(((reference - candidate).abs() <= ALIKE * reference.abs())[leaf.wrong].all())


def difference_of_distributions(state: State, seed: int) -> Difference | None:
    """Say how two random forms cannot be distributed alike, as far as RUNS runs of each show it."""
    first = seed * 2 * RUNS
    equations = [state((first + 2 * run, first + 2 * run + 1)) for run in range(RUNS)]
    return first_difference(
        Equation(
            reference=_statistics([one.reference for one in equations]),
            candidate=_statistics([one.candidate for one in equations]),
        )
    )


def _statistics(sides: Sequence[Any]) -> Mapping[str, Mapping[str, Draws | Positions]]:
    """Return what is compared of each tensor by its place: entries, the norm, the number of zeros."""
    gathered: dict[str, list[Tensor]] = {}
    for side in sides:
        for where, leaf in numeric_leaves(side):
            gathered.setdefault(where, []).append(leaf.double())
    return {where: _of(tensors) for where, tensors in gathered.items()}


def _of(tensors: Sequence[Tensor]) -> Mapping[str, Draws | Positions]:
    """Return the statistics of one tensor in many runs; a run in which it has another shape is left out."""
    shape = tuple(tensors[0].shape)
    values = torch.stack([one.reshape(-1) for one in tensors if tuple(one.shape) == shape])
    return {
        "entry by entry": Positions(values, shape),
        "norm": Draws(torch.linalg.vector_norm(values, dim=1), shape),
        "zeros": Draws((values == 0).sum(1).double(), shape),
    }
