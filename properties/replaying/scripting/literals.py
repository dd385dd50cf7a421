"""Tensors as the code that makes them again."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping
from typing import Any

from torch import Tensor

WIDTH = 110
INDENT = " " * 4


def tensor(value: Tensor, *, trained: bool = False) -> str:
    """Write a tensor as torch.tensor(nested lists, dtype=...), or torch.zeros(shape, dtype=...)."""
    options = f"dtype={value.dtype}" + (", requires_grad=True" if trained else "")
    if value.ndim and not value.any():
        # A tuple, for a shape of one axis of size 0 is written as such too.
        return f"torch.zeros({', '.join(map(str, value.shape))}, {options})"
    return f"torch.tensor({_nested(value.tolist(), len(options))}, {options})"


def mapping(name: str, entries: Mapping[str, str]) -> str:
    """Write name = {key: expression, ...}, one entry a line."""
    lines = [f"{INDENT}{json.dumps(key, ensure_ascii=False)}: {value}," for key, value in entries.items()]
    return "\n".join([f"{name} = {{", *lines, "}\n"]) if lines else f"{name} = {{}}\n"


def sequence(name: str, entries: Mapping[str, str]) -> str:
    """Write name = [expression, ...], one entry a line, with what it is called beside it."""
    lines = [f"{INDENT}{value},  # {key}" for key, value in entries.items()]
    return "\n".join([f"{name} = [", *lines, "]\n"]) if lines else f"{name} = []\n"


def _nested(entries: Any, taken: int) -> str:
    """Write nested lists, on lines of their own where they are long."""
    simple = _simple(entries)
    if len(repr(simple)) + taken < WIDTH - 40:
        return repr(simple)
    lines = pprint.pformat(simple, width=WIDTH - 2 * len(INDENT), compact=True).splitlines()
    return "\n".join(["", *(f"{INDENT * 2}{line}" for line in lines[:-1]), f"{INDENT * 2}{lines[-1]}"])


def _simple(entries: Any) -> Any:
    """Write whole numbers without a point."""
    if isinstance(entries, list):
        return [_simple(one) for one in entries]
    return int(entries) if isinstance(entries, float) and entries.is_integer() else entries
