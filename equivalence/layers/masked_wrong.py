"""Linear with connections taken away, as published: forms that are not, or do not stay, the masked layer."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from equivalence.layers.affine import QuietLinear
from equivalence.layers.linear import LinearForm
from equivalence.layers.masked import MaskedLinear
from equivalence.layers.validation import check_input, check_mask


class ZeroedLinear(QuietLinear):
    """y = x Wᵀ + b with W = 0 where the mask is 0, at the start: a Linear zeroed by hand.

    (*batch, in_features) -> (*batch, out_features). Wrong: nothing keeps the zeros, one training step revives
    them. Raises ValueError for a mask that is no matrix of 0 and 1, or an input with another last axis;
    TypeError for an input with another dtype.
    """

    def __init__(self, mask: Tensor, bias: bool = True) -> None:
        check_mask(mask)
        out_features, in_features = mask.shape
        super().__init__(in_features, out_features, bias)
        with torch.no_grad():
            self.weight[mask == 0] = 0

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, in_features) -> (*batch, out_features)."""
        check_input(x, (self.in_features,), self.weight)
        return super().forward(x)


class OutputMaskLinear(MaskedLinear):
    """y = (x Wᵀ + b) ∘ m with m_o = any_i mask_oi, (*batch, in_features) -> (*batch, out_features).

    Wrong: the mask meets the outputs. An output stays when any of its connections lives, with all of its
    weights; an output with none loses its bias too. Raises what MaskedLinear raises.
    """

    def product(self, x: Tensor) -> Tensor:
        """X Wᵀ, dense."""
        return functional.linear(x, self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, in_features) -> (*batch, out_features)."""
        return super().forward(x) * self.mask.any(dim=1)


class InputMaskLinear(MaskedLinear):
    """y = (x ∘ m) Wᵀ + b with m_i = any_o mask_oi, (*batch, in_features) -> (*batch, out_features).

    Wrong: the mask meets the inputs. An input stays when any of its connections lives, with all of its
    weights. Raises what MaskedLinear raises.
    """

    def product(self, x: Tensor) -> Tensor:
        """(X ∘ m) Wᵀ, dense in the inputs that stay."""
        return functional.linear(x * self.mask.any(dim=0), self.weight)


class AttributeMaskLinear(LinearForm):
    """y = x (W ∘ mask)ᵀ + b, (*batch, in_features) -> (*batch, out_features).

    Wrong: the mask is a plain attribute of float32. No state_dict holds it, no `.to` moves or converts it.
    Raises what MaskedLinear raises.
    """

    def __init__(self, mask: Tensor, bias: bool = True) -> None:
        check_mask(mask)
        out_features, in_features = mask.shape
        super().__init__(in_features, out_features, bias)
        self.mask = (mask != 0).float()

    def product(self, x: Tensor) -> Tensor:
        """X (W ∘ mask)ᵀ."""
        return functional.linear(x, self.weight * self.mask)
