"""Mutants of Linear with connections taken away."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claim import Theta
from equivalence.claims.masked import (
    AttributeMaskIsMasked,
    FullyMaskedIsLinear,
    SparseIsMasked,
    WhereMaskedIsMasked,
    ZeroedIsMasked,
)
from equivalence.layers.masked import MaskedLinear, SparseLinear, WhereMaskedLinear
from equivalence.layers.masked_wrong import AttributeMaskLinear, ZeroedLinear
from tests.mutants import backward
from tests.mutants.planted import mutant


class Inverted(WhereMaskedLinear):
    def product(self, x: Tensor) -> Tensor:
        return functional.linear(x, torch.where(self.mask, 0, self.weight))


@mutant("forward")
class InvertsMask(WhereMaskedIsMasked):
    """The weights under a one of the mask are removed instead of those under a zero."""

    def candidate(self) -> nn.Module:
        return Inverted(self.alive, self.bias)


class Overwriting(SparseLinear):
    def product(self, x: Tensor) -> Tensor:
        terms = x.index_select(-1, self.in_index) * self.weight[self.out_index, self.in_index]
        return x.new_zeros(*x.shape[:-1], self.out_features).index_copy(-1, self.out_index, terms)


@mutant("forward")
class OverwritesTerms(SparseIsMasked):
    """The terms of one output overwrite each other instead of being added."""

    def candidate(self) -> nn.Module:
        return Overwriting(self.alive, self.bias)


@mutant("forward")
class MasksUpperTriangle(FullyMaskedIsLinear):
    """The mask is lower triangular instead of full."""

    def candidate(self) -> nn.Module:
        return MaskedLinear(torch.ones(self.out_features, self.in_features).tril(), self.bias)


class BiasOfLiveOutputs(ZeroedLinear):
    def forward(self, x: Tensor) -> Tensor:
        alive = (self.weight != 0).any(1)
        return functional.linear(x, self.weight, None if self.bias is None else self.bias * alive)


@mutant("forward")
class KillsBiasOfDeadOutputs(ZeroedIsMasked):
    """An output without a live weight loses its bias too."""

    def candidate(self) -> nn.Module:
        return BiasOfLiveOutputs(self.alive, self.bias)


class DetachedByMask(AttributeMaskLinear):
    def product(self, x: Tensor) -> Tensor:
        return functional.linear(x.detach(), self.weight * self.mask)


@mutant("input_gradient")
class DetachesMaskedInput(AttributeMaskIsMasked):
    """The masked layer's input is detached."""

    def candidate(self) -> nn.Module:
        return DetachedByMask(self.alive, self.bias)


class StraightThrough(MaskedLinear):
    def product(self, x: Tensor) -> Tensor:
        dead = (self.weight * ~self.mask).detach()
        return functional.linear(x, self.weight - dead)


@mutant("parameter_gradient")
class PassesGradientThroughMask(WhereMaskedIsMasked):
    """The mask is applied without a gradient: dead weights get one."""

    def candidate(self) -> nn.Module:
        return StraightThrough(self.alive, self.bias)


class DetachedBackward(MaskedLinear):
    def product(self, x: Tensor) -> Tensor:
        return backward.product(backward.DetachedBackward, x, self.weight * self.mask)


@mutant("second_derivative")
class DetachesMaskedBackward(FullyMaskedIsLinear):
    """A backward of its own computes with detached tensors."""

    def candidate(self) -> nn.Module:
        return DetachedBackward(torch.ones(self.out_features, self.in_features), self.bias)


class SummedUp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = super().forward(x.cumsum(0) if x.ndim > 1 else x)
        return y


class SummedUpLinear(SummedUp, nn.Linear): ...


class SummedUpMaskedLinear(SummedUp, MaskedLinear): ...


@mutant("rows")
class SumsOverTheBatch(FullyMaskedIsLinear):
    """Both forms add up the rows before: each reads all that precede it in the batch."""

    def reference(self) -> nn.Module:
        return SummedUpLinear(self.in_features, self.out_features, self.bias)

    def candidate(self) -> nn.Module:
        return SummedUpMaskedLinear(torch.ones(self.out_features, self.in_features), self.bias)


class Viewing(WhereMaskedLinear):
    def product(self, x: Tensor) -> Tensor:
        rows = x.view(x.shape[:-1].numel(), self.in_features)
        return super().product(rows).reshape(*x.shape[:-1], self.out_features)


@mutant("layout")
class ViewsMaskedInput(WhereMaskedIsMasked):
    """The leading axes are flattened by view."""

    def candidate(self) -> nn.Module:
        return Viewing(self.alive, self.bias)


class Selecting(MaskedLinear):
    def product(self, x: Tensor) -> Tensor:
        return torch.where(self.mask, x.unsqueeze(-2) * self.weight, 0).sum(-1)


@mutant("nonfinite")
class SelectsTerms(WhereMaskedIsMasked):
    """Dead terms are dropped after the product: an inf over a dead connection reaches no output."""

    def candidate(self) -> nn.Module:
        return Selecting(self.alive, self.bias)


class Truncating(WhereMaskedLinear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x[..., : self.in_features])


@mutant("rejects")
class TruncatesInput(WhereMaskedIsMasked):
    """Features too many are cut off without a word."""

    def candidate(self) -> nn.Module:
        return Truncating(self.alive, self.bias)


class Forgetful(WhereMaskedLinear):
    def __init__(self, mask: Tensor, bias: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(mask, bias)
        self.register_buffer("mask", mask != 0, persistent=False)


@mutant("state")
class KeepsMaskOutOfStateDict(WhereMaskedIsMasked):
    """The mask is a buffer, but not a persistent one."""

    def candidate(self) -> nn.Module:
        return Forgetful(self.alive, self.bias)


class MaskedInTraining(WhereMaskedLinear):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x) if self.training else functional.linear(x, self.weight)


@mutant("modes")
class MasksInTrainingOnly(WhereMaskedIsMasked):
    """In eval the mask is not applied."""

    def candidate(self) -> nn.Module:
        return MaskedInTraining(self.alive, self.bias)


class CarriedZeros(WhereMaskedIsMasked):
    """A masked layer that may rely on dead weights being 0."""

    breaks: ClassVar[dict[str, str]] = {
        "training_adafactor": "the length of its step is the weight's norm, dead entries too"
    }

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "weight": theta["weight"] * theta["mask"]}


class PassingZeros(MaskedLinear):
    def product(self, x: Tensor) -> Tensor:
        masked = self.weight * self.mask
        return functional.linear(x, self.weight + (masked - self.weight).detach())


@mutant("masked")
class TrainsDeadWeights(CarriedZeros):
    """The mask has a straight-through gradient: dead weights are trained, though no output shows it."""

    def candidate(self) -> nn.Module:
        return PassingZeros(self.alive, self.bias)


class MaskedData(MaskedLinear):
    def product(self, x: Tensor) -> Tensor:
        self.weight.data.mul_(self.mask)
        return functional.linear(x, self.weight)


@mutant("masked")
class MasksDataInPlace(CarriedZeros):
    """Every call masks weight.data in place: the gradient knows nothing of it, and momentum revives."""

    def candidate(self) -> nn.Module:
        return MaskedData(self.alive, self.bias)


class HookedOnce(ZeroedLinear):
    mask: Tensor

    def __init__(self, mask: Tensor, bias: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(mask, bias)
        self.register_buffer("mask", mask != 0)
        self.handle = self.weight.register_hook(self.masked)

    def masked(self, gradient: Tensor) -> Tensor:
        self.handle.remove()
        return gradient * self.mask


@mutant("masked")
class HooksGradientOnce(CarriedZeros):
    """A hook masks the gradient of the first backward, then is gone."""

    def candidate(self) -> nn.Module:
        return HookedOnce(self.alive, self.bias)


class Scored(MaskedLinear):
    def __init__(self, mask: Tensor, bias: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(mask, bias)
        self.score = nn.Parameter(torch.ones(mask.shape))

    def product(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.score * self.mask)


@mutant("parameter_count")
class TrainsScores(FullyMaskedIsLinear):
    """Every weight has a score of 1 to train beside it."""

    def candidate(self) -> nn.Module:
        return Scored(torch.ones(self.out_features, self.in_features), self.bias)

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "score": torch.ones_like(theta["weight"])}


class HalfFan(WhereMaskedLinear):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        with torch.no_grad():
            self.weight.mul_(2**0.5)


@mutant("initialisation")
class DrawsForHalfTheFan(WhereMaskedIsMasked):
    """The bound assumes that half of the connections live, whatever the mask."""

    def candidate(self) -> nn.Module:
        return HalfFan(self.alive, self.bias)
