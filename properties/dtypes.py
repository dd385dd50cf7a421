"""The dtypes that forms run in, and which of them have few digits."""

from __future__ import annotations

import torch
from torch import Tensor

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
"""Of the real numbers of a run, by name, the widest first."""
NARROW = (torch.bfloat16, torch.float16)
"""Those with fewer digits than float32."""


def named(dtype: torch.dtype) -> str:
    """Return the name of a dtype as a reader knows it."""
    return str(dtype).removeprefix("torch.")


def widened(values: Tensor) -> Tensor:
    """Return numbers of a narrow dtype in float32, and all others as they are."""
    return values.float() if values.dtype in NARROW else values
