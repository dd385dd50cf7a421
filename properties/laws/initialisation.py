"""The law about fresh parameters: how they are drawn, each by itself and all together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import ceil
from typing import Any, NamedTuple

import torch
from torch import Tensor

from equivalence.distribution import Distribution
from equivalence.matrix_distribution import Fixed, Thinned
from equivalence.variable import ClaimError
from properties.cases.form import Form
from properties.cases.sample import Sample, Stream
from properties.laws.applicability import parameters
from properties.laws.comparing import narrowed
from properties.laws.constructions import Fresh, fresh_draws, fresh_states, once
from properties.laws.registry import law
from properties.oracle.dependence import Together, signs_of
from properties.oracle.statistics import Draws, Positions

MOST_DRAWS = 65536
"""Entries kept of one parameter over all constructions, but for one that is mostly zeros: it keeps all."""
MOST_CAST = 65536
"""Entries cast to float64 at once."""


class Start(NamedTuple):
    """What fresh modules of one form start with, in the candidate's terms."""

    draws: Mapping[str, Fresh]
    dtypes: Mapping[str, str]
    usual: Collection[str]
    """The dtypes of the form's own parameters."""
    under_one_seed: Mapping[str, Mapping[str, Tensor]]
    """The same under the case's seed, as far as the claim says that it is the same."""


def _as_distributions(reference: Start, candidate: Start, sample: Sample) -> tuple[Any, Any]:
    """Give what is compared: dtypes, statistics, draws and what is stated of them, and equal draws."""
    carried, fresh = once(reference.draws, candidate.draws)
    # A carry may compute in another dtype than that of the forms: each of the reference's is right too.
    dtypes = {
        name: found if found in reference.usual else reference.dtypes[name]
        for name, found in candidate.dtypes.items()
    }
    stated = {name: value for name, value in sample.claim.initial().items() if name in fresh}
    drawn = {name: _drawn(sample, fresh[name], stated[name]) for name in stated}
    expected = {"dtype": dtypes, **_statistics(sample, carried), "closed form": stated}
    found = {"dtype": candidate.dtypes, **_statistics(sample, fresh), "closed form": drawn}
    return {**expected, **reference.under_one_seed}, {**found, **candidate.under_one_seed}


@law(
    parameters,
    decided="statistics",
    compared=narrowed(_as_distributions),
    scope="layer",
    otherwise="other initial weights",
    kind="another distribution",
)
def initialisation(form: Form, sample: Sample) -> Any:
    """Fresh live parameters of the candidate are distributed as carry(fresh ones of the reference)."""
    usual = {str(value.dtype) for value in form.parameters.values()}
    return Start(fresh_draws(form, sample), _dtypes(form, sample), usual, _under_one_seed(form, sample))


def _dtypes(form: Form, sample: Sample) -> dict[str, str]:
    """Give the dtypes of the candidate's real parameters, as the form gives them."""
    with torch.no_grad():
        state = form.in_candidate({name: value.detach() for name, value in form.own.items()})
    real = [name for name, value in sample.candidate.parameters.items() if value.is_floating_point()]
    return {name: str(state[name].dtype) for name in real}


def _under_one_seed(form: Form, sample: Sample) -> dict[str, dict[str, Tensor]]:
    """Give what the form starts with under the case's seed, as far as the claim says that it is the same."""
    how = sample.claim.fresh_draws
    if how == "any":
        return {}
    if how not in ("same", "permuted"):
        message = f"{sample.claim!r}: fresh_draws is any, same or permuted, but is {how!r}; name one"
        raise ClaimError(message)
    dead = sample.candidate.dead
    with torch.no_grad():
        (state,) = fresh_states(form, [sample.case.seed])
    draws = {name: _living(state[name].double(), dead.get(name)) for name in sample.candidate.parameters}
    if how == "same":
        return {"under one seed": draws}
    ordered = {name: values.flatten().sort().values for name, values in draws.items()}
    return {"under one seed, sorted": ordered}


def _living(values: Tensor, dead: Tensor | None) -> Tensor:
    return values if dead is None else values.masked_fill(dead, 0)


def _statistics(sample: Sample, fresh: Mapping[str, Fresh]) -> dict[str, Any]:
    """Give what is compared of two forms: entries each, at their places and together, and whole slices."""
    return {
        "entries": {name: _entries_drawn(sample, value) for name, value in fresh.items()},
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
        "together": _together(sample, fresh),
    }


def _together(sample: Sample, fresh: Mapping[str, Fresh]) -> Together:
    signs = (signs_of(one.values) for one in fresh.values())
    return Together(
        torch.cat([torch.empty(0, dtype=torch.int8), *signs], dim=-1),
        {name: one.shape for name, one in fresh.items()},
        sample.claim.fresh_entries_independent,
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


def _drawn(sample: Sample, fresh: Fresh, stated: Distribution) -> Draws | Positions:
    """Give the draws that a closed form speaks of: every place, every entry, or independent ones."""
    if isinstance(stated, Fixed):
        return Positions(fresh.values, fresh.shape)
    if isinstance(stated, Thinned):
        return Draws(fresh.values[:, fresh.live].reshape(-1), fresh.shape)
    return _entries_drawn(sample, fresh)


def _entries_drawn(sample: Sample, fresh: Fresh) -> Draws:
    """Keep as many live entries of each construction as are independent, from random places."""
    live = fresh.live.nonzero().squeeze(1)
    count, size = len(fresh.values), len(live)
    kept = min(size, ceil(MOST_DRAWS / count) if sample.claim.fresh_entries_independent else 1)
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
