"""A run that makes no number narrower: what computes in bfloat16 inside computes in what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from properties.oracle.mode import Mode


class Widening(Mode):
    """Lets a copy to a narrower dtype keep the dtype of its source."""

    def __torch_dispatch__(
        self,
        operation: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one operation, in no narrower dtype than its input's."""
        kwargs = dict(kwargs or {})
        wanted = kwargs.get("dtype")
        if operation.overloadpacket.__name__ == "_to_copy" and wanted and narrows(args[0].dtype, wanted):
            kwargs["dtype"] = args[0].dtype
        return operation(*args, **kwargs)


def narrows(source: torch.dtype, target: torch.dtype) -> bool:
    """Return whether a number of one dtype is rounded to be one of another."""
    both_real = source.is_floating_point and target.is_floating_point
    return both_real and torch.finfo(target).eps > torch.finfo(source).eps
