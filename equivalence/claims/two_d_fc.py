"""TwoDFC, in each published version and each cheap form, against flatten followed by Linear."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from torch import nn

from equivalence.claim import AtLeast, Dim, Equivalence, Real, Theta
from equivalence.distribution import Distribution, Normal, Uniform
from equivalence.layers.two_d_fc import (
    ConvolutionTwoDFC,
    EinsumTwoDFC,
    FlattenMatmulTwoDFC,
    NormalBiasTwoDFC,
    NormalTwoDFC,
    TensordotTwoDFC,
    TwoDFC,
    UnvalidatedTwoDFC,
)

Positive = Annotated[int, AtLeast(1)]
NORMAL = {
    "initialisation": "N(0, 1) instead of U(-1/√fan_in, 1/√fan_in): the output's variance grows with the map"
}


class TwoDFCIsFlattenLinear(Equivalence):
    """TwoDFC equals flatten followed by Linear, its weight reshaped to the map."""

    source: ClassVar[str] = "TwoDFC, first article, version 3"
    form: ClassVar[type[TwoDFC]] = TwoDFC

    height: Dim
    width: Dim
    out_features: Dim
    bias: bool

    x = Real("*batch height width")

    def reference(self) -> nn.Module:
        """Flatten the map, then apply Linear."""
        linear = nn.Linear(self.height * self.width, self.out_features, self.bias)
        return nn.Sequential(nn.Flatten(-2), linear)

    def candidate(self) -> nn.Module:
        """Apply the form to the map."""
        return self.form((self.height, self.width), self.out_features, self.bias)

    def carry(self, theta: Theta) -> Theta:
        """weight_0hwo = W_on with n = h · width + w."""
        shape = (1, self.height, self.width, self.out_features)
        carried = {"weight": theta["1.weight"].T.reshape(shape)}
        return carried | ({"bias": theta["1.bias"]} if self.bias else {})

    def initial(self) -> dict[str, Distribution]:
        """U(-1/√fan_in, 1/√fan_in) for both; a map without entries leaves the bias at 0."""
        fan_in = self.height * self.width
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        return {"weight": Uniform(-bound, bound), "bias": Uniform(-bound, bound)}


class EinsumTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC as one einsum equals flatten followed by Linear."""

    form: ClassVar[type[TwoDFC]] = EinsumTwoDFC


class TensordotTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC as one contraction of two axes equals flatten followed by Linear."""

    form: ClassVar[type[TwoDFC]] = TensordotTwoDFC


class FlattenMatmulTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC as one matrix product equals flatten followed by Linear."""

    form: ClassVar[type[TwoDFC]] = FlattenMatmulTwoDFC


class ConvolutionTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC as a convolution with a kernel as large as the map equals flatten followed by Linear."""

    form: ClassVar[type[TwoDFC]] = ConvolutionTwoDFC

    # torch's convolution computes no empty map and no empty output.
    height: Positive
    width: Positive
    out_features: Positive


class UnvalidatedTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC as published equals flatten followed by Linear, on the inputs that Linear accepts."""

    form: ClassVar[type[TwoDFC]] = UnvalidatedTwoDFC
    breaks: ClassVar[dict[str, str]] = {
        "rejects": "a map of height 1 or width 1 is broadcast over the weight instead of refused"
    }


class NormalTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC without a bias, drawn from N(0, 1), computes flatten followed by Linear without a bias."""

    source: ClassVar[str] = "TwoDFC, first article, version 1"
    breaks: ClassVar[dict[str, str]] = NORMAL

    bias: Literal[False]

    def candidate(self) -> nn.Module:
        """Apply the first published version, which never has a bias."""
        return NormalTwoDFC((self.height, self.width), self.out_features)

    def initial(self) -> dict[str, Distribution]:
        """N(0, 1)."""
        return {"weight": Normal(0, 1)}


class NormalBiasTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC with a bias, all of it drawn from N(0, 1), computes flatten followed by Linear."""

    source: ClassVar[str] = "TwoDFC, first article, version 2"
    breaks: ClassVar[dict[str, str]] = NORMAL

    bias: Literal[True]

    def candidate(self) -> nn.Module:
        """Apply the second published version, which always has a bias."""
        return NormalBiasTwoDFC((self.height, self.width), self.out_features)

    def initial(self) -> dict[str, Distribution]:
        """N(0, 1) for both."""
        return {"weight": Normal(0, 1), "bias": Normal(0, 1)}
