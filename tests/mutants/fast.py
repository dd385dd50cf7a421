"""Mutants of the fastest forms known."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from equivalence.claims.local import BatchedIsGroupedReshape
from equivalence.claims.masked_fast import BlocksAreMasked, LiveIsMasked
from equivalence.claims.two_d_fc import OutputMajorTwoDFCIsFlattenLinear
from equivalence.layers import sparse_product
from equivalence.layers.connections import Blocks, Connections
from equivalence.layers.local import BatchedLocalLinear
from equivalence.layers.masked_fast import BlockLinear, LiveLinear
from equivalence.layers.two_d_fc import OutputMajorTwoDFC
from equivalence.layers.validation import flatten_leading
from tests.mutants.planted import mutant


class ColumnByColumn(OutputMajorTwoDFC):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mT.reshape(x.shape))


@mutant("forward")
class ReadsColumnByColumn(OutputMajorTwoDFCIsFlattenLinear):
    """The weights of an output lie column by column, as if its kernel had been transposed first."""

    def candidate(self) -> nn.Module:
        return ColumnByColumn((self.height, self.width), self.out_features, self.bias)


class DataBias(OutputMajorTwoDFC):
    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.data
        return functional.linear(x.flatten(-2), self.weight, bias)


@mutant("parameter_gradient")
class FusesBiasData(OutputMajorTwoDFCIsFlattenLinear):
    """The bias that the product takes in is bias.data."""

    def candidate(self) -> nn.Module:
        return DataBias((self.height, self.width), self.out_features, self.bias)


class BiasOfOneGroup(BatchedLocalLinear):
    def weights_by_inputs(self, rows: Tensor) -> Tensor:
        inputs = rows.permute(1, 2, 0)
        bias = 0 if self.bias is None else self.bias[: self.out_per_group, None]
        return (self.weight @ inputs + bias).permute(2, 0, 1)


@mutant("forward")
class AddsBiasOfTheFirstGroup(BatchedIsGroupedReshape):
    """The bias of the first group is broadcast to every group."""

    form = BiasOfOneGroup


class TransposedForFewRows(BatchedLocalLinear):
    few_rows = 3

    def inputs_by_weights(self, rows: Tensor) -> Tensor:
        weight = self.weight if self.kernel_size == self.out_per_group else self.weight.mT
        return (rows.transpose(0, 1) @ weight).transpose(0, 1) + (
            0 if self.bias is None else self.bias.view(self.groups, self.out_per_group)
        )


@mutant("forward")
class TransposesBlocksForFewRows(BatchedIsGroupedReshape):
    """Of the two ways, the one for few rows multiplies square blocks untransposed."""

    form = TransposedForFewRows


class OutputOrder(Connections):
    def multiply_transposed(self, values: Tensor, columns: Tensor) -> Tensor:
        return super().multiply_transposed(values[self.by_input.argsort()], columns)


class BackwardInOutputOrder(LiveLinear):
    def product(self, x: Tensor) -> Tensor:
        indices = self.in_index, self.out_index, self.out_starts, self.by_input, self.in_starts
        y = sparse_product.sparse_product(self.weight, flatten_leading(x, 1).mT, OutputOrder(*indices))
        return y.mT.reshape(*x.shape[:-1], self.out_features)


@mutant("input_gradient")
class TakesWeightsInOutputOrder(LiveIsMasked):
    """The gradient of the input goes input by input, over weights that lie output by output."""

    def candidate(self) -> nn.Module:
        return BackwardInOutputOrder(self.alive, self.bias)


class ForgottenIndices(LiveLinear):
    def __init__(self, mask: Tensor, bias: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(mask, bias)
        self._non_persistent_buffers_set.update(("in_index", "by_input", "in_starts"))


@mutant("state")
class KeepsInputsOutOfStateDict(LiveIsMasked):
    """The inputs of the connections are buffers, but not persistent ones: another mask keeps its own."""

    def candidate(self) -> nn.Module:
        return ForgottenIndices(self.alive, self.bias)


class Overwriting(Blocks):
    def multiply(self, values: Tensor, columns: Tensor) -> Tensor:
        table = columns.reshape(self.grid[1], self.size[1], columns.shape[1])
        sums = columns.new_zeros(self.grid[0], self.size[0], columns.shape[1])
        terms = torch.bmm(values, table.index_select(0, self.in_index))
        return sums.index_copy(0, self.out_index, terms).flatten(0, 1)


class OverwritingBlocks(BlockLinear):
    def product(self, x: Tensor) -> Tensor:
        _, outputs, inputs = self.weight.shape
        blocks = Overwriting(self.out_index, self.in_index, self.grid, (outputs, inputs))
        y = sparse_product.sparse_product(self.weight, flatten_leading(x, 1).mT, blocks)
        return y.mT.reshape(*x.shape[:-1], self.out_features)


@mutant("forward")
class OverwritesBlocks(BlocksAreMasked):
    """The blocks of one block row overwrite each other instead of being added."""

    def candidate(self) -> nn.Module:
        form = OverwritingBlocks(self.blocks, (self.block_out, self.block_in), self.bias)
        return nn.Sequential(nn.Flatten(-2), form)


class Once(sparse_product._Product):
    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        values, columns = ctx.saved_tensors
        paired = ctx.live.pair(gradient.contiguous(), columns.contiguous())
        return paired, ctx.live.multiply_transposed(values, gradient.contiguous()), None


class OnceDifferentiableBlocks(BlockLinear):
    def product(self, x: Tensor) -> Tensor:
        _, outputs, inputs = self.weight.shape
        blocks = Blocks(self.out_index, self.in_index, self.grid, (outputs, inputs))
        y = sparse_product._apply(Once, self.weight, flatten_leading(x, 1).mT, blocks)
        return y.mT.reshape(*x.shape[:-1], self.out_features)


@mutant("second_derivative")
class DifferentiatesBlockProductOnce(BlocksAreMasked):
    """The backward of the block product is marked once_differentiable."""

    def candidate(self) -> nn.Module:
        form = OnceDifferentiableBlocks(self.blocks, (self.block_out, self.block_in), self.bias)
        return nn.Sequential(nn.Flatten(-2), form)


class DenseBehindLive(LiveLinear):
    def product(self, x: Tensor) -> Tensor:
        zeros = self.weight.new_zeros(self.out_features, x.shape[-1])
        return functional.linear(x, zeros.index_put((self.out_index, self.in_index), self.weight))


@mutant("cost")
class WritesOutLiveWeights(LiveIsMasked):
    """The live weights are written into a dense matrix, which is multiplied whole."""

    def candidate(self) -> nn.Module:
        return DenseBehindLive(self.alive, self.bias)
