"""Layers that start as the identity."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.layers.affine import QuietLinear
from equivalence.layers.validation import check_input, check_size, flatten_leading


class IdentityLinear(QuietLinear):
    """y = x Wᵀ with W = I at the start, (*batch, features) -> (*batch, features).

    Raises ValueError for features that is no integer of at least 0, or an input with another last axis;
    TypeError for an input with another dtype.
    """

    def __init__(self, features: int) -> None:
        check_size("features", features)
        super().__init__(features, features, bias=False)

    def reset_parameters(self) -> None:
        """W = I."""
        nn.init.eye_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, features) -> (*batch, features)."""
        check_input(x, (self.in_features,), self.weight)
        return super().forward(x)


class IdentityConvolution(nn.Module):
    """y = conv(x, weight) with a Dirac kernel at the start, (*batch, channels, length) -> the same shape.

    weight is (channels, channels, kernel_size). Raises ValueError when channels or the length is 0, which
    torch's convolution refuses, when kernel_size is even, or for an input with another number of channels;
    TypeError for an input with another dtype.
    """

    def __init__(self, channels: int, kernel_size: int) -> None:
        check_size("channels", channels, minimum=1)
        check_size("kernel_size", kernel_size, minimum=1)
        if kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size must be odd, to pad both ends alike, but is {kernel_size}; "
                f"pass {kernel_size - 1} or {kernel_size + 1}"
            )
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.empty(channels, channels, kernel_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """weight_oik = 1 where o = i and k is the centre, 0 elsewhere."""
        nn.init.dirac_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, channels, length) -> (*batch, channels, length)."""
        check_input(x, (self.channels, None), self.weight)
        check_size("the input's length", x.shape[-1], minimum=1)
        signals = flatten_leading(x, trailing=2)
        return functional.conv1d(signals, self.weight, padding="same").reshape(x.shape)
