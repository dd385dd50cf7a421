"""Networks that share a layer, and networks side by side as one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from equivalence.layers.affine import QuietLinear, reset_like_linear
from equivalence.layers.kronecker import shared_matrix
from equivalence.layers.masked import MaskedLinear
from equivalence.layers.validation import check_input, check_size


class SharedMLP(nn.Module):
    """y = last(r(middle(r(middle(r(first(x))))))), r = relu: the one middle layer is used twice.

    (*batch, in_features) -> (*batch, out_features). Raises ValueError for a size that is no integer of
    at least 0, or an input with another last axis; TypeError for an input with another dtype.
    """

    def __init__(self, in_features: int, hidden_features: int, out_features: int) -> None:
        _check_sizes(in_features, hidden_features, out_features)
        super().__init__()
        self.first = QuietLinear(in_features, hidden_features)
        self.middle = QuietLinear(hidden_features, hidden_features)
        self.last = QuietLinear(hidden_features, out_features)

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, in_features) -> (*batch, out_features)."""
        check_input(x, (self.first.in_features,), self.first.weight)
        hidden = self.first(x).relu()
        hidden = self.middle(hidden).relu()
        hidden = self.middle(hidden).relu()
        y: Tensor = self.last(hidden)
        return y


class UnrolledMLP(nn.Module):
    """y = last(r(middle2(r(middle1(r(first(x))))))), r = relu: SharedMLP with a layer for each use.

    (*batch, in_features) -> (*batch, out_features). Raises what SharedMLP raises.
    """

    def __init__(self, in_features: int, hidden_features: int, out_features: int) -> None:
        _check_sizes(in_features, hidden_features, out_features)
        super().__init__()
        self.first = QuietLinear(in_features, hidden_features)
        self.middle1 = QuietLinear(hidden_features, hidden_features)
        self.middle2 = QuietLinear(hidden_features, hidden_features)
        self.last = QuietLinear(hidden_features, out_features)

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, in_features) -> (*batch, out_features)."""
        check_input(x, (self.first.in_features,), self.first.weight)
        hidden = self.first(x).relu()
        hidden = self.middle1(hidden).relu()
        hidden = self.middle2(hidden).relu()
        y: Tensor = self.last(hidden)
        return y


class ParallelBlock(nn.Module):
    """y = (net_1(x), ..., net_nets(x)), (*batch, in_features) -> (*batch, nets · out_features).

    Each net is Linear, relu, Linear. Raises ValueError when nets is no integer of at least 1 or another size
    none of at least 0, or for an input with another last axis; TypeError for an input with another dtype.
    """

    def __init__(self, in_features: int, hidden_features: int, out_features: int, nets: int) -> None:
        _check_sizes(in_features, hidden_features, out_features)
        check_size("nets", nets, minimum=1)
        super().__init__()
        self.in_features = in_features
        self.nets = nn.ModuleList(
            nn.Sequential(
                QuietLinear(in_features, hidden_features),
                nn.ReLU(),
                QuietLinear(hidden_features, out_features),
            )
            for _ in range(nets)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, in_features) -> (*batch, nets · out_features)."""
        check_input(x, (self.in_features,), next(self.parameters()))
        return torch.cat([net(x) for net in self.nets], dim=-1)


class WideNet(nn.Module):
    """y = second(relu(first(x))), (*batch, in_features) -> (*batch, nets · out_features).

    ParallelBlock as one wide net: the hidden layers stacked, the second a masked layer of `nets` blocks.
    Raises what ParallelBlock raises.
    """

    def __init__(self, in_features: int, hidden_features: int, out_features: int, nets: int) -> None:
        _check_sizes(in_features, hidden_features, out_features)
        check_size("nets", nets, minimum=1)
        super().__init__()
        self.first = QuietLinear(in_features, nets * hidden_features)
        self.second = MaskedLinear(shared_matrix(torch.ones(out_features, hidden_features), nets))
        # An output reads the hidden layer of its own net alone.
        reset_like_linear(self.second.weight, self.second.bias, hidden_features)

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, in_features) -> (*batch, nets · out_features)."""
        check_input(x, (self.first.in_features,), self.first.weight)
        y: Tensor = self.second(self.first(x).relu())
        return y


def _check_sizes(in_features: int, hidden_features: int, out_features: int) -> None:
    check_size("in_features", in_features)
    check_size("hidden_features", hidden_features)
    check_size("out_features", out_features)
