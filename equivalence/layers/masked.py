"""Linear with connections taken away, for good: the right forms."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from equivalence.layers.linear import LinearForm
from equivalence.layers.validation import check_mask


class MaskedLinear(LinearForm):
    """y = x (W ∘ mask)ᵀ + b, (*batch, in_features) -> (*batch, out_features).

    mask is (out_features, in_features), of bool or of 0 and 1, kept as a bool buffer. A dead weight counts
    as W · 0, which is not 0 when W is infinite. Raises ValueError for another mask or an input with another
    last axis; TypeError for an input with another dtype.
    """

    mask: Tensor

    def __init__(self, mask: Tensor, bias: bool = True) -> None:
        check_mask(mask)
        out_features, in_features = mask.shape
        super().__init__(in_features, out_features, bias)
        self.register_buffer("mask", mask != 0)

    def product(self, x: Tensor) -> Tensor:
        """X (W ∘ mask)ᵀ."""
        return functional.linear(x, self.weight * self.mask)


class WhereMaskedLinear(MaskedLinear):
    """y = x Vᵀ + b with V = W where mask, else 0, (*batch, in_features) -> (*batch, out_features).

    A dead weight counts as 0, even when it is infinite. Raises what MaskedLinear raises.
    """

    def product(self, x: Tensor) -> Tensor:
        """X Vᵀ."""
        return functional.linear(x, torch.where(self.mask, self.weight, 0))


class SparseLinear(MaskedLinear):
    """y_o = Σ_{i: mask_oi} x_i · W_oi + b_o, (*batch, in_features) -> (*batch, out_features).

    Only the live connections are computed: a dead one is not read, whatever its weight and its input.
    Raises what MaskedLinear raises.
    """

    out_index: Tensor
    in_index: Tensor

    def __init__(self, mask: Tensor, bias: bool = True) -> None:
        super().__init__(mask, bias)
        self.register_buffer("out_index", None, persistent=False)
        self.register_buffer("in_index", None, persistent=False)
        _list_live_connections(self)
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]
            _list_live_connections
        )

    def product(self, x: Tensor) -> Tensor:
        """Σ_{i: mask_oi} x_i · W_oi, one term for each live connection."""
        terms = x.index_select(-1, self.in_index) * self.weight[self.out_index, self.in_index]
        zeros = x.new_zeros(*x.shape[:-1], self.out_features)
        return zeros.index_add(-1, self.out_index, terms)


def _list_live_connections(layer: SparseLinear, _incompatible_keys: object = None) -> None:
    # Kept as indices, since a list as long as the mask has ones cannot be computed on the meta device.
    layer.out_index, layer.in_index = layer.mask.nonzero(as_tuple=True)
