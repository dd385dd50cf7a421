"""How a script compares, shows, differentiates and lays out tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

# Short names keep the head of a function on one line, as it is in a script.
Output = Any
State = Mapping[str, Tensor]
Tensors = Sequence[Tensor]


def tensors(output: Output) -> Tensors:
    """Give a tensor, or several, as a sequence."""
    return [output] if isinstance(output, Tensor) else output


def show(name: str, output: Output) -> None:
    """Print a tensor, or several, with all digits."""
    for one in tensors(output):
        print(f"{name}: {one.tolist()}, {one.dtype}, shape {tuple(one.shape)}")  # noqa: T201  (its purpose)


def agree(found: Output, expected: Output, tolerance: float) -> bool:
    """Whether shapes, dtypes and numbers are the same, up to a part of the largest number."""
    if not (isinstance(found, Tensor) and isinstance(expected, Tensor)):
        pairs = zip(tensors(found), tensors(expected), strict=False)
        alike = isinstance(found, Tensor) == isinstance(expected, Tensor) and len(found) == len(expected)
        return alike and all(agree(one, other, tolerance) for one, other in pairs)
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    largest = max(expected[expected.isfinite()].abs().tolist(), default=0) if tolerance else 0
    close = torch.isclose(found, expected, rtol=0, atol=tolerance * largest, equal_nan=True)
    return bool(close.all())


def pull_back(output: Output, cotangents: Tensors, leaves: Tensors, *, create_graph: bool = False) -> Tensors:
    """d<cotangents, output>/d leaf for every leaf; zeros where nothing depends on it."""
    pairs = [(y, c) for y, c in zip(tensors(output), cotangents, strict=True) if y.requires_grad]
    if not pairs or not leaves:
        return [torch.zeros_like(leaf) for leaf in leaves]
    outputs, weights = zip(*pairs, strict=True)
    options = {"create_graph": create_graph, "allow_unused": True, "materialize_grads": True}
    return list(torch.autograd.grad(outputs, leaves, weights, **options))


def differentiable(inputs: Tensors) -> Tensors:
    """Give the real inputs as leaves to differentiate in; indices stay as they are."""
    return [one.clone().requires_grad_() if one.is_floating_point() else one for one in inputs]


def stacked(rows: Sequence[Tensors]) -> Tensors:
    """Stack the first tensors of all rows, then the second ones, and so on."""
    return [torch.stack(column) for column in zip(*rows, strict=True)]


def transposed(x: Tensor) -> Tensor:
    """Lay the same numbers in memory with the first axis running fastest."""
    if x.ndim <= 1:
        return x.clone()
    return x.transpose(0, -1).clone(memory_format=torch.contiguous_format).transpose(0, -1)


def strided(x: Tensor) -> Tensor:
    """Lay the same numbers in memory with a gap after each."""
    return torch.stack([x, x], dim=-1).flatten(-2)[..., ::2] if x.ndim else x.clone()


def expanded(x: Tensor) -> Tensor:
    """Repeat the first slice, without memory for each."""
    return x[:1].clone().expand_as(x) if x.ndim and len(x) else x.clone()


def real_entries(inputs: Tensors) -> Iterator[tuple[int, int]]:
    """Give the place of every entry of every real input."""
    for place, x in enumerate(inputs):
        yield from ((place, entry) for entry in range(x.numel()) if x.is_floating_point())
