"""The live part of a sparse weight, and what multiplies by it alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Connections:
    """Single connections, output by output, and where to find the same input by input; values are (live,)."""

    in_index: Tensor
    """The input of each connection."""
    out_index: Tensor
    """The output of each connection, never decreasing."""
    out_starts: Tensor
    """The first connection of each output."""
    by_input: Tensor
    """The connections, input by input."""
    in_starts: Tensor
    """The first place of each input in `by_input`."""

    @staticmethod
    def of(mask: Tensor) -> Connections:
        """(out_features, in_features) of bool -> the connections under its ones."""
        out_index, in_index = mask.nonzero(as_tuple=True)
        by_input = in_index.argsort(stable=True)
        out_starts, in_starts = (_starts(mask.sum(axis)) for axis in (1, 0))
        return Connections(in_index, out_index, out_starts, by_input, in_starts)

    def multiply(self, values: Tensor, columns: Tensor) -> Tensor:
        """Y = W X, (in_features, rows) -> (out_features, rows)."""
        return _weighted_sums(values, columns, self.in_index, self.out_starts)

    def multiply_transposed(self, values: Tensor, columns: Tensor) -> Tensor:
        """Y = Wᵀ X, (out_features, rows) -> (in_features, rows)."""
        read, weights = (index.index_select(0, self.by_input) for index in (self.out_index, values))
        return _weighted_sums(weights, columns, read, self.in_starts)

    def pair(self, outputs: Tensor, inputs: Tensor) -> Tensor:
        """v_n = Σ_r outputs_{o(n) r} · inputs_{i(n) r}, with o(n) and i(n) the ends of connection n."""
        if outputs.shape[1] == 1:
            left, right = outputs[:, 0].index_select(0, self.out_index), inputs[:, 0]
            return left * right.index_select(0, self.in_index)
        # What torch computes for the gradient of a bag's weights; written out, it gathers (live, rows) twice.
        dots = torch.ops.aten._embedding_bag_per_sample_weights_backward  # noqa: SLF001
        values: Tensor = dots(outputs, inputs, self.in_index, self.out_starts, self.out_index, 0)
        return values


@dataclass(frozen=True)
class Blocks:
    """Live blocks of one size, block row by block row; values are (live, outputs, inputs)."""

    out_index: Tensor
    """The block row of each block."""
    in_index: Tensor
    """The block column of each block."""
    grid: tuple[int, int]
    """(out_blocks, in_blocks)."""
    size: tuple[int, int]
    """(outputs, inputs) of a block."""

    def multiply(self, values: Tensor, columns: Tensor) -> Tensor:
        """Y = W X, (in_blocks · inputs, rows) -> (out_blocks · outputs, rows)."""
        sums = columns.new_zeros(self.grid[0], self.size[0], columns.shape[1])
        _add_products(sums, values, self._of_inputs(columns), (self.out_index, self.in_index))
        return sums.flatten(0, 1)

    def multiply_transposed(self, values: Tensor, columns: Tensor) -> Tensor:
        """Y = Wᵀ X, (out_blocks · outputs, rows) -> (in_blocks · inputs, rows)."""
        sums = columns.new_zeros(self.grid[1], self.size[1], columns.shape[1])
        _add_products(sums, values.mT, self._of_outputs(columns), (self.in_index, self.out_index))
        return sums.flatten(0, 1)

    def pair(self, outputs: Tensor, inputs: Tensor) -> Tensor:
        """V_n = O_n I_nᵀ with O_n and I_n the rows of outputs and of inputs that block n connects."""
        values = outputs.new_empty(len(self.in_index), *self.size)
        left, right = self._of_outputs(outputs), self._of_inputs(inputs)
        for one in _steps(len(values), outputs.shape[1] * sum(self.size)):
            factors = left.index_select(0, self.out_index[one]), right.index_select(0, self.in_index[one]).mT
            values[one] = torch.bmm(*factors)
        return values

    def _of_outputs(self, columns: Tensor) -> Tensor:
        return columns.reshape(self.grid[0], self.size[0], columns.shape[1])

    def _of_inputs(self, columns: Tensor) -> Tensor:
        return columns.reshape(self.grid[1], self.size[1], columns.shape[1])


STEP = 2**18
"""Numbers gathered at a time: about what a cache holds, and never more memory than that."""


def _add_products(sums: Tensor, values: Tensor, table: Tensor, places: tuple[Tensor, Tensor]) -> None:
    """Y_w += Σ over the blocks n of w: V_n X_{r n} with places (w, r), a few blocks at a time."""
    written, read = places
    for one in _steps(len(values), table.shape[2] * sum(values.shape[1:])):
        sums.index_add_(
            0, written[one], torch.bmm(values[one], table.index_select(0, read[one])).to(sums.dtype)
        )


def _steps(blocks: int, numbers: int) -> Iterator[slice]:
    """Split the blocks, each of which gathers so many numbers."""
    step = max(1, STEP // max(1, numbers))
    yield from (slice(first, first + step) for first in range(0, blocks, step))


def _starts(lengths: Tensor) -> Tensor:
    return lengths.cumsum(0) - lengths


def _weighted_sums(weights: Tensor, columns: Tensor, read: Tensor, starts: Tensor) -> Tensor:
    """A bag of embeddings with weights of its own is a sparse product, the table its dense factor."""
    if not columns.shape[1]:
        # torch counts the rows of a table by its width, and finds none in one of width 0.
        return columns.new_zeros(len(starts), 0)
    return functional.embedding_bag(read, columns, starts, mode="sum", per_sample_weights=weights)
