"""Locally connected layers: every group of inputs has outputs of its own."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from equivalence.claim import AtLeast, Dim, Equivalence, Real, Theta
from equivalence.claims.refuted import another_function
from equivalence.distribution import Distribution, Uniform
from equivalence.layers.kronecker import shared_matrix
from equivalence.layers.local import (
    GroupedConvolutionLinear,
    GroupedReshapeLinear,
    LocalLinear,
    MatmulReshapeLinear,
    TransposedBlockLinear,
    block_diagonal,
)
from equivalence.layers.masked import MaskedLinear

Positive = Annotated[int, AtLeast(1)]
SOURCE = "Layers that are not fully connected, fourth article"


class LocalIsGroupedReshape(Equivalence):
    """One layer with a block-diagonal weight equals one small layer for each group."""

    source: ClassVar[str] = SOURCE
    breaks: ClassVar[dict[str, str]] = {
        "nonfinite": "0 · inf: the zeros off the blocks carry the inf of one group to the others"
    }
    form: ClassVar[type[LocalLinear]] = LocalLinear

    groups: Positive
    kernel_size: Dim
    out_per_group: Dim
    bias: bool

    x = Real("*batch groups kernel_size")

    def reference(self) -> nn.Module:
        """Keep the groups an axis of their own."""
        return self.flattened(GroupedReshapeLinear)

    def candidate(self) -> nn.Module:
        """Apply the form."""
        return self.flattened(self.form)

    def flattened(self, form: type[LocalLinear]) -> nn.Module:
        """Apply a form to the groups side by side, as the layer takes them."""
        return nn.Sequential(
            nn.Flatten(-2), form(self.groups, self.kernel_size, self.out_per_group, self.bias)
        )

    def initial(self) -> dict[str, Distribution]:
        """U(-1/√kernel_size, 1/√kernel_size) for both; no inputs leave the bias at 0."""
        bound = 1 / math.sqrt(self.kernel_size) if self.kernel_size else 0.0
        return {"1.weight": Uniform(-bound, bound), "1.bias": Uniform(-bound, bound)}


class GroupedConvolutionIsGroupedReshape(LocalIsGroupedReshape):
    """A grouped convolution on a length of 1 equals one small layer for each group."""

    breaks: ClassVar[dict[str, str]] = {}
    form: ClassVar[type[LocalLinear]] = GroupedConvolutionLinear

    # torch's convolution computes no empty group.
    kernel_size: Positive
    out_per_group: Positive


class MaskedIsLocal(LocalIsGroupedReshape):
    """The masked layer whose mask is block-diagonal equals the locally connected layer."""

    breaks: ClassVar[dict[str, str]] = {
        "initialisation": "the bound is 1/√(groups · kernel_size): the fan counts the dead connections too"
    }

    @property
    def mask(self) -> Tensor:
        """1 on the blocks."""
        return shared_matrix(torch.ones(self.out_per_group, self.kernel_size), self.groups)

    def reference(self) -> nn.Module:
        """Write out the blocks."""
        return self.flattened(LocalLinear)

    def candidate(self) -> nn.Module:
        """Mask all but the blocks."""
        return nn.Sequential(nn.Flatten(-2), MaskedLinear(self.mask, self.bias))

    def carry(self, theta: Theta) -> Theta:
        """Put the blocks on the diagonal."""
        return {**theta, "1.weight": block_diagonal(theta["1.weight"])}

    def dead_in_candidate(self) -> dict[str, Tensor]:
        """Name the weights off the blocks."""
        return {"1.weight": self.mask == 0}

    def initial(self) -> dict[str, Distribution]:
        """U(-1/√fan_in, 1/√fan_in) for both, with the fan of the whole matrix."""
        fan_in = self.groups * self.kernel_size
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        return {"1.weight": Uniform(-bound, bound), "1.bias": Uniform(-bound, bound)}


class OneGroupIsLinear(Equivalence):
    """The locally connected layer equals Linear where there is one group."""

    source: ClassVar[str] = SOURCE

    in_features: Dim
    out_features: Dim
    bias: bool

    x = Real("*batch in_features")

    def reference(self) -> nn.Module:
        """Apply Linear."""
        return nn.Linear(self.in_features, self.out_features, self.bias)

    def candidate(self) -> nn.Module:
        """Apply one block."""
        return LocalLinear(1, self.in_features, self.out_features, self.bias)

    def carry(self, theta: Theta) -> Theta:
        """Add the axis of the groups."""
        return {**theta, "weight": theta["weight"].unsqueeze(0)}


class TransposedBlocksAreLocal(Equivalence):
    """Square blocks laid as (in, out) instead of (out, in) compute the transposed blocks."""

    source: ClassVar[str] = SOURCE
    breaks: ClassVar[dict[str, str]] = another_function("each block is transposed")

    groups: Positive
    size: Dim
    bias: bool

    x = Real("*batch groups size")

    def reference(self) -> nn.Module:
        """Lay the blocks as Linear lays its weight."""
        return nn.Sequential(nn.Flatten(-2), LocalLinear(self.groups, self.size, self.size, self.bias))

    def candidate(self) -> nn.Module:
        """Lay the blocks the other way."""
        return nn.Sequential(
            nn.Flatten(-2), TransposedBlockLinear(self.groups, self.size, self.size, self.bias)
        )


class MatmulReshapeIsLocal(Equivalence):
    """A matrix product of the reshaped inputs lets every group's inputs meet every group's weights."""

    source: ClassVar[str] = SOURCE
    breaks: ClassVar[dict[str, str]] = another_function("each output reads both halves of the input")

    half: Dim
    bias: bool

    x = Real("*batch 2 half")

    def reference(self) -> nn.Module:
        """Give each half one output."""
        return nn.Sequential(nn.Flatten(-2), LocalLinear(2, self.half, 1, self.bias))

    def candidate(self) -> nn.Module:
        """Multiply the reshaped input by the weight."""
        return nn.Sequential(nn.Flatten(-2), MatmulReshapeLinear(self.half, self.bias))

    def carry(self, theta: Theta) -> Theta:
        """Drop the axis of the one output of each half."""
        return {**theta, "1.weight": theta["1.weight"].squeeze(1)}
