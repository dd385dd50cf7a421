"""Forms that were tried for speed and are in no catalogue, for they lost, or won at too high a price."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from equivalence.layers.local import BatchedLocalLinear, LocalLinear
from equivalence.layers.sharing import SharedMLP
from equivalence.layers.two_d_fc import TwoDFC


class StridedTwoDFC(TwoDFC):
    """The published shape of the weight over Linear's memory: states load, and each call makes views."""

    def reset_parameters(self) -> None:
        self.weight.data = self.weight.data.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
        super().reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x.flatten(-2), self.kernel.flatten(0, 1).mT, self.bias)


class RowsFirst(BatchedLocalLinear):
    """The inputs are always the first factor."""

    def weights_by_inputs(self, rows: Tensor) -> Tensor:
        return self.inputs_by_weights(rows)


class MultiplySum(LocalLinear):
    """Every product is written, then summed."""

    def product(self, x: Tensor) -> Tensor:
        grouped = x.reshape(*x.shape[:-1], self.groups, 1, self.kernel_size)
        return (grouped * self.weight).sum(-1).flatten(-2)


class MergedGroups(BatchedLocalLinear):
    """Neighbouring groups become one of eight inputs, with zeros between them: more products, longer ones."""

    merged_size = 8

    def weights_by_inputs(self, rows: Tensor) -> Tensor:
        merged = max(1, min(self.groups, self.merged_size // self.kernel_size))
        eye = torch.eye(merged, dtype=rows.dtype).view(merged, 1, merged, 1)
        shape = (self.groups // merged, merged, self.out_per_group, 1, self.kernel_size)
        weight = (self.weight.view(shape) * eye).flatten(3, 4).flatten(1, 2)
        inputs = rows.reshape(len(rows), len(weight), -1).permute(1, 2, 0)
        assert self.bias is not None
        y = torch.baddbmm(self.bias.view(len(weight), -1, 1), weight, inputs)
        return y.permute(2, 0, 1)


class InPlaceMLP(SharedMLP):
    """Relu overwrites its input, which no derivative needs."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x).relu_()
        hidden = self.middle(hidden).relu_()
        hidden = self.middle(hidden).relu_()
        y: Tensor = self.last(hidden)
        return y


class DirectMLP(SharedMLP):
    """No module is called inside, and the shared parameters are looked up once."""

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.middle.weight, self.middle.bias
        hidden = functional.linear(x, self.first.weight, self.first.bias).relu_()
        hidden = functional.linear(hidden, weight, bias).relu_()
        hidden = functional.linear(hidden, weight, bias).relu_()
        return functional.linear(hidden, self.last.weight, self.last.bias)
