"""What the forms with one weight and one bias share: parameters, Linear's initialisation, the input check."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from equivalence.layers.validation import check_input


def reset_like_linear(weight: Tensor, bias: Tensor | None, fan_in: int) -> None:
    """Draw weight ~ U(-√3·std, √3·std), std = gain/√fan_in, then bias ~ U(-1/√fan_in, 1/√fan_in), in place.

    Source: `torch.nn.Linear.reset_parameters`, which draws the weight first, then the bias.
    """
    # A fan of zero leaves no weight to draw and nothing to scale the bias by.
    root = math.sqrt(fan_in) if fan_in else math.inf
    a = math.sqrt(5)
    gain = math.sqrt(2 / (1 + a**2))
    std = gain / root
    weight_bound = math.sqrt(3) * std
    bias_bound = 1 / root
    with torch.no_grad():
        weight.uniform_(-weight_bound, weight_bound)
        if bias is not None:
            bias.uniform_(-bias_bound, bias_bound)


class QuietLinear(nn.Linear):
    """y = x Wᵀ + b, (*batch, in_features) -> (*batch, out_features).

    torch's own layer with the same draws; unlike it, an empty weight is no reason for a warning.
    """

    def reset_parameters(self) -> None:
        """Draw the parameters as Linear does."""
        reset_like_linear(self.weight, self.bias, self.in_features)


class Affine(nn.Module):
    """y = product(x) + bias, (*batch, *input_shape) -> (*batch, out_features).

    A form overrides `product`. Raises what `check_input` raises.
    """

    bias: nn.Parameter | None

    def __init__(
        self, input_shape: tuple[int, ...], weight_shape: tuple[int, ...], out_features: int, bias: bool
    ) -> None:
        super().__init__()
        self.input_shape = input_shape
        self.out_features = out_features
        self.weight = nn.Parameter(torch.empty(weight_shape))
        self.register_parameter("bias", nn.Parameter(torch.empty(out_features)) if bias else None)
        self.reset_parameters()

    @property
    def fan_in(self) -> int:
        """The number of inputs that one output reads, by which the initialisation scales."""
        return math.prod(self.input_shape)

    def reset_parameters(self) -> None:
        """Draw the parameters as Linear does."""
        reset_like_linear(self.weight, self.bias, self.fan_in)

    def product(self, x: Tensor) -> Tensor:
        """(*batch, *input_shape) -> (*batch, out_features), linear in x and in the weight."""
        raise NotImplementedError

    def add_bias(self, y: Tensor) -> Tensor:
        """(*batch, out_features) -> (*batch, out_features), y + bias."""
        return y if self.bias is None else y + self.bias

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, *input_shape) -> (*batch, out_features)."""
        check_input(x, self.input_shape, self.weight)
        return self.add_bias(self.product(x))

    def extra_repr(self) -> str:
        """Name the sizes."""
        return f"{self.input_shape} -> {self.out_features}, bias={self.bias is not None}"
