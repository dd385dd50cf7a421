"""Training or evaluation, with or without gradients: how a layer is trained, and how it is deployed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from properties.circumstances.registry import Call, Use, circumstance


@circumstance("mode", "in eval mode")
def eval_(module: nn.Module) -> None:
    """f.eval()(x)."""
    module.eval()


@circumstance("gradients", "without gradients", shown="values")
def no_grad(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x) under torch.no_grad()."""
    with torch.no_grad():
        return call(*inputs)


@circumstance("gradients", "in inference mode", shown="values")
def inference(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x) under torch.inference_mode()."""
    with torch.inference_mode():
        return call(*inputs)
