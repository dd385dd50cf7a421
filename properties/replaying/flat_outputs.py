"""What stands in a script for taking outputs apart that are a tensor, or a sequence of them: most are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def taken_apart(output: Any) -> Any:
    """Give the tensors of an output."""
    tensors = tuple(output) if isinstance(output, tuple | list) else (output,)
    return SimpleNamespace(tensors=tensors, structure=type(output).__name__, named=tuple)
