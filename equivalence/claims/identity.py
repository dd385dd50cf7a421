"""Layers that start as the identity, put into a network without changing it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from torch import nn

from equivalence.claim import AtLeast, Dim, Equivalence, Real, Theta
from equivalence.claims.refuted import trained_apart
from equivalence.counts import Counts, dense
from equivalence.layers.identity import IdentityConvolution, IdentityLinear

Positive = Annotated[int, AtLeast(1)]
SOURCE = "torch.nn.init documentation: eye_ and dirac_ preserve the identity of the inputs"
TRAINED = "the identity is trained with the rest, and is none after one step"


class InsertedIdentityLinearIsNothing(Equivalence):
    """Linear followed by a Linear of weight I equals the first Linear alone."""

    source: ClassVar[str] = SOURCE
    fresh_draws = "same"
    breaks: ClassVar[dict[str, str]] = {
        "parameter_count": "the identity has weights to train: features² free scalars more",
        **trained_apart(TRAINED),
    }

    in_features: Dim
    features: Dim
    bias: bool

    x = Real("*batch in_features")

    def reference(self) -> nn.Module:
        """Apply Linear."""
        return nn.Linear(self.in_features, self.features, self.bias)

    def candidate(self) -> nn.Module:
        """Apply Linear, then the identity."""
        return nn.Sequential(self.reference(), IdentityLinear(self.features))

    def carry(self, theta: Theta) -> Theta:
        """W, b, and I."""
        identity = torch.eye(self.features, dtype=theta["weight"].dtype)
        return {"1.weight": identity} | {f"0.{name}": value for name, value in theta.items()}

    def reference_cost(self, batch: int) -> Counts:
        """in_features · features multiply-adds a row."""
        return dense(batch, self.in_features, self.features, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """As many, and those of the identity."""
        linear, identity = self.reference_cost(batch), dense(batch, self.features, self.features, bias=False)
        return Counts(linear.parameters + identity.parameters, linear.multiply_adds + identity.multiply_adds)


class InsertedIdentityConvolutionIsNothing(Equivalence):
    """A convolution followed by one with a Dirac kernel equals the first convolution alone."""

    source: ClassVar[str] = SOURCE
    fresh_draws = "same"
    breaks: ClassVar[dict[str, str]] = {
        "parameter_count": "the identity has weights to train: channels² · kernel_size free scalars more",
        "training": TRAINED,
        "training_adafactor": TRAINED,
        "nonfinite": "0 · inf: the zeros around the kernel's centre carry an inf to its neighbours",
    }

    in_channels: Positive
    channels: Positive
    kernel_size: Literal[1, 3, 5]
    bias: bool

    x = Real("batch in_channels length")

    def reference(self) -> nn.Module:
        """Convolve."""
        return nn.Conv1d(self.in_channels, self.channels, self.kernel_size, padding="same", bias=self.bias)

    def candidate(self) -> nn.Module:
        """Convolve, then apply the identity."""
        return nn.Sequential(self.reference(), IdentityConvolution(self.channels, self.kernel_size))

    def carry(self, theta: Theta) -> Theta:
        """The kernel, the bias, and a Dirac kernel."""
        shape = (self.channels, self.channels, self.kernel_size)
        dirac = nn.init.dirac_(torch.zeros(shape, dtype=theta["weight"].dtype))
        return {"1.weight": dirac} | {f"0.{name}": value for name, value in theta.items()}

    def reference_cost(self, batch: int) -> Counts:
        """in_channels · channels · kernel_size multiply-adds a position, padding included."""
        return dense(batch, self.in_channels * self.kernel_size, self.channels, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """As many, and those of the identity."""
        convolution = self.reference_cost(batch)
        identity = dense(batch, self.channels * self.kernel_size, self.channels, bias=False)
        return Counts(
            convolution.parameters + identity.parameters,
            convolution.multiply_adds + identity.multiply_adds,
        )
