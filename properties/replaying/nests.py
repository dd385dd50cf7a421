"""What stands in a script for taking outputs apart, where a form returns more than a sequence of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

TAKEN = (Tensor, float)
"""What is compared as numbers."""


def leaves_of(nest: Any, place: str = "") -> dict[str, Any]:
    """Give what stands in a nest by its place, in the order in which cotangents are drawn."""
    if is_dataclass(nest):
        inside = {f".{name}": one for name, one in vars(nest).items()}
    elif isinstance(nest, Mapping):
        inside = {f"[{name!r}]": nest[name] for name in sorted(nest, key=repr)}
    elif isinstance(nest, list | tuple):
        inside = {f"[{number}]": one for number, one in enumerate(nest)}
    else:
        return {place: nest}
    return {name: one for step, part in inside.items() for name, one in leaves_of(part, place + step).items()}


def taken_apart(output: Any) -> Any:
    """Give the tensors of a nest, what else it is of, and how tensors are named by their places in it."""
    leaves = leaves_of(output)
    numbers = {place: torch.as_tensor(leaf) for place, leaf in leaves.items() if isinstance(leaf, TAKEN)}
    return SimpleNamespace(
        tensors=tuple(numbers.values()),
        structure=f"{type(output).__name__} of { {**leaves, **dict.fromkeys(numbers, 'number')} }",
        named=lambda found: (
            dict(zip(numbers, found, strict=True)) if 1 < len(numbers) == len(found) else found
        ),
    )
