"""Where a GPU rounds float32 on its way into a product, to the eleven digits of TF32, as its user says."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from properties.operations.table import known
from properties.operations.terms import contracted

SIGNIFICAND = 11
"""The binary digits of a number of TF32."""
COARSER = 2.0**13
"""The unit roundoff of TF32 beside that of float32."""
BY_CUDNN = ("convolution", "rnn", "lstm", "gru")
CONTRACTING = ("attention", "linalg", "trilinear")
"""Parts of the names of what multiplies matrices inside."""


def in_tf32(name: str, inputs: Iterable[Tensor]) -> bool:
    """Say whether an operation may round its inputs to TF32."""
    if not any(one.is_cuda and one.dtype == torch.float32 for one in inputs):
        return False
    if any(part in name for part in BY_CUDNN):
        return bool(torch.backends.cudnn.allow_tf32)
    multiplies = known(name).terms is contracted or any(part in name for part in CONTRACTING)
    return multiplies and torch.get_float32_matmul_precision() != "highest"
