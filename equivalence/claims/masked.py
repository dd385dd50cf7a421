"""Linear with connections taken away, in each form that was published, right or wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from equivalence.claim import Dim, Equivalence, FreshDraws, Mask, Over, Real, Theta
from equivalence.claims.refuted import another_function, trained_apart
from equivalence.counts import Counts, dense
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
    fresh_draws: ClassVar[FreshDraws] = "same"

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

    @property
    def entries(self) -> int:
        """The number of connections, dead or alive."""
        return self.out_features * self.in_features

    def whole(self, batch: int) -> Counts:
        """Linear with some of its weights dead."""
        counts = dense(batch, self.in_features, self.out_features, bias=self.bias)
        return replace(counts, dead=int((~self.alive).sum()))

    def reference_cost(self, batch: int) -> Counts:
        """All connections, and one product more for each entry of the mask."""
        counts = self.whole(batch)
        return replace(counts, multiply_adds=counts.multiply_adds + self.entries, buffers=self.entries)

    def candidate_cost(self, batch: int) -> Counts:
        """All connections."""
        return replace(self.whole(batch), buffers=self.entries)


class SparseIsMasked(WhereMaskedIsMasked):
    """Computing the live connections alone equals multiplying W by the mask."""

    breaks: ClassVar[dict[str, str]] = {
        "nonfinite": "0 · inf: MaskedLinear carries an inf over dead connections, SparseLinear reads none"
    }

    def candidate(self) -> nn.Module:
        """Sum over the live connections."""
        return SparseLinear(self.alive, self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """The live connections alone, which two lists of indices name."""
        alive = int(self.alive.sum())
        return replace(self.whole(batch), multiply_adds=batch * alive, buffers=self.entries + 2 * alive)


class ZeroedIsMasked(WhereMaskedIsMasked):
    """Linear with its dead weights set to 0 computes the masked layer, until it is trained."""

    breaks: ClassVar[dict[str, str]] = {
        "masked": "nothing keeps a zeroed weight at zero: its gradient is not zero, and one step revives it",
        **trained_apart("a zeroed weight is revived by the first step, and read by the second"),
    }

    def candidate(self) -> nn.Module:
        """Zero the weight once, by hand."""
        return ZeroedLinear(self.alive, self.bias)

    def carry(self, theta: Theta) -> Theta:
        """Zero the dead weights."""
        carried = {"weight": theta["weight"] * theta["mask"]}
        return carried | ({"bias": theta["bias"]} if self.bias else {})

    def candidate_cost(self, batch: int) -> Counts:
        """All connections; no mask is kept."""
        return self.whole(batch)


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

    def candidate_cost(self, batch: int) -> Counts:
        """What the reference multiplies; the mask is no buffer."""
        return replace(self.reference_cost(batch), buffers=0)


class OutputMaskIsMasked(WhereMaskedIsMasked):
    """A mask on the outputs removes whole outputs, not single connections."""

    breaks: ClassVar[dict[str, str]] = {
        **another_function("an output with one live weight keeps all, one with none loses its bias"),
        "masked": "a dead weight of an output that stays is read and trained",
        "training_muon": "an output with one live weight keeps all, one with none loses its bias",
    }

    def candidate(self) -> nn.Module:
        """Mask the outputs."""
        return OutputMaskLinear(self.alive, self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """All connections, and one product more for each output."""
        counts = super().candidate_cost(batch)
        return replace(counts, multiply_adds=counts.multiply_adds + batch * self.out_features)


class InputMaskIsMasked(WhereMaskedIsMasked):
    """A mask on the inputs removes whole inputs, not single connections."""

    breaks: ClassVar[dict[str, str]] = {
        **another_function("an input with one live connection keeps all of them"),
        "masked": "a dead weight of an input that stays is read and trained",
        "training_muon": "an input with one live connection keeps all of them",
    }

    def candidate(self) -> nn.Module:
        """Mask the inputs."""
        return InputMaskLinear(self.alive, self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """All connections, and one product more for each input."""
        counts = super().candidate_cost(batch)
        return replace(counts, multiply_adds=counts.multiply_adds + batch * self.in_features)


class FullyMaskedIsLinear(Equivalence):
    """The masked layer equals Linear where every connection lives."""

    source: ClassVar[str] = SOURCE
    fresh_draws = "same"

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

    def reference_cost(self, batch: int) -> Counts:
        """in_features · out_features multiply-adds a row."""
        return dense(batch, self.in_features, self.out_features, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """As many, and one product more for each entry of the mask."""
        counts, entries = self.reference_cost(batch), self.in_features * self.out_features
        return replace(counts, multiply_adds=counts.multiply_adds + entries, buffers=entries)
