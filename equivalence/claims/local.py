"""Locally connected layers: every group of inputs has outputs of its own."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from equivalence.claim import AtLeast, Dim, Equivalence, FreshDraws, Real, Theta
from equivalence.claims.refuted import another_function
from equivalence.counts import Counts, dense
from equivalence.distribution import Distribution, Uniform
from equivalence.layers.kronecker import shared_matrix
from equivalence.layers.local import (
    BatchedLocalLinear,
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


def blocks(batch: int, groups: int, kernel_size: int, out_per_group: int, *, bias: bool) -> Counts:
    """One small layer for each group: groups · kernel_size · out_per_group multiply-adds a row."""
    weights, out_features = groups * kernel_size * out_per_group, groups * out_per_group
    return Counts(weights + bias * out_features, batch * weights)


def written_out(batch: int, groups: int, kernel_size: int, out_per_group: int, *, bias: bool) -> Counts:
    """One layer with a block-diagonal weight: groups times the multiply-adds of its blocks."""
    counts = blocks(batch, groups, kernel_size, out_per_group, bias=bias)
    return Counts(counts.parameters, groups * counts.multiply_adds)


class LocalIsGroupedReshape(Equivalence):
    """One layer with a block-diagonal weight equals one small layer for each group."""

    source: ClassVar[str] = SOURCE
    breaks: ClassVar[dict[str, str]] = {
        "nonfinite": "0 · inf: the zeros off the blocks carry the inf of one group to the others"
    }
    form: ClassVar[type[LocalLinear]] = LocalLinear
    fresh_draws: ClassVar[FreshDraws] = "same"

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

    @property
    def sizes(self) -> tuple[int, int, int]:
        """(groups, kernel_size, out_per_group)."""
        return self.groups, self.kernel_size, self.out_per_group

    def reference_cost(self, batch: int) -> Counts:
        """The blocks alone."""
        return blocks(batch, *self.sizes, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """The whole matrix, zeros and all."""
        return written_out(batch, *self.sizes, bias=self.bias)


class GroupedConvolutionIsGroupedReshape(LocalIsGroupedReshape):
    """A grouped convolution on a length of 1 equals one small layer for each group."""

    breaks: ClassVar[dict[str, str]] = {}
    form: ClassVar[type[LocalLinear]] = GroupedConvolutionLinear

    # torch's convolution computes no empty group.
    kernel_size: Positive
    out_per_group: Positive

    def candidate_cost(self, batch: int) -> Counts:
        """The blocks alone."""
        return self.reference_cost(batch)


class BatchedIsGroupedReshape(LocalIsGroupedReshape):
    """One batched product, the fastest form known, equals one small layer for each group."""

    breaks: ClassVar[dict[str, str]] = {}
    form: ClassVar[type[LocalLinear]] = BatchedLocalLinear

    def candidate_cost(self, batch: int) -> Counts:
        """The blocks alone."""
        return self.reference_cost(batch)


class MaskedIsLocal(LocalIsGroupedReshape):
    """The masked layer whose mask is block-diagonal equals the locally connected layer."""

    breaks: ClassVar[dict[str, str]] = {
        "initialisation": "the bound is 1/√(groups · kernel_size): the fan counts the dead connections too",
        "training_adafactor": "Adafactor takes means over whole rows and columns, dead entries too",
        "training_muon": "Muon takes the whole matrix, and leaves the blocks of three axes to SGD",
    }

    fresh_draws = "any"

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

    def reference_cost(self, batch: int) -> Counts:
        """The whole matrix, zeros and all."""
        return written_out(batch, *self.sizes, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """The whole matrix, kept as parameters, and one product more for each entry of its mask."""
        groups, kernel_size, out_per_group = self.sizes
        entries = groups * kernel_size * groups * out_per_group
        dead = entries - groups * kernel_size * out_per_group
        parameters = entries + self.bias * groups * out_per_group
        return Counts(parameters, batch * entries + entries, dead=dead, buffers=entries)


class OneGroupIsLinear(Equivalence):
    """The locally connected layer equals Linear where there is one group."""

    source: ClassVar[str] = SOURCE
    breaks: ClassVar[dict[str, str]] = {
        "training_muon": "Muon takes matrices alone: a weight of three axes is left to SGD, Linear's is not"
    }
    fresh_draws = "same"

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

    def reference_cost(self, batch: int) -> Counts:
        """in_features · out_features multiply-adds a row."""
        return dense(batch, self.in_features, self.out_features, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """As many: the one block is the whole matrix."""
        return self.reference_cost(batch)


class TransposedBlocksAreLocal(Equivalence):
    """Square blocks laid as (in, out) instead of (out, in) compute the transposed blocks."""

    source: ClassVar[str] = SOURCE
    fresh_draws = "same"
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

    def reference_cost(self, batch: int) -> Counts:
        """The whole matrix, zeros and all."""
        return written_out(batch, self.groups, self.size, self.size, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """As many, with each block transposed."""
        return self.reference_cost(batch)


class MatmulReshapeIsLocal(Equivalence):
    """A matrix product of the reshaped inputs lets every group's inputs meet every group's weights."""

    source: ClassVar[str] = SOURCE
    fresh_draws = "same"
    breaks: ClassVar[dict[str, str]] = {
        **another_function("each output reads both halves of the input"),
        "training_muon": "each output reads both halves of the input, and the blocks are no matrix",
    }

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

    def reference_cost(self, batch: int) -> Counts:
        """The whole matrix of two blocks, zeros and all."""
        return written_out(batch, 2, self.half, 1, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """As many: both halves of the input meet the weights of both."""
        return self.reference_cost(batch)
