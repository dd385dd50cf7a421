"""The forms of one family at one set of sizes: built, filled with the same numbers, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from properties.benchmarking.clock import Step
from properties.benchmarking.document import REFERENCE
from properties.cases.answering import answering
from properties.cases.case import Case
from properties.cases.form import Form
from properties.cases.outputs import taken_apart
from properties.cases.regime import Reals
from properties.cases.sample import Sample
from properties.cases.setting import Setting

FORWARD, TRAINING = "forward", "forward + backward"


@dataclass(frozen=True)
class Contender:
    """One form with its parameters, and the inputs of all."""

    name: str
    form: Form
    plain: nn.Module
    """The module as written."""
    module: nn.Module
    """The module that is timed: the plain one, or that one compiled."""
    inputs: tuple[Tensor, ...]

    @property
    def written(self) -> str:
        """Name the module's class, and those of a sequence."""
        parts = self.plain if isinstance(self.plain, nn.Sequential) else [self.plain]
        return " → ".join(type(part).__name__ for part in parts)


def contenders(cases: Mapping[str, Case], setting: Setting, *, compiled: bool = False) -> list[Contender]:
    """Give the reference of the first claim, then each candidate; FormError where one cannot be built."""
    samples = {
        name: Sample(replace(case, setting=setting), Reals(setting.dtype)) for name, case in cases.items()
    }
    first = next(iter(samples.values()))
    sides = [
        (REFERENCE, first, first.reference),
        *((name, sample, sample.candidate) for name, sample in samples.items()),
    ]
    plain = [(name, form, _plain(name, sample, form)) for name, sample, form in sides]
    return [
        Contender(name, form, module, _compiled(name, module) if compiled else module, first.inputs)
        for name, form, module in plain
    ]


def _plain(name: str, sample: Sample, form: Form) -> nn.Module:
    with answering(name):
        return sample.module(form, sample.theta)


def _compiled(name: str, plain: nn.Module) -> nn.Module:
    with answering(name):
        module = torch.compile(plain, dynamic=False)
    assert isinstance(module, nn.Module)  # noqa: S101  (what torch.compile makes of a module)
    return module


@dataclass(frozen=True)
class Pass:
    """What of a form is timed, and whether a graph is recorded."""

    name: str
    step: Callable[[Contender], Step]
    gradients: Callable[[], AbstractContextManager[Any]]


def forward_step(contender: Contender) -> Step:
    """Give a call that computes the outputs."""
    module, inputs = contender.module, contender.inputs
    return lambda: module(*inputs)


def training_step(contender: Contender) -> Step:
    """Give a call that computes the outputs, then the gradients of all inputs and parameters."""
    module = contender.module
    inputs = tuple(x.detach().requires_grad_(x.is_floating_point()) for x in contender.inputs)
    leaves = [leaf for leaf in (*inputs, *module.parameters()) if leaf.requires_grad]
    cotangents = [torch.ones_like(output) for output in taken_apart(module(*inputs)).tensors]

    def step() -> tuple[Tensor, ...]:
        return torch.autograd.grad(
            taken_apart(module(*inputs)).tensors, leaves, cotangents, allow_unused=True
        )

    return step


FORWARD_PASS = Pass(FORWARD, forward_step, torch.no_grad)
TRAINING_PASS = Pass(TRAINING, training_step, torch.enable_grad)
