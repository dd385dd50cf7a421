"""Mutants of shared layers, and of networks side by side."""

from __future__ import annotations

import weakref

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claim import Dim, Equivalence, Real, Theta
from equivalence.claims.sharing import UnrolledIsShared, WideNetIsParallelBlock
from equivalence.layers.masked_wrong import ZeroedLinear
from equivalence.layers.sharing import SharedMLP, UnrolledMLP, WideNet
from tests.mutants.planted import mutant


class TiedMLP(UnrolledMLP):
    """SharedMLP with its one middle layer under two names."""

    def __init__(self, in_features: int, hidden_features: int, out_features: int) -> None:
        super().__init__(in_features, hidden_features, out_features)
        self.middle2 = self.middle1


class TiedIsShared(Equivalence):
    """A layer that is used twice equals one registered under two names."""

    in_features: Dim
    hidden_features: Dim
    out_features: Dim

    x = Real("*batch in_features")

    def reference(self) -> nn.Module:
        return SharedMLP(self.in_features, self.hidden_features, self.out_features)

    def candidate(self) -> nn.Module:
        return TiedMLP(self.in_features, self.hidden_features, self.out_features)

    def carry(self, theta: Theta) -> Theta:
        return {name.replace("middle", "middle1"): value for name, value in theta.items()}


class OneUse(TiedMLP):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.middle1(self.first(x).relu()).relu())
        return y


@mutant("forward")
class UsesMiddleOnce(TiedIsShared):
    """The shared layer is used once."""

    def candidate(self) -> nn.Module:
        return OneUse(self.in_features, self.hidden_features, self.out_features)


class DetachedUse(SharedMLP):
    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x).relu()
        hidden = functional.linear(hidden, self.middle.weight.detach(), self.middle.bias.detach()).relu()
        y: Tensor = self.last(self.middle(hidden).relu())
        return y


@mutant("parameter_gradient")
class TrainsOneUse(TiedIsShared):
    """The first use of the shared layer is detached from its weights."""

    def candidate(self) -> nn.Module:
        return DetachedUse(self.in_features, self.hidden_features, self.out_features)

    def carry(self, theta: Theta) -> Theta:
        return theta


class WeakTie(SharedMLP):
    second: weakref.ref[nn.Module]

    def __init__(self, in_features: int, hidden_features: int, out_features: int) -> None:
        super().__init__(in_features, hidden_features, out_features)
        self.second = weakref.ref(self.middle)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.middle(self.first(x).relu()).relu()
        middle = self.second()
        assert middle is not None
        y: Tensor = self.last(middle(hidden).relu())
        return y


@mutant("state")
class TiesByWeakReference(TiedIsShared):
    """The second use holds the layer by a weak reference, which no copy follows."""

    def candidate(self) -> nn.Module:
        return WeakTie(self.in_features, self.hidden_features, self.out_features)

    def carry(self, theta: Theta) -> Theta:
        return theta


@mutant("parameter_count")
class CopiesInPlaceOfTie(TiedIsShared):
    """The second use is a copy of the first."""

    def candidate(self) -> nn.Module:
        return UnrolledMLP(self.in_features, self.hidden_features, self.out_features)

    def carry(self, theta: Theta) -> Theta:
        copies = {name.replace("middle", "middle2"): value for name, value in theta.items()}
        return {**super().carry(theta), **copies}


class WithoutRelu(UnrolledMLP):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.middle2(self.middle1(self.first(x).relu())).relu())
        return y


@mutant("forward")
class ForgetsRelu(UnrolledIsShared):
    """No relu stands between the two uses."""

    def candidate(self) -> nn.Module:
        return WithoutRelu(self.in_features, self.hidden_features, self.out_features)


class DetachedBetween(UnrolledMLP):
    def forward(self, x: Tensor) -> Tensor:
        hidden = self.middle1(self.first(x).relu()).relu()
        y: Tensor = self.last(self.middle2(hidden.detach()).relu())
        return y


@mutant("input_gradient")
class DetachesBetweenUses(UnrolledIsShared):
    """What the first use gives is detached before the second."""

    def candidate(self) -> nn.Module:
        return DetachedBetween(self.in_features, self.hidden_features, self.out_features)


@mutant("forward")
class StacksNetsBackwards(WideNetIsParallelBlock):
    """The biases of the second layers are stacked in reverse."""

    def carry(self, theta: Theta) -> Theta:
        biases = [theta[f"nets.{net}.2.bias"] for net in reversed(range(self.nets))]
        return {**super().carry(theta), "second.bias": torch.cat(biases)}


class FirstNetTrained(WideNet):
    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x).relu()
        half = hidden.shape[-1] // 2
        y: Tensor = self.second(torch.cat([hidden[..., :half], hidden[..., half:].detach()], dim=-1))
        return y


@mutant("input_gradient")
class DetachesHalfOfTheNets(WideNetIsParallelBlock):
    """The second half of the hidden layer is detached."""

    def candidate(self) -> nn.Module:
        return FirstNetTrained(self.in_features, self.hidden_features, self.out_features, self.nets)


class ZeroedWideNet(WideNet):
    def __init__(self, in_features: int, hidden_features: int, out_features: int, nets: int) -> None:
        super().__init__(in_features, hidden_features, out_features, nets)
        zeroed = ZeroedLinear(self.second.mask)
        zeroed.load_state_dict({name: value.detach() for name, value in self.second.named_parameters()})
        self.second = zeroed  # type: ignore[assignment]


@mutant("masked")
class ZeroesOffTheBlocksOnce(WideNetIsParallelBlock):
    """The weights between the nets are set to 0 once, by hand."""

    def candidate(self) -> nn.Module:
        return ZeroedWideNet(self.in_features, self.hidden_features, self.out_features, self.nets)
