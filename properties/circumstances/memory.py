"""How inputs lie in memory, and how the cotangents do that come back to the outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from equivalence.claim import Equivalence
from properties.circumstances.registry import Call, Use, circumstance

OF_IMAGES = 4
"""Axes of a batch of images, which channels_last orders."""


def _images(claim: Equivalence) -> str:
    """Need an input that can be a batch of images."""
    names = [one.axes.split() for one in claim.inputs().values()]
    fits = any(len(axes) == OF_IMAGES or any(name.startswith("*") for name in axes) for axes in names)
    return "" if fits else "no input of four axes"


@circumstance("inputs", "x transposed in memory")
def transposed(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), x as a transpose leaves it."""
    return call(*map(_transposed, inputs))


@circumstance("inputs", "x strided in memory")
def strided(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), x as x[..., ::2] leaves it."""
    return call(*(torch.stack([x, x], dim=-1).flatten(-2)[..., ::2] if x.ndim else x for x in inputs))


@circumstance("inputs", "x in the middle of other memory")
def offset(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), x contiguous, but not from the start of its memory."""
    return call(*(torch.cat([x[:1], x])[1:] if x.ndim else x for x in inputs))


@circumstance("inputs", "x expanded")
def expanded(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), x one slice that is repeated without memory of its own."""
    return call(*(x[:1].expand_as(x) if x.ndim and len(x) else x for x in inputs))


# In values alone: the backward of torch's own group norm ends the process where such an x needs no gradient.
@circumstance("inputs", "x in channels_last memory", shown="values", needs=_images, axes=OF_IMAGES)
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


def _each(change: Callable[[Tensor], Tensor], output: Any) -> Any:
    return tree_map_only(Tensor, change, output)


def _transposed(x: Tensor) -> Tensor:
    return x.transpose(0, -1).clone(memory_format=torch.contiguous_format).transpose(0, -1) if x.ndim else x


def _widened(output: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(output), output], dim=-1) if output.ndim else output
