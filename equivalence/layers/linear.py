"""Other ways of writing Linear on an input of any number of axes, with Linear's parameters."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from equivalence.layers.affine import Affine
from equivalence.layers.validation import check_size, flatten_leading


class LinearForm(Affine):
    """y = x Wᵀ + b, (*batch, in_features) -> (*batch, out_features); weight is (out_features, in_features).

    Raises ValueError for a size that is no integer of at least 0, or an input with another last axis;
    TypeError for an input with another dtype. Source: `torch.nn.Linear`.
    """

    minimum_size = 0

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        check_size("in_features", in_features, self.minimum_size)
        check_size("out_features", out_features, self.minimum_size)
        super().__init__((in_features,), (out_features, in_features), out_features, bias)
        self.in_features = in_features


class RowwiseLinear(LinearForm):
    """y_ro = Σ_i x_ri · W_oi + b_o, (*batch, in_features) -> (*batch, out_features).

    The textbook's loops over rows and outputs: no matrix product is called.
    """

    def product(self, x: Tensor) -> Tensor:
        """Σ_i x_ri · W_oi, one dot product after the other."""
        dots = [
            (weights * row).sum(-1, keepdim=True)
            for row in flatten_leading(x, trailing=1)
            for weights in self.weight
        ]
        # Nothing, but computed from both, so that an empty result still has its gradients.
        nothing = x.flatten()[:0] + self.weight.flatten()[:0]
        return torch.cat([nothing, *dots]).reshape(*x.shape[:-1], self.out_features)


class FlattenLinear(LinearForm):
    """Y = X Wᵀ + b with the leading axes flattened, (*batch, in_features) -> (*batch, out_features)."""

    def product(self, x: Tensor) -> Tensor:
        """X Wᵀ, one matrix product."""
        rows = flatten_leading(x, trailing=1) @ self.weight.T
        return rows.reshape(*x.shape[:-1], self.out_features)


class EinsumLinear(LinearForm):
    """y_o = Σ_i x_i · W_oi + b_o as one einsum, (*batch, in_features) -> (*batch, out_features)."""

    def product(self, x: Tensor) -> Tensor:
        """Σ_i x_i · W_oi, named axis by axis."""
        return torch.einsum("...i,oi->...o", x, self.weight)


class PointwiseConvolutionLinear(LinearForm):
    """y = conv(x, W) + b with a kernel of size 1, (*batch, in_features) -> (*batch, out_features).

    Raises ValueError when in_features or out_features is 0, which torch's convolution does not compute; a
    batch of size 0 is welcome.
    """

    minimum_size = 1

    def product(self, x: Tensor) -> Tensor:
        """(*batch, in_features) -> (*batch, out_features), the features as channels."""
        # The rows are the batch, not the length: torch's convolution refuses a length of 0.
        rows = flatten_leading(x, trailing=1).unsqueeze(-1)
        return functional.conv1d(rows, self.weight.unsqueeze(-1)).reshape(*x.shape[:-1], self.out_features)
