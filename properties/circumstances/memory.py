"""How inputs lie in memory, and how the cotangents do that come back to the outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from properties.circumstances.registry import Call, Use, circumstance, take_gradient
from properties.needs import OF_IMAGES, images


@circumstance("inputs", "x transposed in memory")
def transposed(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), x as a transpose leaves it."""
    return call(*map(in_transposed_memory, inputs))


@circumstance("inputs", "x strided in memory")
def strided(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), x as x[..., ::2] leaves it."""
    return call(*map(in_strided_memory, inputs))


@circumstance("inputs", "x in the middle of other memory")
def offset(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), x contiguous, but not from the start of its memory."""
    return call(*(torch.cat([x[:1], x])[1:] if x.ndim else x for x in inputs))


@circumstance("inputs", "x expanded")
def expanded(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), x one slice that is repeated without memory of its own."""
    return call(*map(repeating_the_first, inputs))


# In values alone: the backward of torch's own group norm ends the process where such an x needs no gradient.
@circumstance("inputs", "x in channels_last memory", shown="values", needs=images, axes=OF_IMAGES)
def channels_last(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), x as images with their channels last in memory."""
    return call(
        *(x.contiguous(memory_format=torch.channels_last) if x.ndim == OF_IMAGES else x for x in inputs)
    )


@circumstance("outputs", "summed, so that its cotangent is expanded", shown="gradients")
def summed(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x).sum(): one number is the cotangent of all."""
    return _each(lambda output: output.sum(), call(*inputs))


@circumstance("outputs", "with a cotangent transposed in memory", shown="gradients")
def cotangent_transposed(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x) transposed: the cotangent comes back as a transpose leaves it."""
    return _each(lambda output: output.transpose(0, -1) if output.ndim > 1 else output, call(*inputs))


@circumstance("outputs", "with a cotangent that is part of a wider one", shown="gradients")
def cotangent_strided(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x) behind as many zeros: the cotangent comes back as a slice of another's, not from its start."""
    return _each(_widened, call(*inputs))


@circumstance("outputs", "whose graph has given a gradient before", shown="gradients", optional=True)
def kept_graph(use: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), whose gradient is taken once, and its graph retained."""
    output = call(*inputs)
    take_gradient(use.module, inputs, output, retain_graph=True)
    return output


def in_transposed_memory(x: Tensor) -> Tensor:
    """Return a copy that lies as a transpose leaves it."""
    return (
        x.transpose(0, -1).clone(memory_format=torch.contiguous_format).transpose(0, -1)
        if x.ndim
        else x.clone()
    )


def in_strided_memory(x: Tensor) -> Tensor:
    """Return a copy that lies in every other place of its memory."""
    return torch.stack([x, x], dim=-1).flatten(-2)[..., ::2] if x.ndim else x.clone()


def repeating_the_first(x: Tensor) -> Tensor:
    """Return a copy of the first slice, which stands in every place of the first axis."""
    return x[:1].clone().expand_as(x) if x.ndim and len(x) else x.clone()


def _each(change: Callable[[Tensor], Tensor], output: Any) -> Any:
    return tree_map_only(Tensor, change, output)


def _widened(output: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(output), output], dim=-1) if output.ndim else output
