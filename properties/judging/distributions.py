"""Forms that draw random numbers, each in an order of its own: what they give, as distributions.

An equation is stated many times on the same numbers of the case, with other draws of the forms each time, and
never the same ones for both. Its real entries are compared one by one, all of a tensor by its norm, its sum
and how many are zero, and all tensors together likewise, which tells two outputs or two calls that share a
draw from those that do not; with the finite-sample tests of `statistics`: at most FALSE_ALARM a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from properties.cases.sample import Sample
from properties.laws.registry import Law
from properties.oracle.agreement import Difference, Equation, Leaf, first_difference
from properties.oracle.nearness import numeric_leaves
from properties.oracle.rounding import CLOSE
from properties.oracle.statistics import Draws, Positions

RUNS = 1024
"""Of each form: enough to tell a layer that is dropped in one run of ten from one dropped in four."""
ALIKE = 1e-3
"""A part of each number by which it is still the same draw; of a narrow dtype, a few last places are more."""
State = Callable[[tuple[int, int]], Equation]
"""(the seed that the reference draws from, that of the candidate) -> equation."""


def drew_alike(leaf: Leaf) -> bool:
    """Whether two tensors differ by so little that both forms drew the same: something else differs."""
    reference, candidate = leaf.reference.double(), leaf.candidate.double()
    inexact = leaf.reference.is_floating_point()
    alike = max(ALIKE, CLOSE * torch.finfo(leaf.reference.dtype).eps) if inexact else ALIKE
    return bool(((reference - candidate).abs() <= alike * reference.abs())[leaf.wrong].all())


def either_draws(law: Law, sample: Sample) -> bool:
    """Whether a form draws random numbers while the law looks at it."""
    forms = (sample.reference, sample.candidate)
    for form in forms:
        form.watched = True
    law.equation(sample)
    return any(form.has_drawn for form in forms)


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
    """Return what is compared of each tensor by its place, and of all together."""
    gathered: dict[str, list[Tensor]] = {}
    for side in sides:
        for where, leaf in numeric_leaves(side):
            gathered.setdefault(where, []).append(leaf.double())
    tensors = {where: _of_one_shape(runs) for where, runs in gathered.items()}
    found = {where: _entries(values, gathered[where][0].shape) for where, values in tensors.items()}
    if len({len(values) for values in tensors.values()}) == 1 < len(tensors):
        found["together"] = _as_a_whole(torch.cat([*tensors.values()], dim=1))
    return found


def _of_one_shape(runs: Sequence[Tensor]) -> Tensor:
    """Return one tensor of all runs, (runs, entries); a run in which it has another shape is left out."""
    return torch.stack([one.reshape(-1) for one in runs if one.shape == runs[0].shape])


def _entries(values: Tensor, shape: Sequence[int]) -> dict[str, Draws | Positions]:
    return {"entry by entry": Positions(values, tuple(shape)), **_as_a_whole(values)}


def _as_a_whole(values: Tensor) -> dict[str, Draws | Positions]:
    """Return a few numbers of each run, (runs, entries), in which entries that share a draw show."""
    return {
        "norm": Draws(torch.linalg.vector_norm(values, dim=1), values.shape[1:]),
        "sum": Draws(values.sum(1), values.shape[1:]),
        "zeros": Draws((values == 0).sum(1).double(), values.shape[1:]),
    }
