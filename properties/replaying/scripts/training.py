"""How a script trains a form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from properties.replaying.scripts.numbers import Tensors

Loss = Callable[[nn.Module, int], Tensor]
Optimisers = Sequence[torch.optim.Optimizer]


def trainable(form: nn.Module) -> list[nn.Parameter]:
    """Give the parameters that there is anything to train in."""
    return [one for one in form.parameters() if one.requires_grad and one.numel()]


def descend(form: nn.Module, optimisers: Optimisers, loss: Loss, **beside: Any) -> Tensors:
    """Take four steps, each with a loss of its own, and give the loss before each."""
    accumulated, decay = beside.get("accumulated", 1), beside.get("decay", 1.0)
    schedules = [torch.optim.lr_scheduler.ExponentialLR(one, decay) for one in optimisers]
    losses = []
    for step in range(4):
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=beside.get("set_to_none", True))
        losses.append(accumulate(form, loss, step, accumulated))
        weights = [one for one in trainable(form) if one.grad is not None]
        if "clip_norm" in beside:
            torch.nn.utils.clip_grad_norm_(weights, beside["clip_norm"])
        if "clip_value" in beside and weights:
            torch.nn.utils.clip_grad_value_(weights, beside["clip_value"])
        if beside.get("keeps_size"):
            set_rounding_to_zero([one.grad for one in weights if one.grad is not None])
        for optimiser in optimisers:
            optimiser.step()
        for schedule in schedules:
            schedule.step()
    return losses


def set_rounding_to_zero(gradients: Sequence[Tensor]) -> None:
    """Set to 0 what rounding leaves of a gradient: the optimiser would take a full step of it."""
    largest = max((float(one.abs().max()) for one in gradients), default=0.0)
    for one in gradients:
        least = torch.finfo(one.dtype).eps ** (2 / 3) * max(1.0, largest)
        one.masked_fill_(one.abs() < least, 0)


def accumulate(form: nn.Module, loss: Loss, step: int, accumulated: int) -> Tensor:
    """Add up the gradients of a few losses, and give their mean."""
    parts = []
    for part in range(step * accumulated, (step + 1) * accumulated):
        parts.append(loss(form, part) / accumulated)
        if parts[-1].requires_grad:
            parts[-1].backward()
    return torch.stack(parts).sum().detach()
