"""Laws about parameters: how many are free, which stay dead, how fresh ones are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from equivalence.claim import Equivalence, Theta
from properties.cases.form import Form, generator_state
from properties.cases.sample import Sample, Stream, build
from properties.laws.applicability import dead_entries, parameters
from properties.laws.registry import law
from properties.oracle.agreement import Equation
from properties.oracle.statistics import Draws, Positions

STEPS = 3
FEWEST_CONSTRUCTIONS, MOST_CONSTRUCTIONS = 32, 512
"""Fresh modules of each form in one case."""
MOST_STORED = 2**20
"""Scalars held at once; large modules are constructed fewer times."""
MOST_DRAWS = 65536
"""Entries kept of one parameter over all constructions."""


@law(dead_entries, decided="directly")
def masked(claim: Equivalence, sample: Sample) -> Equation:
    """Dead entries have zero gradient, change no output, and stay at zero under SGD with momentum, decay."""
    sides = [
        (sample.reference, claim.dead_in_reference()),
        (sample.candidate, claim.dead_in_candidate()),
    ]
    measured = {form.side: _dead_or_alive(form, sample, dead) for form, dead in sides if dead}
    return Equation(
        reference={side: expected for side, (expected, _) in measured.items()},
        candidate={side: found for side, (_, found) in measured.items()},
    )


@law(decided="directly")
def parameter_count(claim: Equivalence, sample: Sample) -> Equation:
    """Both forms have the same number of free scalars: shared ones counted once, dead and frozen ones not."""
    return Equation(
        reference={"free scalars": free_scalars(sample.reference.module, claim.dead_in_reference())},
        candidate={"free scalars": free_scalars(sample.candidate.module, claim.dead_in_candidate())},
    )


@law(parameters, decided="statistics")
def initialisation(claim: Equivalence, sample: Sample) -> Equation:
    """Fresh live parameters of the candidate are distributed as carry(fresh ones of the reference)."""
    carried = _fresh(claim, sample, sample.reference)
    fresh = _fresh(claim, sample, sample.candidate)
    entries = {name: _entries_drawn(claim, sample, value) for name, value in fresh.items()}
    stated = {name: value for name, value in claim.initial().items() if name in fresh}
    return Equation(
        reference={**_statistics(claim, sample, carried), "closed form": stated},
        candidate={
            **_statistics(claim, sample, fresh),
            "closed form": {name: entries[name] for name in stated},
        },
    )


def free_scalars(module: nn.Module, dead: Mapping[str, Tensor]) -> int:
    """Count the trainable scalars of a module: shared parameters once, dead entries not."""
    stored = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    return stored - sum(int(entries.sum()) for entries in dead.values())


def _dead_or_alive(form: Form, sample: Sample, dead: Mapping[str, Tensor]) -> tuple[Any, Any]:
    """Give what is expected of dead entries, and what was found."""
    module = sample.module(form, sample.theta)
    before = _outputs(form, module, sample)
    gradients = _dead_gradients(form, module, sample, dead)
    _kill(module, dead)
    after = _outputs(form, module, sample)
    _descend(form, module, sample)
    trained = {name: _entries(module.get_parameter(name), entries) for name, entries in dead.items()}
    expected = {
        "gradient": {name: torch.zeros_like(value) for name, value in gradients.items()},
        "output without them": before,
        f"after {STEPS} steps": {name: torch.zeros_like(value) for name, value in trained.items()},
    }
    return expected, {"gradient": gradients, "output without them": after, f"after {STEPS} steps": trained}


def _outputs(form: Form, module: nn.Module, sample: Sample) -> tuple[Tensor, ...]:
    with torch.no_grad():
        return form.run(module, sample.inputs)


def _loss(form: Form, module: nn.Module, sample: Sample) -> Tensor:
    outputs = form.run(module, sample.inputs)
    cotangents = sample.draw_like(outputs, Stream.COTANGENTS)
    products = [(output * weight).sum() for output, weight in zip(outputs, cotangents, strict=True)]
    return torch.stack(products).sum()


def _dead_gradients(
    form: Form, module: nn.Module, sample: Sample, dead: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    parameters = [module.get_parameter(name) for name in dead]
    gradients = torch.autograd.grad(
        _loss(form, module, sample), parameters, allow_unused=True, materialize_grads=True
    )
    return {name: _entries(value, dead[name]) for name, value in zip(dead, gradients, strict=True)}


def _kill(module: nn.Module, dead: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, entries in dead.items():
            module.get_parameter(name).masked_fill_(entries, 0)


def _descend(form: Form, module: nn.Module, sample: Sample) -> None:
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    for _ in range(STEPS):
        optimiser.zero_grad()
        _loss(form, module, sample).backward()
        optimiser.step()


def _entries(values: Tensor, entries: Tensor) -> Tensor:
    return values.detach()[entries]


class Fresh(NamedTuple):
    """One parameter in many constructions: (constructions, entries), dead ones at zero, and what is live."""

    values: Tensor
    live: Tensor
    shape: tuple[int, ...]


def _fresh(claim: Equivalence, sample: Sample, form: Form) -> dict[str, Fresh]:
    """Construct a form many times, and collect the candidate's parameters as it gives them."""
    shapes = {name: tuple(value.shape) for name, value in sample.candidate.module.named_parameters()}
    seeds = _seeds(sample, sum(map(prod, shapes.values())))
    # Filled row by row: many large modules at once would be the peak of a run's memory. Fresh weights are
    # float32, and a carry that computes in float64 loses no more than one rounding.
    values = {name: torch.empty(len(seeds), prod(shape)) for name, shape in shapes.items()}
    with generator_state(sample.case.seed), torch.no_grad():
        for row, seed in enumerate(seeds):
            state = _fresh_state(claim, sample, form, seed)
            for name, rows in values.items():
                rows[row] = state[name].reshape(-1)
    dead = claim.dead_in_candidate()
    for name, entries in dead.items():
        values[name][:, entries.reshape(-1)] = 0
    live = {name: ~dead.get(name, torch.zeros(shape, dtype=torch.bool)) for name, shape in shapes.items()}
    return {name: Fresh(values[name], live[name].reshape(-1), shape) for name, shape in shapes.items()}


def _seeds(sample: Sample, stored: int) -> list[int]:
    count = max(FEWEST_CONSTRUCTIONS, min(MOST_CONSTRUCTIONS, MOST_STORED // max(1, stored)))
    seeds: list[int] = torch.randint(
        2**31, (count,), generator=sample.generator(Stream.CONSTRUCTIONS)
    ).tolist()
    return seeds


def _fresh_state(claim: Equivalence, sample: Sample, form: Form, seed: int) -> Theta:
    module = build(claim, form.side, seed)
    own = {name: value.detach() for name, value in (*module.named_parameters(), *module.named_buffers())}
    return sample.candidate.state(own) if form.side == "reference" else own


def _statistics(claim: Equivalence, sample: Sample, fresh: Mapping[str, Fresh]) -> dict[str, Any]:
    """Give what is compared of two forms: entries together and place by place, and what whole slices show."""
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
    }


def _slice(fresh: Fresh, axis: int) -> Tensor:
    """Give the last row or column of a parameter in every construction, (constructions, entries)."""
    return fresh.values.reshape(-1, *fresh.shape).select(axis + 1, -1).flatten(1)


def _norm(values: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(values, dim=1, dtype=torch.float64)
    return norms


def _zeros(values: Tensor) -> Tensor:
    return (values == 0).sum(1).double()


def _entries_drawn(claim: Equivalence, sample: Sample, fresh: Fresh) -> Draws:
    """Keep as many live entries of each construction as are independent, from random places."""
    live = fresh.live.nonzero().squeeze(1)
    count, size = len(fresh.values), len(live)
    kept = min(size, ceil(MOST_DRAWS / count) if claim.fresh_entries_independent else 1)
    if kept < size:
        places = live[torch.randint(size, (count, kept), generator=sample.generator(Stream.CONSTRUCTIONS))]
        entries = fresh.values.gather(1, places)
    else:
        entries = fresh.values[:, live]
    return Draws(entries.reshape(-1), fresh.shape)
