"""Bugs of which tensors need a gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from tests.mutants.circumstances.right import (
    OUT,
    Affine,
    FunctionIsLinear,
    Scaled,
    ScaledIsInItsWeight,
    gradients,
)
from tests.mutants.planted import mutant


class SkippingGraph(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        trained = any(value.requires_grad for value in self.parameters())
        with torch.set_grad_enabled(torch.is_grad_enabled() and trained):
            return super().forward(x)


@mutant("input_gradient", "frozen")
class RecordsNothingWhereFrozen(ScaledIsInItsWeight):
    """A layer without anything to train runs without gradients, and that of x is lost."""

    form = SkippingGraph


class MeanOverOutputs(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_input, by_weight, by_bias = gradients(ctx, gradient)
        frozen = not any(ctx.needs_input_grad[1:])
        return by_input / OUT if frozen else by_input, by_weight, by_bias


@mutant("input_gradient", "frozen")
class AveragesBesideFrozenParameters(FunctionIsLinear):
    """The backward for frozen parameters averages over the outputs instead of summing."""

    function = MeanOverOutputs


class FrozenAtWeight(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        if self.weight.requires_grad:
            return super().forward(x)
        return self.scale * functional.linear(x, self.weight, self.bias.detach())


@mutant("parameter_gradient", "first_frozen")
class TakesFrozenWeightForAll(ScaledIsInItsWeight):
    """A layer whose weight is frozen is taken for frozen, its bias too."""

    form = FrozenAtWeight


class WeightFirst(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_input, by_weight, by_bias = gradients(ctx, gradient)
        return (by_input, by_weight, by_bias) if ctx.needs_input_grad[1] else (by_input, None, None)


@mutant("parameter_gradient", "first_frozen")
class AsksForWeightAlone(FunctionIsLinear):
    """The backward asks whether the weight needs a gradient, and gives none of the bias where it does not."""

    function = WeightFirst


class FrozenAtBias(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        if self.bias.requires_grad:
            return super().forward(x)
        return self.scale * functional.linear(x, self.weight.detach(), self.bias)


@mutant("parameter_gradient", "second_frozen")
class TakesFrozenBiasForAll(ScaledIsInItsWeight):
    """A layer whose bias is frozen is taken for frozen, its weight too."""

    form = FrozenAtBias


class CountingFromLast(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_input, *trained = gradients(ctx, gradient)
        # One is dropped for each that needs no gradient, from the front.
        left = trained[len(trained) - sum(ctx.needs_input_grad[1:]) :]
        return by_input, *[None] * (len(trained) - len(left)), *left


@mutant("parameter_gradient", "second_frozen")
class PutsGradientsInOtherPlaces(FunctionIsLinear):
    """The gradients that are needed are counted from the last: the only one is taken for the bias's."""

    function = CountingFromLast


class Recorded(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return self.unbiased(x) if x.requires_grad else super().forward(x)


@mutant("forward", "input_leaves")
class ForgetsBiasForInputsWithGradient(ScaledIsInItsWeight):
    """The path for inputs that need a gradient forgets the bias."""

    form = Recorded


class InputOrWeight(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_input, by_weight, by_bias = gradients(ctx, gradient)
        return (by_input, None, by_bias) if ctx.needs_input_grad[0] else (None, by_weight, by_bias)


@mutant("parameter_gradient", "input_leaves")
class GivesWeightGradientForFirstLayersAlone(FunctionIsLinear):
    """The backward gives the gradient of the weight only where x needs none."""

    function = InputOrWeight
