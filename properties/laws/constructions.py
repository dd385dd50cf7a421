"""Many fresh modules of both forms, and what they start with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, prod
from typing import NamedTuple

import torch
from torch import Tensor

from equivalence.claim import Equivalence, Theta
from equivalence.matrix_distribution import Thinned
from properties.cases.form import Form
from properties.cases.generators import generator_state
from properties.cases.sample import Sample, Stream, constructed, named_tensors
from properties.oracle.dependence import repeated

FEWEST_CONSTRUCTIONS, MOST_CONSTRUCTIONS = 32, 512
"""Fresh modules of each form in one case, unless most of their entries are 0."""
FEWEST_DRAWN = 0.05
"""Of the entries, the share that is not 0 below which no more modules are constructed to make up for it."""
MOST_STORED = 2**20
"""Scalars held at once; large modules are constructed fewer times."""
MOST_AT_ONCE = 2**14
"""Scalars of the modules that are constructed together: large ones are constructed one by one."""


class Fresh(NamedTuple):
    """One parameter in many constructions, (constructions, entries), dead entries at zero."""

    values: Tensor
    live: Tensor
    """(entries), bool: what is neither dead nor, in both forms, a copy of an entry before it."""
    shape: tuple[int, ...]


def once(
    reference: Mapping[str, Fresh], candidate: Mapping[str, Fresh]
) -> tuple[dict[str, Fresh], dict[str, Fresh]]:
    """Leave out what both forms copy from an entry before it: copies are no draws of their own."""
    again = {name: repeated(reference[name].values, one.values) for name, one in candidate.items()}
    carried, own = (
        {name: fresh._replace(live=fresh.live & ~again[name]) for name, fresh in side.items()}
        for side in (reference, candidate)
    )
    return carried, own


def fresh_states(form: Form, seeds: Sequence[int]) -> Iterator[Theta]:
    """Yield the candidate's parameters and buffers as fresh modules have them, the reference's carried."""
    together = max(1, MOST_AT_ONCE // max(1, sum(value.numel() for value in form.own.values())))
    for first in range(0, len(seeds), together):
        for module in constructed(form.claim, form.side, seeds[first : first + together]):
            yield form.in_candidate({name: value.detach() for name, value in named_tensors(module).items()})


def fresh_draws(form: Form, sample: Sample) -> dict[str, Fresh]:
    """Construct a form many times, and collect the candidate's parameters as it gives them."""
    claim = sample.claim
    shapes = {name: tuple(value.shape) for name, value in sample.candidate.module.named_parameters()}
    seeds = _seeds(sample, form, _constructions(claim, sum(map(prod, shapes.values()))))
    # Filled row by row: many large modules at once would be the peak of a run's memory. Fresh weights are
    # float32, and a carry that computes in float64 loses no more than one rounding.
    values = {name: torch.empty(len(seeds), prod(shape)) for name, shape in shapes.items()}
    with generator_state(sample.case.seed), torch.no_grad():
        for row, state in enumerate(fresh_states(form, seeds)):
            for name, rows in values.items():
                rows[row] = state[name].reshape(-1)
    dead = sample.candidate.dead
    for name, entries in dead.items():
        values[name][:, entries.reshape(-1)] = 0
    live = {name: ~dead.get(name, torch.zeros(shape, dtype=torch.bool)) for name, shape in shapes.items()}
    return {name: Fresh(values[name], live[name].reshape(-1), shape) for name, shape in shapes.items()}


def _constructions(claim: Equivalence, stored: int) -> int:
    """Give how often a module of so many scalars is constructed: more often where most of them are 0."""
    stated = claim.initial().values()
    shares = [one.share for one in stated if isinstance(one, Thinned) and one.share < 1]
    most = MOST_CONSTRUCTIONS / max(FEWEST_DRAWN, 1 - max(shares, default=0.0))
    return max(FEWEST_CONSTRUCTIONS, min(ceil(most), MOST_STORED // max(1, stored)))


def _seeds(sample: Sample, form: Form, count: int) -> list[int]:
    """Give the reference even seeds and the candidate odd ones, no two alike: all draws are independent."""
    apart = 2**31 // count
    drawn = torch.randint(apart, (count,), generator=sample.generator(Stream.CONSTRUCTIONS))
    drawn += apart * torch.arange(count)
    seeds: list[int] = (2 * drawn + (form.side == "candidate")).tolist()
    return seeds
