"""How many numbers a module keeps."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


def free_scalars(module: nn.Module, dead: Mapping[str, Tensor]) -> int:
    """Count the trainable scalars of a module: shared parameters once, dead entries not."""
    trained = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    dying = [entries for name, entries in dead.items() if module.get_parameter(name).requires_grad]
    return trained - sum(int(entries.sum()) for entries in dying)


def stored_scalars(module: nn.Module) -> int:
    """Count the scalars that a module keeps as parameters, dead and frozen ones too; shared ones once."""
    return sum(parameter.numel() for parameter in module.parameters())


def buffer_entries(module: nn.Module) -> int:
    """Count the entries of a module's buffers; shared ones once."""
    return sum(buffer.numel() for buffer in module.buffers())
