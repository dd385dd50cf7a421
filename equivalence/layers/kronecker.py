"""Sharing made visible: Linear on several rows as one dense layer on all of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from equivalence.layers.affine import QuietLinear
from equivalence.layers.validation import check_input, check_size


def shared_matrix(weight: Tensor, rows: int) -> Tensor:
    """I_rows ⊗ weight, (out_features, in_features) -> (rows · out_features, rows · in_features).

    Raises ValueError when rows is no integer of at least 0.
    """
    check_size("rows", rows)
    return torch.kron(torch.eye(rows, dtype=weight.dtype, device=weight.device), weight)


class KroneckerLinear(nn.Module):
    """vec(Y) = (I_rows ⊗ W) vec(X) + 1 ⊗ b, (*batch, rows, in_features) -> (*batch, rows, out_features).

    One dense layer on all rows. It starts as Linear(in_features, out_features) would, its weight repeated
    down the diagonal; nothing ties the copies afterwards. Raises ValueError for a size that is no integer of
    at least 0, or an input with other last axes; TypeError for an input with another dtype.
    """

    def __init__(self, rows: int, in_features: int, out_features: int, bias: bool = True) -> None:
        check_size("rows", rows)
        check_size("in_features", in_features)
        check_size("out_features", out_features)
        super().__init__()
        self.rows, self.in_features, self.out_features = rows, in_features, out_features
        # What is drawn here is replaced, so that the generator goes on as after Linear alone.
        with torch.random.fork_rng(devices=[]):
            self.dense = QuietLinear(rows * in_features, rows * out_features, bias=bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw W and b as Linear does, and repeat them for every row."""
        shared = QuietLinear(self.in_features, self.out_features, bias=self.dense.bias is not None)
        with torch.no_grad():
            self.dense.weight.copy_(shared_matrix(shared.weight, self.rows))
            if self.dense.bias is not None:
                self.dense.bias.copy_(shared.bias.repeat(self.rows))

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, rows, in_features) -> (*batch, rows, out_features)."""
        check_input(x, (self.rows, self.in_features), self.dense.weight)
        y: Tensor = self.dense(x.flatten(-2))
        return y.reshape(*x.shape[:-2], self.rows, self.out_features)
