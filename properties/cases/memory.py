"""A value that stands in for a module's parameter or buffer: how it lies in memory, who may write into it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def standing_in(own: Tensor, value: Tensor) -> Tensor:
    """Give the value in memory of its own, in the order of the module's, which a form may count on.

    A form may write into it: into a buffer in training mode, into a parameter without gradients.
    It lies where the module does: a constant that `carry` makes need not know where.
    """
    like = own if own.layout == value.layout else value
    return torch.empty_like(like, dtype=value.dtype, device=own.device).copy_(value)


@contextmanager
def unwritten(values: Collection[Tensor]) -> Iterator[None]:
    """Raise RuntimeError where a form inside writes into what is trained, as torch does of a parameter."""
    before = [value.grad_fn for value in values]
    yield
    # A recorded write changes how a value was computed.
    if any(value.grad_fn is not then for value, then in zip(values, before, strict=True)):
        rule = "a parameter that requires grad is being used in an in-place operation"
        message = f"{rule}; write under torch.no_grad()"
        raise RuntimeError(message)
