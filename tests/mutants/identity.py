"""Mutants of the layers that start as the identity."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claim import Theta
from equivalence.claims.identity import InsertedIdentityConvolutionIsNothing, InsertedIdentityLinearIsNothing
from equivalence.layers.affine import reset_like_linear
from equivalence.layers.identity import IdentityConvolution, IdentityLinear
from tests.mutants.planted import mutant


@mutant("forward")
class MirrorsFeatures(InsertedIdentityLinearIsNothing):
    """The ones stand on the other diagonal."""

    def carry(self, theta: Theta) -> Theta:
        carried = super().carry(theta)
        return {**carried, "1.weight": carried["1.weight"].flip(0)}


class WithoutGradient(IdentityLinear):
    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return super().forward(x)


@mutant("input_gradient")
class InsertsWithoutGradient(InsertedIdentityLinearIsNothing):
    """The identity is computed under no_grad: nothing before it is trained."""

    def candidate(self) -> nn.Module:
        return nn.Sequential(self.reference(), WithoutGradient(self.features))


class RandomStart(IdentityLinear):
    def reset_parameters(self) -> None:
        reset_like_linear(self.weight, None, self.in_features)


@mutant("initialisation")
class StartsAtRandom(InsertedIdentityLinearIsNothing):
    """The inserted layer starts as any Linear does."""

    def candidate(self) -> nn.Module:
        return nn.Sequential(self.reference(), RandomStart(self.features))


class Causal(IdentityConvolution):
    def forward(self, x: Tensor) -> Tensor:
        return functional.conv1d(functional.pad(x, (self.weight.shape[-1] - 1, 0)), self.weight)


@mutant("forward")
class ShiftsSignal(InsertedIdentityConvolutionIsNothing):
    """All of the padding stands before the signal, which the identity then delays."""

    def candidate(self) -> nn.Module:
        return nn.Sequential(self.reference(), Causal(self.channels, self.kernel_size))


class OffCentre(IdentityConvolution):
    def reset_parameters(self) -> None:
        nn.init.dirac_(self.weight)
        with torch.no_grad():
            self.weight.copy_(self.weight.roll(1, -1))


@mutant("initialisation")
class StartsOffCentre(InsertedIdentityConvolutionIsNothing):
    """The one of each fresh kernel stands beside the centre."""

    def candidate(self) -> nn.Module:
        return nn.Sequential(self.reference(), OffCentre(self.channels, self.kernel_size))
