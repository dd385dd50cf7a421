"""Mutants of TwoDFC and of its cheap forms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from equivalence.claim import Theta
from equivalence.claims.two_d_fc import (
    ConvolutionTwoDFCIsFlattenLinear,
    EinsumTwoDFCIsFlattenLinear,
    FlattenMatmulTwoDFCIsFlattenLinear,
    NormalBiasTwoDFCIsFlattenLinear,
    NormalTwoDFCIsFlattenLinear,
    TensordotTwoDFCIsFlattenLinear,
    TwoDFCIsFlattenLinear,
    UnvalidatedTwoDFCIsFlattenLinear,
)
from equivalence.layers.two_d_fc import (
    ConvolutionTwoDFC,
    EinsumTwoDFC,
    FlattenMatmulTwoDFC,
    NormalBiasTwoDFC,
    NormalTwoDFC,
    TensordotTwoDFC,
    TwoDFC,
    UnvalidatedTwoDFC,
)
from equivalence.layers.validation import check_input
from tests.mutants import backward
from tests.mutants.planted import mutant


class SwappedAxes(TwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x.mT.reshape(x.shape))


@mutant("forward")
class SwapsHeightAndWidth(TwoDFCIsFlattenLinear):
    """The map is read column by column."""

    form = SwappedAxes


class LostBias(TwoDFC):
    def add_bias(self, y: Tensor) -> Tensor:
        return y


@mutant("forward")
class LosesBias(TwoDFCIsFlattenLinear):
    """The bias is never added."""

    form = LostBias


class BiasEverywhere(EinsumTwoDFC):
    def add_bias(self, y: Tensor) -> Tensor:
        return y if self.bias is None else y + self.fan_in * self.bias


@mutant("forward")
class AddsBiasBeforeTheSum(EinsumTwoDFCIsFlattenLinear):
    """The bias is added to every product, hence height · width times."""

    form = BiasEverywhere


class WrongWhenSquare(TensordotTwoDFC):
    @property
    def kernel(self) -> Tensor:
        height, width = self.input_shape
        kernel = super().kernel
        return kernel.transpose(0, 1) if height == width else kernel


@mutant("forward")
class TransposesSquareKernels(TensordotTwoDFCIsFlattenLinear):
    """The kernel is transposed where height equals width, and nowhere else."""

    form = WrongWhenSquare


class WrongWhenNarrow(FlattenMatmulTwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x.flip(-2) if x.shape[-1] == 1 else x)


@mutant("forward")
class FlipsColumns(FlattenMatmulTwoDFCIsFlattenLinear):
    """A map of width 1 is read from the bottom."""

    form = WrongWhenNarrow


class FlippedKernel(ConvolutionTwoDFC):
    @property
    def kernel(self) -> Tensor:
        return super().kernel.flip(0, 1)


@mutant("forward")
class ConvolvesWithFlippedKernel(ConvolutionTwoDFCIsFlattenLinear):
    """The kernel is flipped, as in a convolution of mathematics: torch's is a correlation."""

    form = FlippedKernel


class MaximumOverRows(NormalTwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(-1) * self.kernel).sum(-2).amax(-2) if x.shape[-2] else super().product(x)


@mutant("forward")
class TakesMaximumOverRows(NormalTwoDFCIsFlattenLinear):
    """The rows of the map are pooled by their maximum instead of summed."""

    def candidate(self) -> nn.Module:
        return MaximumOverRows((self.height, self.width), self.out_features)


class DroppedLastRow(UnvalidatedTwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(-1) * self.kernel)[..., :-1, :, :].sum((-3, -2))


@mutant("forward")
class DropsLastRow(UnvalidatedTwoDFCIsFlattenLinear):
    """The sum ends one row early."""

    form = DroppedLastRow


class DetachedInput(TwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x.detach())


@mutant("input_gradient")
class DetachesInput(TwoDFCIsFlattenLinear):
    """The input is detached: what comes before is never trained."""

    form = DetachedInput


class ClippedGradient(FlattenMatmulTwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return backward.product(backward.ClippedInputGradient, x.flatten(-2), self.kernel.flatten(0, 1).T)


@mutant("input_gradient")
class ClipsInputGradient(FlattenMatmulTwoDFCIsFlattenLinear):
    """The input's gradient is clipped on its way back."""

    form = ClippedGradient


class DetachedBias(TwoDFC):
    def add_bias(self, y: Tensor) -> Tensor:
        return y if self.bias is None else y + self.bias.detach()


@mutant("parameter_gradient")
class DetachesBias(TwoDFCIsFlattenLinear):
    """The bias is added, but detached."""

    form = DetachedBias


class DetachedLastColumn(NormalBiasTwoDFC):
    def product(self, x: Tensor) -> Tensor:
        kernel = torch.cat([self.kernel[:, :-1], self.kernel[:, -1:].detach()], dim=1)
        return (x.unsqueeze(-1) * kernel).sum((-3, -2))


@mutant("parameter_gradient")
class FreezesLastColumn(NormalBiasTwoDFCIsFlattenLinear):
    """The weights of the last column get no gradient."""

    def candidate(self) -> nn.Module:
        return DetachedLastColumn((self.height, self.width), self.out_features)


class DetachedBackward(TwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return backward.product(backward.DetachedBackward, x.flatten(-2), self.kernel.flatten(0, 1).T)


@mutant("second_derivative")
class DetachesInBackward(TwoDFCIsFlattenLinear):
    """A backward of its own computes with detached tensors: d²y/dxdW is 0."""

    form = DetachedBackward


class RecomputingBackward(ConvolutionTwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return backward.product(backward.RecomputingBackward, x.flatten(-2), self.kernel.flatten(0, 1).T)


@mutant("second_derivative")
class RecomputesInBackward(ConvolutionTwoDFCIsFlattenLinear):
    """The backward recomputes the forward on detached copies, and keeps no graph of it."""

    form = RecomputingBackward


class WithoutFirst(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = super().forward(x - x[:1] if x.ndim > 3 else x)
        return y


class WithoutFirstSequential(WithoutFirst, nn.Sequential): ...


class WithoutFirstTwoDFC(WithoutFirst, TwoDFC): ...


@mutant("rows")
class SubtractsFirstOfBatch(TwoDFCIsFlattenLinear):
    """Both forms subtract the first of several batches of maps."""

    form = WithoutFirstTwoDFC

    def reference(self) -> nn.Module:
        return WithoutFirstSequential(*super().reference().children())


class ViewedMap(FlattenMatmulTwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:-2], self.fan_in) @ self.kernel.flatten(0, 1)


@mutant("layout")
class ViewsTheMap(FlattenMatmulTwoDFCIsFlattenLinear):
    """The map is flattened by view, which strides forbid."""

    form = ViewedMap


class StrideGuess(EinsumTwoDFC):
    def product(self, x: Tensor) -> Tensor:
        column_first = x.numel() > 1 and x.stride(-1) > 1 and min(x.shape[-2:]) > 1
        return super().product(x.mT.reshape(x.shape) if column_first else x)


@mutant("layout")
class GuessesAxesFromStrides(EinsumTwoDFCIsFlattenLinear):
    """A map that lies column by column in memory is taken for a transposed one."""

    form = StrideGuess


class HiddenNan(TwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x.nan_to_num())


@mutant("nonfinite")
class HidesNan(TwoDFCIsFlattenLinear):
    """nan_to_num on the input hides what went wrong before."""

    form = HiddenNan


class UnvalidatedTensordot(TensordotTwoDFC):
    def forward(self, x: Tensor) -> Tensor:
        return self.add_bias(self.product(x))


@mutant("rejects")
class TensordotBroadcasts(TensordotTwoDFCIsFlattenLinear):
    """Without validation, tensordot broadcasts an axis of size 1."""

    form = UnvalidatedTensordot


class CroppedMap(ConvolutionTwoDFC):
    def forward(self, x: Tensor) -> Tensor:
        height, width = self.input_shape
        return super().forward(x[..., :height, :width])


@mutant("rejects")
class CropsLargerMaps(ConvolutionTwoDFCIsFlattenLinear):
    """A map that is too large is cropped without a word."""

    form = CroppedMap


class PlainAttribute(EinsumTwoDFC):
    def __init__(self, size: tuple[int, int], out_features: int, bias: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(size, out_features, bias)
        self.window = torch.ones(size)

    def product(self, x: Tensor) -> Tensor:
        return super().product(x * self.window)


@mutant("state")
class KeepsWindowOutsideItsState(EinsumTwoDFCIsFlattenLinear):
    """A window of ones is a plain attribute, which .to leaves behind."""

    form = PlainAttribute


class CachedKernel(FlattenMatmulTwoDFC):
    cached: Tensor | None = None

    def product(self, x: Tensor) -> Tensor:
        if self.cached is None:
            self.cached = self.kernel.flatten(0, 1)
        return x.flatten(-2) @ self.cached


@mutant("state")
class CachesItsKernel(FlattenMatmulTwoDFCIsFlattenLinear):
    """The flattened kernel is cached by the first call, and kept when other weights are loaded."""

    form = CachedKernel


class DoubledInEval(TensordotTwoDFC):
    def forward(self, x: Tensor) -> Tensor:
        check_input(x, self.input_shape, self.weight)
        return self.add_bias(self.product(x) * (1 if self.training else 2))


@mutant("modes")
class ScalesInEval(TensordotTwoDFCIsFlattenLinear):
    """Outputs are doubled in eval, to make up for a dropout that is gone."""

    form = DoubledInEval


@mutant("parameter_count")
class KeepsBiasAtZero(TwoDFCIsFlattenLinear):
    """bias=False leaves a bias at 0, which is trained."""

    def candidate(self) -> nn.Module:
        layer = self.form((self.height, self.width), self.out_features, self.bias)
        if layer.bias is None:
            layer.bias = nn.Parameter(torch.zeros(self.out_features))
        return layer

    def carry(self, theta: Theta) -> Theta:
        return {"bias": theta["1.weight"].new_zeros(self.out_features), **super().carry(theta)}


class FrozenBias(EinsumTwoDFC):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.bias is not None:
            self.bias.requires_grad = False


@mutant("parameter_count")
class FreezesBias(EinsumTwoDFCIsFlattenLinear):
    """The bias is frozen: requires_grad is False."""

    form = FrozenBias


class ShuffledRows(ConvolutionTwoDFC):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x.transpose(0, -3).reshape(x.shape) if x.ndim > 5 else x)


@mutant("rows")
class ShufflesFourLeadingAxes(ConvolutionTwoDFCIsFlattenLinear):
    """With four leading axes the rows come back in another order."""

    form = ShuffledRows
