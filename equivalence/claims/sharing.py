"""Networks that share a layer, and networks side by side as one."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from equivalence.claim import AtLeast, Dim, Equivalence, Real, Theta
from equivalence.claims.refuted import trained_apart
from equivalence.counts import Counts, dense
from equivalence.layers.kronecker import shared_matrix
from equivalence.layers.local import block_diagonal
from equivalence.layers.sharing import ParallelBlock, SharedMLP, UnrolledMLP, WideNet

SOURCE = "Shared layers, third article"


class UnrolledIsShared(Equivalence):
    """A network that uses one layer twice equals one with two layers of the same weights."""

    source: ClassVar[str] = SOURCE
    breaks: ClassVar[dict[str, str]] = {
        **trained_apart("each use follows its own gradient instead of their sum: the copies drift apart"),
        "parameter_count": "each use has parameters of its own: hidden · (hidden + 1) free scalars more",
        "initialisation": "each use starts with draws of its own: no fresh network has two equal layers",
    }

    in_features: Dim
    hidden_features: Dim
    out_features: Dim

    x = Real("*batch in_features")

    def reference(self) -> nn.Module:
        """Use one layer twice."""
        return SharedMLP(self.in_features, self.hidden_features, self.out_features)

    def candidate(self) -> nn.Module:
        """Write out a layer for each use."""
        return UnrolledMLP(self.in_features, self.hidden_features, self.out_features)

    def carry(self, theta: Theta) -> Theta:
        """Copy the shared layer to both uses, so that its gradients are summed."""
        names = {name: [name.replace("middle", use) for use in ("middle1", "middle2")] for name in theta}
        return {copy: theta[name] for name, copies in names.items() for copy in copies}

    def reference_cost(self, batch: int) -> Counts:
        """The parameters of three layers, the multiply-adds of four: one is used twice."""
        unrolled, shared = self.candidate_cost(batch), self.middle(batch)
        return Counts(unrolled.parameters - shared.parameters, unrolled.multiply_adds)

    def candidate_cost(self, batch: int) -> Counts:
        """The parameters and the multiply-adds of four layers."""
        first = dense(batch, self.in_features, self.hidden_features, bias=True)
        last = dense(batch, self.hidden_features, self.out_features, bias=True)
        layers = [first, self.middle(batch), self.middle(batch), last]
        return Counts(sum(one.parameters for one in layers), sum(one.multiply_adds for one in layers))

    def middle(self, batch: int) -> Counts:
        """The layer that is shared."""
        return dense(batch, self.hidden_features, self.hidden_features, bias=True)


class WideNetIsParallelBlock(Equivalence):
    """Networks side by side equal one wide network whose second weight is block-diagonal."""

    source: ClassVar[str] = SOURCE
    breaks: ClassVar[dict[str, str]] = {
        "nonfinite": "0 · inf: the zeros off the blocks carry the inf of one network to the others",
        "training_adafactor": "Adafactor takes its means and norms over one wide network, not over each",
        "training_muon": "Muon orthogonalises the step of one wide matrix, not of each network's",
    }

    in_features: Dim
    hidden_features: Dim
    out_features: Dim
    nets: Annotated[int, AtLeast(1)]

    x = Real("*batch in_features")

    def reference(self) -> nn.Module:
        """Run one network after the other."""
        return ParallelBlock(self.in_features, self.hidden_features, self.out_features, self.nets)

    def candidate(self) -> nn.Module:
        """Run them as one."""
        return WideNet(self.in_features, self.hidden_features, self.out_features, self.nets)

    def carry(self, theta: Theta) -> Theta:
        """Stack the first layers and both biases, put the second weights on the diagonal."""

        def each(name: str) -> list[Tensor]:
            return [theta[f"nets.{net}.{name}"] for net in range(self.nets)]

        return {
            "first.weight": torch.cat(each("0.weight")),
            "first.bias": torch.cat(each("0.bias")),
            "second.weight": block_diagonal(torch.stack(each("2.weight"))),
            "second.bias": torch.cat(each("2.bias")),
        }

    def dead_in_candidate(self) -> dict[str, Tensor]:
        """Name the weights between one network's hidden layer and another's outputs."""
        alive = shared_matrix(torch.ones(self.out_features, self.hidden_features), self.nets)
        return {"second.weight": alive == 0}

    def reference_cost(self, batch: int) -> Counts:
        """Two small layers for each net."""
        first = dense(batch, self.in_features, self.hidden_features, bias=True)
        second = dense(batch, self.hidden_features, self.out_features, bias=True)
        return Counts(
            self.nets * (first.parameters + second.parameters),
            self.nets * (first.multiply_adds + second.multiply_adds),
        )

    def candidate_cost(self, batch: int) -> Counts:
        """Two wide layers, the second masked: between the nets it multiplies by 0."""
        hidden, outputs = self.nets * self.hidden_features, self.nets * self.out_features
        first = dense(batch, self.in_features, hidden, bias=True)
        second = dense(batch, hidden, outputs, bias=True)
        return Counts(
            first.parameters + second.parameters,
            first.multiply_adds + second.multiply_adds + hidden * outputs,
            dead=hidden * outputs - self.nets * self.hidden_features * self.out_features,
            buffers=hidden * outputs,
        )
