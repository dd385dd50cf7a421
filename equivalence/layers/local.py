"""Locally connected layers: every group of inputs has outputs of its own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from equivalence.layers.affine import Affine
from equivalence.layers.validation import check_input, check_size, flatten_leading


def block_diagonal(blocks: Tensor) -> Tensor:
    """Map (groups, rows, columns) -> (groups · rows, groups · columns), zero off the blocks."""
    matrix: Tensor = torch.block_diag(*blocks)
    return matrix


class LocalLinear(Affine):
    """y = x diag(W_1, ..., W_groups)ᵀ + b, one block of weights for each group.

    (*batch, groups · kernel_size) -> (*batch, groups · out_per_group).
    weight is (groups, out_per_group, kernel_size), with Linear's initialisation, fan_in = kernel_size. Raises
    ValueError when groups is no integer of at least 1 or another size none of at least 0, or for an input
    with another last axis; TypeError for an input with another dtype.
    """

    minimum_size = 0

    def __init__(self, groups: int, kernel_size: int, out_per_group: int, bias: bool = True) -> None:
        check_size("groups", groups, minimum=1)
        check_size("kernel_size", kernel_size, self.minimum_size)
        check_size("out_per_group", out_per_group, self.minimum_size)
        weight_shape = (groups, out_per_group, kernel_size)
        super().__init__((groups * kernel_size,), weight_shape, groups * out_per_group, bias)
        self.groups, self.kernel_size, self.out_per_group = groups, kernel_size, out_per_group

    @property
    def fan_in(self) -> int:
        """The number of inputs that one output reads."""
        return self.weight.shape[-1]

    def product(self, x: Tensor) -> Tensor:
        """X diag(W_1, ..., W_groups)ᵀ, the zeros written out."""
        return functional.linear(x, block_diagonal(self.weight))


class GroupedReshapeLinear(LocalLinear):
    """y_go = Σ_k x_gk · W_gok + b_go, (*batch, groups · kernel_size) -> (*batch, groups · out_per_group).

    Raises what LocalLinear raises.
    """

    def product(self, x: Tensor) -> Tensor:
        """Σ_k x_gk · W_gok, the groups an axis of their own."""
        grouped = x.reshape(*x.shape[:-1], self.groups, self.kernel_size)
        return torch.einsum("...gk,gok->...go", grouped, self.weight).flatten(-2)


class GroupedConvolutionLinear(LocalLinear):
    """y = conv(x, weight, groups) + b, (*batch, groups · kernel_size) -> (*batch, groups · out_per_group).

    Raises ValueError when kernel_size or out_per_group is 0, which torch's convolution does not compute, and
    what LocalLinear raises.
    """

    minimum_size = 1

    def product(self, x: Tensor) -> Tensor:
        """Each group of channels by its own filters, on a length of 1."""
        rows = flatten_leading(x, trailing=1).unsqueeze(-1)
        filters = self.weight.flatten(0, 1).unsqueeze(-1)
        y = functional.conv1d(rows, filters, groups=self.groups)
        return y.reshape(*x.shape[:-1], self.out_features)


class BatchedLocalLinear(LocalLinear):
    """y_go = Σ_k x_gk · W_gok + b_go as one batched product with the bias in it, one product for each group.

    (*batch, groups · kernel_size) -> (*batch, groups · out_per_group). With the weight first, each product
    runs along the rows, and with the inputs first along the outputs of its group: whichever is longer. Beyond
    its result it needs as much memory again, for the product has the groups before the rows, and the result
    after them. Raises what LocalLinear raises.
    """

    few_rows = 16
    """With fewer rows than this, the inputs come first where a group has as many; see docs/fast-forms.md."""

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, groups · kernel_size) -> (*batch, groups · out_per_group)."""
        check_input(x, self.input_shape, self.weight)
        rows = x.reshape(x.shape[:-1].numel(), self.groups, self.kernel_size)
        rows_first = len(rows) < self.few_rows <= self.kernel_size
        y = self.inputs_by_weights(rows) if rows_first else self.weights_by_inputs(rows)
        return y.reshape(*x.shape[:-1], self.out_features)

    def inputs_by_weights(self, rows: Tensor) -> Tensor:
        """Give X_g W_gᵀ + b_g, (rows, groups, kernel_size) -> (rows, groups, out_per_group)."""
        inputs, weights = rows.transpose(0, 1), self.weight.mT
        if self.bias is None:
            return torch.bmm(inputs, weights).transpose(0, 1)
        bias = self.bias.view(self.groups, 1, self.out_per_group)
        return torch.baddbmm(bias, inputs, weights).transpose(0, 1)

    def weights_by_inputs(self, rows: Tensor) -> Tensor:
        """Give (W_g X_gᵀ + b_g)ᵀ, (rows, groups, kernel_size) -> (rows, groups, out_per_group)."""
        inputs = rows.permute(1, 2, 0)
        if self.bias is None:
            return torch.bmm(self.weight, inputs).permute(2, 0, 1)
        bias = self.bias.view(self.groups, self.out_per_group, 1)
        return torch.baddbmm(bias, self.weight, inputs).permute(2, 0, 1)


class MatmulReshapeLinear(Affine):
    """y_j = Σ_i Σ_k x_ik · W_jk + b_j, (*batch, 2 · half) -> (*batch, 2); weight is (2, half).

    Wrong: meant to be LocalLinear(2, half, 1), but the matrix product of the reshaped inputs with the weight
    lets every group's inputs meet every group's weights. Summed over i, so that the shape is the right one.
    Raises ValueError when half is no integer of at least 0, or for an input with another last axis;
    TypeError for an input with another dtype.
    """

    def __init__(self, half: int, bias: bool = True) -> None:
        check_size("half", half)
        super().__init__((2 * half,), (2, half), 2, bias)
        self.kernel_size = half

    @property
    def fan_in(self) -> int:
        """The number of inputs that one output was meant to read."""
        return self.weight.shape[-1]

    def product(self, x: Tensor) -> Tensor:
        """Σ_i Σ_k x_ik · W_jk."""
        grouped = x.reshape(*x.shape[:-1], 2, self.kernel_size)
        return (grouped @ self.weight.mT).sum(-2)


class TransposedBlockLinear(LocalLinear):
    """y = x diag(W_1ᵀ, ..., W_groupsᵀ)ᵀ + b, (*batch, features) -> (*batch, features).

    Wrong: the blocks lie as (in, out) where Linear's weight is (out, in), which only the shapes of square
    blocks let pass. Raises ValueError when kernel_size is not out_per_group, and what LocalLinear raises.
    """

    def __init__(self, groups: int, kernel_size: int, out_per_group: int, bias: bool = True) -> None:
        if kernel_size != out_per_group:
            raise ValueError(
                f"kernel_size must equal out_per_group, but they are {kernel_size!r} and {out_per_group!r}; "
                "pass square blocks"
            )
        super().__init__(groups, kernel_size, out_per_group, bias)

    def product(self, x: Tensor) -> Tensor:
        """X diag(W_1ᵀ, ..., W_groupsᵀ)ᵀ."""
        return functional.linear(x, block_diagonal(self.weight.mT))
