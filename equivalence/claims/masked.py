"""Linear with connections taken away, in each form that was published, right or wrong."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from equivalence.claim import Dim, Equivalence, Mask, Over, Real, Theta
from equivalence.claims.refuted import another_function
from equivalence.layers.masked import MaskedLinear, SparseLinear, WhereMaskedLinear
from equivalence.layers.masked_wrong import (
    AttributeMaskLinear,
    InputMaskLinear,
    OutputMaskLinear,
    ZeroedLinear,
)

SOURCE = "Layers that are not fully connected, fourth article"


class WhereMaskedIsMasked(Equivalence):
    """Choosing W where the mask is 1, else 0, equals multiplying W by the mask."""

    source: ClassVar[str] = SOURCE

    out_features: Dim
    in_features: Dim
    mask: Annotated[Mask, Over("out_features in_features")]
    bias: bool

    x = Real("*batch in_features")

    @property
    def alive(self) -> Tensor:
        """The mask as a (out_features, in_features) bool tensor."""
        return self.mask.tensor(self.out_features, self.in_features)

    def reference(self) -> nn.Module:
        """Multiply the weight by the mask."""
        return MaskedLinear(self.alive, self.bias)

    def candidate(self) -> nn.Module:
        """Choose by the mask."""
        return WhereMaskedLinear(self.alive, self.bias)

    def dead_in_reference(self) -> dict[str, Tensor]:
        """Name the weights under a zero of the mask."""
        return {"weight": ~self.alive}

    def dead_in_candidate(self) -> dict[str, Tensor]:
        """Name the weights under a zero of the mask."""
        return {"weight": ~self.alive}


class SparseIsMasked(WhereMaskedIsMasked):
    """Computing the live connections alone equals multiplying W by the mask."""

    breaks: ClassVar[dict[str, str]] = {
        "nonfinite": "0 · inf: MaskedLinear carries an inf over dead connections, SparseLinear reads none"
    }

    def candidate(self) -> nn.Module:
        """Sum over the live connections."""
        return SparseLinear(self.alive, self.bias)


class ZeroedIsMasked(WhereMaskedIsMasked):
    """Linear with its dead weights set to 0 computes the masked layer, until it is trained."""

    breaks: ClassVar[dict[str, str]] = {
        "masked": "nothing keeps a zeroed weight at zero: its gradient is not zero, and one step revives it"
    }

    def candidate(self) -> nn.Module:
        """Zero the weight once, by hand."""
        return ZeroedLinear(self.alive, self.bias)

    def carry(self, theta: Theta) -> Theta:
        """Zero the dead weights."""
        carried = {"weight": theta["weight"] * theta["mask"]}
        return carried | ({"bias": theta["bias"]} if self.bias else {})


class AttributeMaskIsMasked(WhereMaskedIsMasked):
    """A mask kept as a plain attribute computes the masked layer, until the module is loaded or moved."""

    breaks: ClassVar[dict[str, str]] = {
        "state": "the mask is no buffer: state_dict does not hold it, and .to leaves it behind"
    }

    def candidate(self) -> nn.Module:
        """Keep the mask outside the module's state."""
        return AttributeMaskLinear(self.alive, self.bias)

    def carry(self, theta: Theta) -> Theta:
        """Leave the mask out, which is no state of the candidate."""
        return {name: value for name, value in theta.items() if name != "mask"}


class OutputMaskIsMasked(WhereMaskedIsMasked):
    """A mask on the outputs removes whole outputs, not single connections."""

    breaks: ClassVar[dict[str, str]] = {
        **another_function("an output with one live weight keeps all, one with none loses its bias"),
        "masked": "a dead weight of an output that stays is read and trained",
    }

    def candidate(self) -> nn.Module:
        """Mask the outputs."""
        return OutputMaskLinear(self.alive, self.bias)


class InputMaskIsMasked(WhereMaskedIsMasked):
    """A mask on the inputs removes whole inputs, not single connections."""

    breaks: ClassVar[dict[str, str]] = {
        **another_function("an input with one live connection keeps all of them"),
        "masked": "a dead weight of an input that stays is read and trained",
    }

    def candidate(self) -> nn.Module:
        """Mask the inputs."""
        return InputMaskLinear(self.alive, self.bias)


class FullyMaskedIsLinear(Equivalence):
    """The masked layer equals Linear where every connection lives."""

    source: ClassVar[str] = SOURCE

    out_features: Dim
    in_features: Dim
    bias: bool

    x = Real("*batch in_features")

    def reference(self) -> nn.Module:
        """Apply Linear."""
        return nn.Linear(self.in_features, self.out_features, self.bias)

    def candidate(self) -> nn.Module:
        """Multiply the weight by ones."""
        return MaskedLinear(torch.ones(self.out_features, self.in_features), self.bias)
