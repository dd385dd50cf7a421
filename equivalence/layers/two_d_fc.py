"""TwoDFC, a fully connected layer over a map: the three published versions and the cheap forms."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from equivalence.layers.affine import Affine
from equivalence.layers.validation import check_input, check_size, flatten_leading


class TwoDFC(Affine):
    """y_o = Σ_hw x_hw · weight_0hwo + bias_o, (*batch, height, width) -> (*batch, out_features).

    Linear's initialisation, fan_in = height · width. Raises ValueError for a size that is no integer of at
    least 0, or an input with other last axes; TypeError for an input with another dtype.
    Source: the first article on TwoDFC, version 3.
    """

    minimum_size = 0

    def __init__(self, size: tuple[int, int], out_features: int, bias: bool = True) -> None:
        height, width = size
        check_size("height", height, self.minimum_size)
        check_size("width", width, self.minimum_size)
        check_size("out_features", out_features, self.minimum_size)
        super().__init__((height, width), (1, height, width, out_features), out_features, bias)

    @property
    def kernel(self) -> Tensor:
        """The weight as (height, width, out_features), without the axis that stands for the batch."""
        return self.weight.squeeze(0)

    def product(self, x: Tensor) -> Tensor:
        """Σ_hw x_hw · weight_hwo, as published: broadcast, multiply, sum."""
        # Without its batch axis the weight adds no axis to an input that has none.
        return (x.unsqueeze(-1) * self.kernel).sum((-3, -2))


class NormalTwoDFC(TwoDFC):
    """y_o = Σ_hw x_hw · weight_0hwo, (*batch, height, width) -> (*batch, out_features), weight ~ N(0, 1).

    The variance of y grows with height · width. Raises what TwoDFC raises.
    Source: the first article on TwoDFC, version 1.
    """

    def __init__(self, size: tuple[int, int], out_features: int) -> None:
        super().__init__(size, out_features, bias=False)

    def reset_parameters(self) -> None:
        """Draw weight ~ N(0, 1)."""
        with torch.no_grad():
            self.weight.normal_()


class NormalBiasTwoDFC(TwoDFC):
    """y_o = Σ_hw x_hw · weight_0hwo + bias_o, (*batch, height, width) -> (*batch, out_features), all N(0, 1).

    The variance of y grows with height · width. Raises what TwoDFC raises.
    Source: the first article on TwoDFC, version 2.
    """

    def __init__(self, size: tuple[int, int], out_features: int) -> None:
        super().__init__(size, out_features, bias=True)

    def reset_parameters(self) -> None:
        """Draw weight ~ N(0, 1), then bias ~ N(0, 1)."""
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_()


class UnvalidatedTwoDFC(TwoDFC):
    """TwoDFC as published, with no look at the input.

    Wrong: an input of (*batch, 1, width) or (*batch, height, 1) is broadcast without a word.
    Source: the first article on TwoDFC, version 3.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, height, width) -> (*batch, out_features), whatever the input's shape."""
        return self.add_bias(self.product(x))


class EinsumTwoDFC(TwoDFC):
    """TwoDFC as one einsum, (*batch, height, width) -> (*batch, out_features)."""

    def product(self, x: Tensor) -> Tensor:
        """Σ_hw x_hw · weight_hwo, named axis by axis."""
        return torch.einsum("...hw,hwo->...o", x, self.kernel)


class TensordotTwoDFC(TwoDFC):
    """TwoDFC as one contraction of two axes, (*batch, height, width) -> (*batch, out_features)."""

    def product(self, x: Tensor) -> Tensor:
        """Σ_hw x_hw · weight_hwo, the last two axes of x against the first two of the weight."""
        y: Tensor = torch.tensordot(x, self.kernel, dims=2)
        return y


class FlattenMatmulTwoDFC(TwoDFC):
    """TwoDFC as one matrix product, the map flattened, (*batch, height, width) -> (*batch, out_features)."""

    def product(self, x: Tensor) -> Tensor:
        """Σ_n x_n · weight_no with n = h · width + w."""
        return x.flatten(-2) @ self.kernel.flatten(0, 1)


class ConvolutionTwoDFC(TwoDFC):
    """TwoDFC as one convolution, its kernel as large as the map.

    (*batch, height, width) -> (*batch, out_features). Raises ValueError when height, width or out_features
    is 0, which torch's convolution refuses; a batch of size 0 is welcome.
    """

    minimum_size = 1

    def product(self, x: Tensor) -> Tensor:
        """Σ_hw x_hw · weight_hwo, the one position where the kernel fits."""
        maps = flatten_leading(x, trailing=2).unsqueeze(1)
        kernels = self.kernel.permute(2, 0, 1).unsqueeze(1)
        return functional.conv2d(maps, kernels).reshape(*x.shape[:-2], self.out_features)


class OutputMajorTwoDFC(Affine):
    """y = flatten(x) Wᵀ + b, (*batch, height, width) -> (*batch, out_features), W laid out as Linear's.

    weight is (out_features, height · width): the weights of one output lie side by side, as the entries of
    the map do, so that the matrix product reads both in order. The published layout has the outputs side by
    side, and where these are few, a product with it takes up to twice as long. Raises what TwoDFC raises.
    """

    def __init__(self, size: tuple[int, int], out_features: int, bias: bool = True) -> None:
        height, width = size
        for name, value in [("height", height), ("width", width), ("out_features", out_features)]:
            check_size(name, value)
        super().__init__((height, width), (out_features, height * width), out_features, bias)

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, height, width) -> (*batch, out_features)."""
        check_input(x, self.input_shape, self.weight)
        return functional.linear(x.flatten(-2), self.weight, self.bias)
