"""Laws about parameters: how many are free, which stay dead, how fresh ones are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn

from equivalence.claim import Equivalence
from properties.agreement import Equation
from properties.form import Form, generator_state
from properties.laws.applicability import dead_entries, parameters
from properties.laws.function import COTANGENTS
from properties.laws.registry import law
from properties.sample import Sample, build
from properties.statistics import Draws

STEPS = 3
CONSTRUCTIONS = 1024
"""Fresh modules of each form in one case."""
MOST_DRAWS = 65536
"""Entries kept of one parameter over all constructions."""
KEPT = 7
"""Stream of the case's seed."""


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
    carried = _fresh_draws(claim, sample, sample.reference)
    fresh = _fresh_draws(claim, sample, sample.candidate)
    stated = {name: value for name, value in claim.initial().items() if name in fresh}
    return Equation(
        reference={"carried": carried, "closed form": stated},
        candidate={"carried": fresh, "closed form": {name: fresh[name] for name in stated}},
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
    cotangents = sample.draw_like(outputs, COTANGENTS)
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


def _fresh_draws(claim: Equivalence, sample: Sample, form: Form) -> dict[str, Draws]:
    """Collect fresh entries of the candidate's parameters, by name, as this form gives them."""
    with generator_state(sample.case.seed), torch.no_grad():
        states = list(_fresh_states(claim, sample, form))
    return {name: _draws(claim, sample, name, [state[name] for state in states]) for name in states[0]}


def _fresh_states(claim: Equivalence, sample: Sample, form: Form) -> Iterator[dict[str, Tensor]]:
    names = [name for name, _ in sample.candidate.module.named_parameters()]
    for seed in torch.randint(2**31, (CONSTRUCTIONS,), generator=sample.generator(KEPT)).tolist():
        module = build(claim, form.side, seed)
        own = {name: value.detach() for name, value in (*module.named_parameters(), *module.named_buffers())}
        state = sample.candidate.state(own) if form.side == "reference" else own
        yield {name: state[name] for name in names}


def _draws(claim: Equivalence, sample: Sample, name: str, fresh: list[Tensor]) -> Draws:
    """Keep as many live entries of each construction as are independent, from random places."""
    entries = torch.stack([value.reshape(-1) for value in fresh])
    if (dead := claim.dead_in_candidate().get(name)) is not None:
        entries = entries[:, ~dead.reshape(-1)]
    size = entries.shape[1]
    kept = min(size, ceil(MOST_DRAWS / len(fresh)) if claim.fresh_entries_independent else 1)
    if kept < size:
        places = torch.randint(size, (len(fresh), kept), generator=sample.generator(KEPT))
        entries = entries.gather(1, places)
    return Draws(entries.reshape(-1), tuple(fresh[0].shape))
