"""The law about fresh parameters: how they are drawn, each by itself and all together."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import torch
from torch import Tensor

from equivalence.claim import Equivalence
from equivalence.distribution import Distribution
from equivalence.matrix_distribution import Fixed, Thinned
from equivalence.variable import ClaimError
from properties.cases.sample import Sample, Stream, named_tensors
from properties.laws.applicability import parameters
from properties.laws.constructions import Fresh, fresh_draws, fresh_state
from properties.laws.registry import law
from properties.oracle.agreement import Equation
from properties.oracle.dependence import Together, signs_of
from properties.oracle.statistics import Draws, Positions

MOST_DRAWS = 65536
"""Entries kept of one parameter over all constructions, but for one that is mostly zeros: it keeps all."""
MOST_CAST = 65536
"""Entries cast to float64 at once."""


@law(parameters, decided="statistics", scope="layer", otherwise="other initial weights")
def initialisation(claim: Equivalence, sample: Sample) -> Equation:
    """Fresh live parameters of the candidate are distributed as carry(fresh ones of the reference)."""
    carried, fresh = fresh_draws(claim, sample)
    stated = {name: value for name, value in claim.initial().items() if name in fresh}
    of_reference, of_candidate = _under_one_seed(claim, sample)
    expected, found = _dtypes(claim, sample)
    return Equation(
        reference={
            "dtype": expected,
            **_statistics(claim, sample, carried),
            "closed form": stated,
            **of_reference,
        },
        candidate={
            "dtype": found,
            **_statistics(claim, sample, fresh),
            "closed form": {name: _drawn(claim, sample, fresh[name], stated[name]) for name in stated},
            **of_candidate,
        },
    )


def _dtypes(claim: Equivalence, sample: Sample) -> tuple[dict[str, str], dict[str, str]]:
    """Give the dtypes that the candidate's fresh parameters should have, and those that they have.

    A carry may compute in another dtype than that of the forms, so that each of the reference's is right too.
    """
    module = sample.reference.module
    own = {name: value.detach() for name, value in named_tensors(module).items()}
    with torch.no_grad():
        carried = claim.carry(own)
    usual = {value.dtype for value in module.parameters()}
    expected, found = {}, {}
    for name, value in sample.candidate.module.named_parameters():
        if value.is_floating_point():
            found[name] = str(value.dtype)
            expected[name] = str(value.dtype if value.dtype in usual else carried[name].dtype)
    return expected, found


def _under_one_seed(claim: Equivalence, sample: Sample) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give what both forms start with under the case's seed, as far as the claim says that it is the same."""
    if claim.fresh_draws == "any":
        return {}, {}
    if claim.fresh_draws not in ("same", "permuted"):
        message = f"{claim!r}: fresh_draws is any, same or permuted, but is {claim.fresh_draws!r}; name one"
        raise ClaimError(message)
    with torch.no_grad():
        sides = [
            fresh_state(claim, sample, form, sample.case.seed)
            for form in (sample.reference, sample.candidate)
        ]
    names = [name for name, _ in sample.candidate.module.named_parameters()]
    dead = claim.dead_in_candidate()
    draws = [{name: _living(side[name].double(), dead.get(name)) for name in names} for side in sides]
    if claim.fresh_draws == "same":
        return {"under one seed": draws[0]}, {"under one seed": draws[1]}
    ordered = [{name: values.flatten().sort().values for name, values in side.items()} for side in draws]
    return {"under one seed, sorted": ordered[0]}, {"under one seed, sorted": ordered[1]}


def _living(values: Tensor, dead: Tensor | None) -> Tensor:
    return values if dead is None else values.masked_fill(dead, 0)


def _statistics(claim: Equivalence, sample: Sample, fresh: Mapping[str, Fresh]) -> dict[str, Any]:
    """Give what is compared of two forms: entries each, at their places and together, and whole slices."""
    return {
        "entries": {name: _entries_drawn(claim, sample, value) for name, value in fresh.items()},
        "place by place": {name: Positions(value.values, value.shape) for name, value in fresh.items()},
        "norm": {name: Draws(_norm(value.values), value.shape) for name, value in fresh.items()},
        **{
            f"{statistic.__name__.strip('_')} of {axis}": {
                name: Draws(statistic(_slice(value, place)), value.shape)
                for name, value in fresh.items()
                if len(value.shape) > 1 and value.values.numel()
            }
            for place, axis in enumerate(("a row", "a column"))
            for statistic in (_norm, _zeros)
        },
        "together": _together(claim, fresh),
    }


def _together(claim: Equivalence, fresh: Mapping[str, Fresh]) -> Together:
    signs = (signs_of(one.values) for one in fresh.values())
    return Together(
        torch.cat([torch.empty(0, dtype=torch.int8), *signs], dim=-1),
        {name: one.shape for name, one in fresh.items()},
        claim.fresh_entries_independent,
    )


def _slice(fresh: Fresh, axis: int) -> Tensor:
    """Give the last row or column of a parameter in every construction, (constructions, entries)."""
    return fresh.values.reshape(-1, *fresh.shape).select(axis + 1, -1).flatten(1)


def _norm(values: Tensor) -> Tensor:
    # A few constructions at a time: torch copies to float64 what it sums.
    slices = values.split(max(1, MOST_CAST // max(1, values.shape[1])))
    return torch.cat([torch.linalg.vector_norm(one, dim=1, dtype=torch.float64) for one in slices])


def _zeros(values: Tensor) -> Tensor:
    return (values == 0).sum(1).double()


def _drawn(claim: Equivalence, sample: Sample, fresh: Fresh, stated: Distribution) -> Draws | Positions:
    """Give the draws that a closed form speaks of: every place, every entry, or independent ones."""
    if isinstance(stated, Fixed):
        return Positions(fresh.values, fresh.shape)
    if isinstance(stated, Thinned):
        return Draws(fresh.values[:, fresh.live].reshape(-1), fresh.shape)
    return _entries_drawn(claim, sample, fresh)


def _entries_drawn(claim: Equivalence, sample: Sample, fresh: Fresh) -> Draws:
    """Keep as many live entries of each construction as are independent, from random places."""
    live = fresh.live.nonzero().squeeze(1)
    count, size = len(fresh.values), len(live)
    kept = min(size, ceil(MOST_DRAWS / count) if claim.fresh_entries_independent else 1)
    if kept < size:
        places = scattered(size, (count, kept), sample.generator(Stream.CONSTRUCTIONS))
        entries = fresh.values.gather(1, live[places])
    else:
        entries = fresh.values[:, live]
    return Draws(entries.reshape(-1), fresh.shape)


def scattered(size: int, shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Give places below `size`, (rows, places), in no row one twice: it would be one draw counted twice."""
    rows, kept = shape
    first = torch.randint(size, (rows, 1), generator=generator)
    return (first + size // kept * torch.arange(kept)) % size
