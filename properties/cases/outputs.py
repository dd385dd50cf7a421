"""What a form returns: any nest of tensors, taken apart into its tensors, their paths, and all else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple, TypeGuard

import torch
from torch import Tensor

PLAIN = (type(None), bool, int, str, torch.dtype, torch.device)
"""What stands in a nest beside tensors, and is compared as it is written."""
TENSOR = "tensor"
MOST = 10_000
"""So many parts of a nest at the most are looked at."""


class Outputs(NamedTuple):
    """The tensors of a nest, where each stands in it, and what it is of."""

    tensors: tuple[Tensor, ...]
    paths: tuple[str, ...]
    """As in Python: .logits, ["past"][0]; empty for a tensor alone."""
    structure: str = ""
    """The nest without the numbers, as in Answer(logits=tensor, past=tuple(tensor, None))."""
    flat: bool = True
    """Whether it is a tensor, or a sequence of tensors and nothing else."""

    def named(self, tensors: Sequence[Tensor]) -> Any:
        """Give as many tensors as it has by their paths, where there is more than a sequence of them."""
        same = len(tensors) == len(self.paths)
        return dict(zip(self.paths, tensors, strict=True)) if same and not self.flat else tensors


def taken_apart(output: object) -> Outputs:
    """Take a nest of tensors apart; TypeError where anything stands in it that cannot be compared."""
    if _is_plain(output):
        return Outputs((output,), ("",), TENSOR)
    tensors: dict[str, Tensor] = {}
    for number, (path, leaf) in enumerate(leaves(output)):
        if number == MOST:
            raise TypeError(f"more than {MOST:,} parts")
        if not isinstance(leaf, PLAIN):
            tensors[path] = _tensor(leaf, path)
    flat = _is_sequence(output) and all(map(_is_plain, output))
    return Outputs(tuple(tensors.values()), tuple(tensors), structure(output), flat)


def leaves(output: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give what stands in a nest of sequences, mappings and dataclasses, each after its path."""
    inside = branches(output)
    if inside is None:
        yield path, output
        return
    for step, branch in inside:
        yield from leaves(branch, path + step)


def branches(output: Any) -> list[tuple[str, Any]] | None:
    """Give what a sequence, a mapping or a dataclass holds, each after its step; None for anything else."""
    if isinstance(output, Tensor):
        return None
    if is_dataclass(output) and not isinstance(output, type):
        # First: the outputs of some libraries are mappings too, which leave out what is None.
        return [(f".{one.name}", getattr(output, one.name)) for one in fields(output)]
    if isinstance(output, Mapping):
        # Two mappings are equal in any order.
        return [(f"[{_written(key)}]", output[key]) for key in sorted(output, key=repr)]
    if _is_sequence(output):
        return [(f"[{place}]", one) for place, one in enumerate(output)]
    return [(f".{name}", getattr(output, name)) for name in output._fields] if _has_names(output) else None


def structure(output: object) -> str:
    """Write a nest with its tensors left out."""
    inside = branches(output)
    if inside is None:
        return _kind(output)
    written = [(step.removeprefix("."), structure(branch)) for step, branch in inside]
    held = [one if _is_sequence(output) else f"{name}={one}" for name, one in written]
    return f"{type(output).__name__}({', '.join(held)})"


def _tensor(leaf: Any, path: str) -> Tensor:
    """Give what is computed as a plain tensor; TypeError where it is nothing of the kind."""
    if isinstance(leaf, float):
        # A number is rounded as a tensor is.
        return torch.tensor(leaf, dtype=torch.float64)
    if not isinstance(leaf, Tensor) or leaf.is_nested:
        raise TypeError(f"{_kind(leaf)} at {path}" if path else _kind(leaf))
    return leaf if _is_plain(leaf) else leaf.to_dense()


def _is_plain(leaf: object) -> TypeGuard[Tensor]:
    return isinstance(leaf, Tensor) and leaf.layout == torch.strided and not leaf.is_nested


def _kind(leaf: Any) -> str:
    """Say what a leaf is of, and write what is compared as it stands."""
    if isinstance(leaf, Tensor):
        kept = "nested" if leaf.is_nested else str(leaf.layout).removeprefix("torch.")
        return TENSOR if _is_plain(leaf) else f"{kept} {TENSOR}"
    if isinstance(leaf, float):
        return "number"
    return repr(leaf) if isinstance(leaf, PLAIN) else type(leaf).__name__


def _is_sequence(output: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(output, list | tuple) and not _has_names(output)


def _has_names(output: object) -> bool:
    return isinstance(output, tuple) and hasattr(output, "_fields")


def _written(key: object) -> str:
    return json.dumps(key) if isinstance(key, str) else repr(key)
