"""TwoDFC, in each published version and each cheap form, against flatten followed by Linear."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from torch import nn

from equivalence.claim import AtLeast, Dim, Equivalence, FreshDraws, Real, Theta
from equivalence.counts import Counts, dense
from equivalence.distribution import Distribution, Normal, Uniform
from equivalence.layers.two_d_fc import (
    ConvolutionTwoDFC,
    EinsumTwoDFC,
    FlattenMatmulTwoDFC,
    NormalBiasTwoDFC,
    NormalTwoDFC,
    OutputMajorTwoDFC,
    TensordotTwoDFC,
    TwoDFC,
    UnvalidatedTwoDFC,
)

Positive = Annotated[int, AtLeast(1)]
FOUR_AXES = {
    "training_adafactor": "Adafactor takes means over the last two axes: (width, out), not (out, fan_in)",
    "training_muon": "Muon takes matrices alone: a weight of four axes is left to SGD, Linear's is not",
}
NORMAL = {
    "initialisation": "N(0, 1) instead of U(-1/√fan_in, 1/√fan_in): the output's variance grows with the map"
}


class TwoDFCIsFlattenLinear(Equivalence):
    """TwoDFC equals flatten followed by Linear, its weight reshaped to the map."""

    source: ClassVar[str] = "TwoDFC, first article, version 3"
    breaks: ClassVar[dict[str, str]] = FOUR_AXES
    form: ClassVar[type[TwoDFC]] = TwoDFC
    fresh_draws: ClassVar[FreshDraws] = "permuted"

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

    def reference_cost(self, batch: int) -> Counts:
        """height · width · out_features multiply-adds a map."""
        return dense(batch, self.height * self.width, self.out_features, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """As many, in whatever order."""
        return self.reference_cost(batch)


class EinsumTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC as one einsum equals flatten followed by Linear."""

    form: ClassVar[type[TwoDFC]] = EinsumTwoDFC


class TensordotTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC as one contraction of two axes equals flatten followed by Linear."""

    form: ClassVar[type[TwoDFC]] = TensordotTwoDFC


class FlattenMatmulTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC as one matrix product equals flatten followed by Linear."""

    form: ClassVar[type[TwoDFC]] = FlattenMatmulTwoDFC


class OutputMajorTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC with Linear's layout, the fastest form known, equals flatten followed by Linear."""

    breaks: ClassVar[dict[str, str]] = {}
    fresh_draws = "same"

    def candidate(self) -> nn.Module:
        """Apply the form to the map."""
        return OutputMajorTwoDFC((self.height, self.width), self.out_features, self.bias)

    def carry(self, theta: Theta) -> Theta:
        """Take Linear's parameters as they are."""
        return {name.removeprefix("1."): value for name, value in theta.items()}


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
        "rejects": "a map of height 1 or width 1 is broadcast over the weight instead of refused",
        **FOUR_AXES,
    }


class NormalTwoDFCIsFlattenLinear(TwoDFCIsFlattenLinear):
    """TwoDFC without a bias, drawn from N(0, 1), computes flatten followed by Linear without a bias."""

    source: ClassVar[str] = "TwoDFC, first article, version 1"
    fresh_draws = "any"
    breaks: ClassVar[dict[str, str]] = {**NORMAL, **FOUR_AXES}

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
    fresh_draws = "any"
    breaks: ClassVar[dict[str, str]] = {**NORMAL, **FOUR_AXES}

    bias: Literal[True]

    def candidate(self) -> nn.Module:
        """Apply the second published version, which always has a bias."""
        return NormalBiasTwoDFC((self.height, self.width), self.out_features)

    def initial(self) -> dict[str, Distribution]:
        """N(0, 1) for both."""
        return {"weight": Normal(0, 1), "bias": Normal(0, 1)}
