"""Layers that leave the integers, through the same suite: right ones hold, and a small slip is found."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence import Dim, Equivalence, Real
from properties import suite


class WrittenLayerNorm(nn.LayerNorm):
    """(x - mean) / sqrt(variance + epsilon), scaled and shifted."""

    correction = 0

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1:] != self.weight.shape or x.dtype != self.weight.dtype:
            message = "x needs the features and the dtype of the weight"
            raise ValueError(message)
        centred = x - x.mean(-1, keepdim=True)
        variance = centred.square().sum(-1, keepdim=True) / (x.shape[-1] - self.correction)
        return centred / (variance + self.eps).sqrt() * self.weight + self.bias


class UnbiasedLayerNorm(WrittenLayerNorm):
    """Divides by n - 1."""

    correction = 1


class WrittenIsLayerNorm(Equivalence):
    """The formula equals nn.LayerNorm."""

    features: Dim
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.LayerNorm(self.features)

    def candidate(self) -> nn.Module:
        return WrittenLayerNorm(self.features)


class UnbiasedIsLayerNorm(WrittenIsLayerNorm):
    """The unbiased variance is another one."""

    breaks = {"forward": "n - 1 for n"}  # noqa: RUF012

    def candidate(self) -> nn.Module:
        return UnbiasedLayerNorm(self.features)


class Activated(nn.Module):
    """Linear, then an activation that is a function of its own."""

    def __init__(self, features: int, activation: str) -> None:
        super().__init__()
        self.linear = nn.Linear(features, features)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = getattr(functional, self.activation)(self.linear(x))
        return result


class WrittenActivated(Activated):
    """The activations by formulas that no exp overflows."""

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(x)
        if self.activation == "silu":
            return y * torch.sigmoid(y)
        if self.activation == "tanh":
            return 2 * torch.sigmoid(2 * y) - 1
        return -torch.logaddexp(-y, torch.zeros_like(y))


class WrittenIsActivated(Equivalence):
    """silu, tanh and logsigmoid equal other formulas."""

    features: Dim
    activation: Literal["silu", "tanh", "logsigmoid"]
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Activated(self.features, self.activation)

    def candidate(self) -> nn.Module:
        return WrittenActivated(self.features, self.activation)


TestLayerNorm = suite(WrittenIsLayerNorm)
TestUnbiased = suite(UnbiasedIsLayerNorm, laws=["forward"])
TestActivated = suite(WrittenIsActivated)
