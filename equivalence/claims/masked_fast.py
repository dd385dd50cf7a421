"""Linear with connections taken away, in the forms that keep and compute the live ones alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from torch import Tensor, nn

from equivalence.claim import Dim, Equivalence, Mask, Over, Real, Theta
from equivalence.claims.masked import SOURCE, SparseIsMasked
from equivalence.counts import Counts, dense
from equivalence.layers.masked import MaskedLinear
from equivalence.layers.masked_fast import BlockLinear, LiveLinear

UNREAD = {
    "nonfinite": "0 · inf: MaskedLinear carries an inf over dead connections, which this form never reads"
}
OTHER_AXES = {
    "training_adafactor": "Adafactor takes means over rows and columns, which a list of live weights has not",
    "training_muon": "Muon takes matrices alone: it leaves a list of live weights to SGD",
}


class LiveIsMasked(SparseIsMasked):
    """Keeping the live weights alone, the fastest form known for a sparse mask, equals masking all."""

    breaks: ClassVar[dict[str, str]] = {**UNREAD, **OTHER_AXES}
    fresh_draws = "any"

    def candidate(self) -> nn.Module:
        """Keep the live connections."""
        return LiveLinear(self.alive, self.bias)

    def carry(self, theta: Theta) -> Theta:
        """List the live weights, output by output."""
        carried = {"weight": theta["weight"][self.alive]}
        return carried | ({"bias": theta["bias"]} if self.bias else {})

    def dead_in_candidate(self) -> dict[str, Tensor]:
        """Name nothing: no dead weight is kept."""
        return {}

    def candidate_cost(self, batch: int) -> Counts:
        """The live connections alone, each with three indices, and where each output and input starts."""
        alive = int(self.alive.sum())
        buffers = 3 * alive + self.out_features + self.in_features
        return Counts(alive + self.bias * self.out_features, batch * alive, buffers=buffers)


class BlocksAreMasked(Equivalence):
    """Keeping the live blocks alone, the fastest form known for such masks, equals masking all of them."""

    source: ClassVar[str] = SOURCE
    breaks: ClassVar[dict[str, str]] = {**UNREAD, **OTHER_AXES}

    out_blocks: Dim
    in_blocks: Dim
    mask: Annotated[Mask, Over("out_blocks in_blocks")]
    block_out: Dim
    block_in: Dim
    bias: bool

    x = Real("*batch in_blocks block_in")

    @property
    def blocks(self) -> Tensor:
        """Which blocks live, (out_blocks, in_blocks) of bool."""
        return self.mask.tensor(self.out_blocks, self.in_blocks)

    @property
    def alive(self) -> Tensor:
        """Which connections live, (out_blocks · block_out, in_blocks · block_in) of bool."""
        return self.blocks.repeat_interleave(self.block_out, 0).repeat_interleave(self.block_in, 1)

    def reference(self) -> nn.Module:
        """Multiply the weight by the mask."""
        return nn.Sequential(nn.Flatten(-2), MaskedLinear(self.alive, self.bias))

    def candidate(self) -> nn.Module:
        """Multiply by the live blocks."""
        return nn.Sequential(
            nn.Flatten(-2), BlockLinear(self.blocks, (self.block_out, self.block_in), self.bias)
        )

    def carry(self, theta: Theta) -> Theta:
        """List the live blocks, block row by block row."""
        shape = (self.out_blocks, self.block_out, self.in_blocks, self.block_in)
        carried = {"1.weight": theta["1.weight"].reshape(shape).transpose(1, 2)[self.blocks]}
        return carried | ({"1.bias": theta["1.bias"]} if self.bias else {})

    def dead_in_reference(self) -> dict[str, Tensor]:
        """Name the weights under a zero of the mask."""
        return {"1.weight": ~self.alive}

    def reference_cost(self, batch: int) -> Counts:
        """All connections, and one product more for each entry of the mask."""
        counts = dense(batch, *reversed(self.alive.shape), bias=self.bias)
        entries = self.alive.numel()
        dead = entries - int(self.alive.sum())
        return replace(counts, multiply_adds=counts.multiply_adds + entries, dead=dead, buffers=entries)

    def candidate_cost(self, batch: int) -> Counts:
        """The live blocks alone, each with two indices."""
        blocks = int(self.blocks.sum())
        weights = blocks * self.block_out * self.block_in
        biases = self.bias * self.out_blocks * self.block_out
        return Counts(weights + biases, batch * weights, buffers=2 * blocks)
