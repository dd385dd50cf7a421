"""Laws about parameters: how many are free, which stay dead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from properties.cases.form import Form
from properties.cases.sample import Sample, Stream
from properties.cost.parameters import free_scalars
from properties.laws.applicability import dead_entries
from properties.laws.comparing import Alone, each_with_itself
from properties.laws.registry import law

STEPS = 3


@law(
    dead_entries,
    decided="directly",
    compared=each_with_itself,
    scope="module",
    otherwise="its dead entries count",
)
def masked(form: Form, sample: Sample) -> Any:
    """Dead entries have zero gradient, change no output, and stay at zero under SGD with momentum, decay."""
    if not form.dead:
        return Alone({}, {})
    expected, found = _dead_or_alive(form, sample)
    return Alone({form.side: expected}, {form.side: found})


@law(
    decided="directly",
    scope="module",
    otherwise="another number of free parameters",
    kind="another number of parameters",
)
def parameter_count(form: Form, _: Sample) -> Any:
    """Both forms have the same number of free scalars: shared ones counted once, dead and frozen ones not."""
    return {"free scalars": free_scalars(form.module, form.dead)}


def _dead_or_alive(form: Form, sample: Sample) -> tuple[Any, Any]:
    """Give what is expected of dead entries, and what was found."""
    module, dead = sample.module(form, sample.theta), form.dead
    before = _outputs(form, module, sample)
    gradients = _dead_gradients(form, module, sample)
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


def _dead_gradients(form: Form, module: nn.Module, sample: Sample) -> dict[str, Tensor]:
    dead = form.dead
    parameters = [module.get_parameter(name) for name in dead]
    gradients = torch.autograd.grad(
        _loss(form, module, sample), parameters, allow_unused=True, materialize_grads=True
    )
    return {name: _entries(value, dead[name]) for name, value in zip(dead, gradients, strict=True)}


def _kill(module: nn.Module, dead: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, entries in dead.items():
            parameter = module.get_parameter(name)
            parameter.masked_fill_(entries.to(parameter.device), 0)


def _descend(form: Form, module: nn.Module, sample: Sample) -> None:
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    for _ in range(STEPS):
        optimiser.zero_grad()
        _loss(form, module, sample).backward()
        optimiser.step()


def _entries(values: Tensor, entries: Tensor) -> Tensor:
    return values.detach()[entries]
