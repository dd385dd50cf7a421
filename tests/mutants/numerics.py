"""Mutants of precision, of how values look, of buffers, of random numbers and of what backward reads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function
from torch.nn import functional

from equivalence.claim import Equivalence, Real, Theta
from equivalence.layers.affine import QuietLinear
from equivalence.layers.validation import check_input, flatten_leading
from tests.mutants.modules import DropoutAfterLinear, DropoutIsItsFunction, Positive
from tests.mutants.planted import mutant

EPS = 1e-5
FAR = 1e4
OUT = 3


# Precision.


class LayerNorm(nn.Module):
    """(x - mean) / sqrt(variance + eps), over the last axis."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        check_input(x, self.weight.shape, self.weight)
        centred = x - x.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        return centred / (variance + EPS).sqrt() * self.weight + self.bias


class LayerNormIsItsFormula(Equivalence):
    """LayerNorm equals its formula."""

    features: Positive

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.LayerNorm(self.features, EPS)

    def candidate(self) -> nn.Module:
        return LayerNorm(self.features)


class SingleNorm(LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.float(), self.bias.float()
        return functional.layer_norm(x.float(), weight.shape, weight, bias, EPS).to(x.dtype)


@mutant("precision")
class NormalisesInSingle(LayerNormIsItsFormula):
    """The norm is computed in float32, whatever it is given."""

    def candidate(self) -> nn.Module:
        return SingleNorm(self.features)


class Variance(nn.Module):
    """The variance over the last axis, of numbers far from 0."""

    def forward(self, x: Tensor) -> Tensor:
        far = x + FAR
        return (far - far.mean(-1, keepdim=True)).square().mean(-1)


class VarianceBySum(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        far = x + FAR
        count = x.shape[-1]
        centred = far - far.sum(-1, keepdim=True) / count
        return (centred * centred).sum(-1) / count


class VarianceIsBySum(Equivalence):
    """The variance equals a sum of squares over the count, where the mean is far from 0."""

    features: Positive

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Variance()

    def candidate(self) -> nn.Module:
        return VarianceBySum()


class VarianceInOnePass(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        far = x + FAR
        return far.square().mean(-1) - far.mean(-1).square()


@mutant("precision")
class TakesVarianceInOnePass(VarianceIsBySum):
    """The variance is E x² - (E x)²: the square of the mean takes its digits."""

    def candidate(self) -> nn.Module:
        return VarianceInOnePass()


class LinearIsItself(Equivalence):
    """Linear equals Linear."""

    features: Positive

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, OUT)

    def candidate(self) -> nn.Module:
        return QuietLinear(self.features, OUT)


class HalfInput(QuietLinear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.bfloat16().to(x.dtype))


@mutant("precision")
class RoundsInputToHalf(LinearIsItself):
    """The input is rounded to bfloat16."""

    def candidate(self) -> nn.Module:
        return HalfInput(self.features, OUT)


class OffInSingle(QuietLinear):
    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return 1.01 * y if x.dtype == torch.float32 else y


@mutant("forward")
class ScalesInSingle(LinearIsItself):
    """In float32, and there alone, the output is a hundredth too large."""

    def candidate(self) -> nn.Module:
        return OffInSingle(self.features, OUT)


# How values look.


class Silu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * x.sigmoid()


class SiluIsItsFormula(Equivalence):
    """silu equals x times the sigmoid of x."""

    features: Positive

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.SiLU()

    def candidate(self) -> nn.Module:
        return Silu()


class CutSilu(Silu):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).clamp(max=6)


@mutant("forward")
class CutsAtSix(SiluIsItsFormula):
    """What lies above 6 is cut, as in relu6: inputs near N(0, 1) never come there."""

    def candidate(self) -> nn.Module:
        return CutSilu()


class ByLogSigmoid(nn.Module):
    """softplus over the whole range: torch's own ends at a threshold."""

    def forward(self, x: Tensor) -> Tensor:
        return -functional.logsigmoid(-x)


class Softplus(nn.Module):
    """log(1 + exp(x)) without an exp that overflows."""

    def forward(self, x: Tensor) -> Tensor:
        positive = x > 0
        lower = torch.where(positive, -x, x)
        return torch.where(positive, x, 0) + lower.exp().log1p()


class SoftplusIsItsFormula(Equivalence):
    """softplus equals its formula, written apart for positive and negative x."""

    features: Positive

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return ByLogSigmoid()

    def candidate(self) -> nn.Module:
        return Softplus()


class NaiveSoftplus(Softplus):
    def forward(self, x: Tensor) -> Tensor:
        return x.exp().log1p()


@mutant("forward")
class OverflowsInExp(SoftplusIsItsFormula):
    """log(1 + exp(x)) is inf where exp(x) is."""

    def candidate(self) -> nn.Module:
        return NaiveSoftplus()


class Unit(nn.Module):
    least = 1e-12

    def forward(self, x: Tensor) -> Tensor:
        length: Tensor = x.norm(dim=-1, keepdim=True)
        return x / length.clamp(min=self.least)


class ByNormalize(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return functional.normalize(x, dim=-1)


class UnitIsItsFormula(Equivalence):
    """normalize equals x over its length, which is at least 1e-12."""

    features: Positive

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return ByNormalize()

    def candidate(self) -> nn.Module:
        return Unit()


class UnguardedUnit(Unit):
    least = 0.0


@mutant("forward")
class DividesByZeroLength(UnitIsItsFormula):
    """x / |x| without a least length: a row of zeros becomes nan."""

    def candidate(self) -> nn.Module:
        return UnguardedUnit()


class Relu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x <= 0, 0, x)


class ReluIsItsFormula(Equivalence):
    """relu equals a choice between x and 0."""

    features: Positive

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.ReLU()

    def candidate(self) -> nn.Module:
        return Relu()


class OpenRelu(Relu):
    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x < 0, 0, x)


@mutant("input_gradient")
class PassesGradientAtZero(ReluIsItsFormula):
    """The gradient at exactly 0 is 1, where that of relu is 0."""

    def candidate(self) -> nn.Module:
        return OpenRelu()


# Buffers.


class FoldedIsBatchNorm(Equivalence):
    """Linear followed by BatchNorm1d in eval is one Linear."""

    same = "function"

    features: Positive

    x = Real("batch features")

    def reference(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.features, OUT), nn.BatchNorm1d(OUT, EPS)).eval()

    def candidate(self) -> nn.Module:
        return nn.Linear(self.features, OUT).eval()

    def carry(self, theta: Theta) -> Theta:
        scale = theta["1.weight"] / self.deviation(theta["1.running_var"])
        bias = scale * (theta["0.bias"] - self.mean(theta["1.running_mean"])) + theta["1.bias"]
        return {"weight": scale.unsqueeze(1) * theta["0.weight"], "bias": bias}

    def deviation(self, variance: Tensor) -> Tensor:
        return (variance + EPS).sqrt()

    def mean(self, running: Tensor) -> Tensor:
        return running


@mutant("forward")
class ForgetsRunningMean(FoldedIsBatchNorm):
    """The fold leaves out the running mean."""

    def mean(self, running: Tensor) -> Tensor:
        return torch.zeros_like(running)


@mutant("forward")
class ForgetsEpsOfVariance(FoldedIsBatchNorm):
    """The fold divides by the root of the running variance without eps."""

    def deviation(self, variance: Tensor) -> Tensor:
        return variance.sqrt()


# Random numbers.


class DropoutAtAnotherRate(DropoutAfterLinear):
    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout(QuietLinear.forward(self, x), 0.4, self.training)


@mutant("forward")
class DropsAtAnotherRate(DropoutIsItsFunction):
    """Entries are dropped at a rate of 0.4 for 0.5."""

    def candidate(self) -> nn.Module:
        return DropoutAtAnotherRate(self.in_features, self.out_features)


class DropoutOfAll(DropoutAfterLinear):
    def forward(self, x: Tensor) -> Tensor:
        y = QuietLinear.forward(self, x)
        return y * functional.dropout(torch.ones((), dtype=y.dtype), 0.5, self.training)


@mutant("forward")
class DropsAllAtOnce(DropoutIsItsFunction):
    """One draw drops the whole output or none of it: each entry alone is as it should be."""

    def candidate(self) -> nn.Module:
        return DropoutOfAll(self.in_features, self.out_features)


# What backward reads.


class AskingLayer(Function):
    """x Wᵀ whose backward asks its layer for the weight, as a recomputing one does."""

    @staticmethod
    def forward(ctx: Any, layer: LookingBack, x: Tensor, weight: Tensor) -> Tensor:
        ctx.layer = layer
        ctx.save_for_backward(x)
        return x @ weight.mT

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, Tensor]:
        (x,) = ctx.saved_tensors
        by_weight = flatten_leading(gradient, 1).mT @ flatten_leading(x, 1)
        return None, gradient @ ctx.layer.in_backward(x.dtype), by_weight


class LookingBack(QuietLinear):
    def forward(self, x: Tensor) -> Tensor:
        check_input(x, (self.in_features,), self.weight)
        y: Tensor = AskingLayer.apply(self, x, self.weight)  # type: ignore[no-untyped-call]
        return y + self.bias

    def in_backward(self, dtype: torch.dtype) -> Tensor:
        return self.weight.to(dtype)


class LookingBackIsLinear(LinearIsItself):
    """A Linear whose backward reads the weight from its module equals Linear."""

    def candidate(self) -> nn.Module:
        return LookingBack(self.features, OUT)


class LookingAtFirst(LookingBack):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.first = self.weight.detach().clone()

    def in_backward(self, dtype: torch.dtype) -> Tensor:
        return self.first.to(dtype)


@mutant("input_gradient")
class ReadsFirstWeightInBackward(LinearIsItself):
    """The backward reads a copy of the weight that the module was constructed with."""

    def candidate(self) -> nn.Module:
        return LookingAtFirst(self.features, OUT)
