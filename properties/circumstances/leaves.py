"""Which tensors need a gradient: all parameters, some, none, and the inputs too."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from equivalence.claim import Theta
from properties.circumstances.registry import Call, Use, circumstance
from properties.needs import real_inputs


@circumstance("parameters", "with frozen parameters", shown="gradients")
def frozen(theta: Theta) -> Theta:
    """d<c, f>/dx, theta without gradients: as beside an adapter."""
    return {name: value.detach() for name, value in theta.items()}


@circumstance("parameters", "with every other parameter frozen, the first one too", shown="gradients")
def first_frozen(theta: Theta) -> Theta:
    """d<c, f>/dtheta for half of theta: as where biases alone are trained."""
    return _every_other(theta, 0)


@circumstance("parameters", "with every other parameter frozen, the second one too", shown="gradients")
def second_frozen(theta: Theta) -> Theta:
    """d<c, f>/dtheta for the other half of theta."""
    return _every_other(theta, 1)


@circumstance("gradients", "with inputs that need a gradient", needs=real_inputs)
def input_leaves(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x) where x is a leaf: not that of the first layer of a network."""
    return call(*(_leaf(x) for x in inputs))


def _every_other(theta: Theta, first: int) -> Theta:
    return {
        name: value.detach() if place % 2 == first else value
        for place, (name, value) in enumerate(theta.items())
    }


def _leaf(x: Tensor) -> Tensor:
    return x if x.requires_grad or not x.is_floating_point() else x.detach().requires_grad_()
