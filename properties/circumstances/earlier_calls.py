"""What was called before: nothing that a form keeps from one call may show in the next."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from properties.circumstances.registry import (
    Call,
    Use,
    change_parameters,
    circumstance,
    take_gradient,
    tensors_of,
)
from properties.needs import free_axes

FURTHER = 3
"""So much longer is every free axis of a longer call."""


@circumstance("calls", "after a longer call", needs=free_axes)
def after_longer(use: Use, call: Call, *inputs: Tensor) -> Any:
    """f(more rows, more steps), then f(x)."""
    call(*use.resized(lambda size: size + FURTHER))
    return call(*inputs)


@circumstance("calls", "after a shorter call", needs=free_axes)
def after_shorter(use: Use, call: Call, *inputs: Tensor) -> Any:
    """f(fewer rows, fewer steps), then f(x)."""
    call(*use.resized(lambda size: max(1, size - 1)))
    return call(*inputs)


@circumstance("calls", "after a call with other values")
def after_others(use: Use, call: Call, *inputs: Tensor) -> Any:
    """f(y), then f(x), of one shape."""
    call(*use.resized(lambda size: size))
    return call(*inputs)


@circumstance("calls", "called twice")
def again(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), then f(x)."""
    call(*inputs)
    return call(*inputs)


@circumstance("calls", "after a call without gradients", shown="gradients")
def after_evaluation(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x) under no_grad, then f(x): what was kept may have no graph."""
    with torch.no_grad():
        call(*inputs)
    return call(*inputs)


@circumstance("calls", "after a call and its backward")
def after_backward(use: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), its gradient, then f(x): what was kept may have no graph any more."""
    # A layer that is deployed was trained outside inference mode, in which nothing is saved for a backward.
    with torch.inference_mode(mode=False), torch.enable_grad():
        earlier = tuple(x.detach().clone().requires_grad_(x.is_floating_point()) for x in inputs)
        take_gradient(use.module, earlier, call(*earlier))
    return call(*inputs)


@circumstance("calls", "after its output was written to in place", shown="values", alike=True)
def after_writing(use: Use, call: Call, *inputs: Tensor) -> Any:
    """y = f(x), y += 1, then f(x): y is memory of its own, and no number of it lies there once for many."""
    own = [*inputs, *use.module.parameters(), *use.module.buffers()]
    with torch.no_grad():
        before = [value.clone() for value in own]
        for output in tensors_of(call(*inputs)):
            if output.is_floating_point():
                output.add_(1)
    answer = tree_map_only(Tensor, torch.clone, call(*inputs))
    with torch.no_grad():
        # The other form is called with the same tensors.
        for value, kept in zip(own, before, strict=True):
            value.copy_(kept)
    return answer


@circumstance("calls", "after a call in float32", shown="values", narrows=True)
def after_float(use: Use, _: Call, *inputs: Tensor) -> Any:
    """f.float()(x), f.double()(x)."""
    module = use.copied()
    kept = _state_of(module)
    with torch.no_grad():
        module.float()(*(x.float() if x.is_floating_point() else x for x in inputs))
    # What float32 lost of the parameters comes back.
    module.to(_dtype(kept)).load_state_dict(kept)
    return module(*inputs)


@circumstance("calls", "after load_state_dict into a module that has run in eval mode", shown="values")
def after_loading(use: Use, _: Call, *inputs: Tensor) -> Any:
    """g.eval()(x), g.load_state_dict(f's), then g(x): what was kept of other parameters is stale."""
    module = use.copied()
    training = module.training
    kept = _state_of(module)
    change_parameters(module)
    with torch.no_grad():
        module.eval()(*inputs)
    module.load_state_dict(kept)
    return module.train(training)(*inputs)


@circumstance("calls", "copied after a call", shown="values")
def copied(use: Use, _: Call, *inputs: Tensor) -> Any:
    """f(x), then copy.deepcopy(f)(x), after f has got other parameters: none of them is the copy's."""
    module = use.copied()
    with torch.no_grad():
        module(*inputs)
    found = copy.deepcopy(module)
    change_parameters(module)
    return found(*inputs)


def _state_of(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def _dtype(state: dict[str, Tensor]) -> torch.dtype:
    return next((value.dtype for value in state.values() if value.is_floating_point()), torch.float64)
