"""What an operation is given, and what it gives: tensors in lists, tuples and mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor


def tensors(tree: Any) -> Iterator[Tensor]:
    """Give the tensors of a tree, in order; what else stands in it is passed over."""
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, list | tuple):
        for branch in tree:
            yield from tensors(branch)
    elif isinstance(tree, Mapping):
        yield from tensors(list(tree.values()))


def joined(where: str, step: str) -> str:
    """Name a branch of a tree: weight of output is output.weight, and [0] of it output[0]."""
    return f"{where}{step}" if step[:1] in ("", ".", "[") else f"{where}.{step}".lstrip(".")
