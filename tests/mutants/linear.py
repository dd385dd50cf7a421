"""Mutants of Linear on an input of any number of axes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claim import Theta
from equivalence.claims.linear import (
    EinsumLinearIsLinear,
    FlattenLinearIsLinear,
    KroneckerIsLinear,
    LinearIsRowwise,
    PointwiseConvolutionIsLinear,
)
from equivalence.distribution import Distribution
from equivalence.layers.affine import QuietLinear
from equivalence.layers.kronecker import KroneckerLinear
from equivalence.layers.linear import EinsumLinear, FlattenLinear, LinearForm, PointwiseConvolutionLinear
from tests.mutants import backward
from tests.mutants.planted import mutant


class ShortSum(QuietLinear):
    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x[..., 1:], self.weight[:, 1:], self.bias)


@mutant("forward")
class SkipsFirstFeature(LinearIsRowwise):
    """The sum starts at 1 instead of 0."""

    def candidate(self) -> nn.Module:
        return ShortSum(self.in_features, self.out_features, self.bias)


class ShuffledRows(FlattenLinear):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x.transpose(0, -2).reshape(x.shape) if x.ndim == 3 else x)


@mutant("forward")
class ShufflesTwoLeadingAxes(FlattenLinearIsLinear):
    """With two leading axes, and with no other number, the rows come back in another order."""

    form = ShuffledRows


class WrongWhenSquare(EinsumLinear):
    def product(self, x: Tensor) -> Tensor:
        rows, columns = self.weight.shape
        return torch.einsum("...i,io->...o", x, self.weight) if rows == columns else super().product(x)


@mutant("forward")
class TransposesSquareWeights(EinsumLinearIsLinear):
    """The weight is read as (in, out) where it is square."""

    form = WrongWhenSquare


class TwoBiases(PointwiseConvolutionLinear):
    def product(self, x: Tensor) -> Tensor:
        return self.add_bias(super().product(x))


@mutant("forward")
class AddsBiasTwice(PointwiseConvolutionIsLinear):
    """The bias is added by the convolution and once more after it."""

    form = TwoBiases


@mutant("forward")
class InterleavesRows(KroneckerIsLinear):
    """The dense weight is W ⊗ I_rows instead of I_rows ⊗ W."""

    def carry(self, theta: Theta) -> Theta:
        identity = torch.eye(self.rows, dtype=theta["weight"].dtype)
        return {**super().carry(theta), "dense.weight": torch.kron(theta["weight"], identity)}


class AveragedInputGradient(FlattenLinear):
    def product(self, x: Tensor) -> Tensor:
        return backward.product(backward.MeanInputGradient, x, self.weight)


@mutant("input_gradient")
class AveragesInputGradient(FlattenLinearIsLinear):
    """A backward of its own averages the input's gradient over the outputs."""

    form = AveragedInputGradient


class TransposedInputGradient(EinsumLinear):
    def product(self, x: Tensor) -> Tensor:
        return backward.product(backward.SquareTransposedInputGradient, x, self.weight)


@mutant("input_gradient")
class TransposesSquareBackward(EinsumLinearIsLinear):
    """A backward of its own forgets to transpose, which shows where the weight is square."""

    form = TransposedInputGradient


class DetachedLastRow(KroneckerLinear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.cat([x[..., :-1, :], x[..., -1:, :].detach()], dim=-2))


@mutant("input_gradient")
class DetachesLastRow(KroneckerIsLinear):
    """The last row gets no gradient."""

    def candidate(self) -> nn.Module:
        return DetachedLastRow(self.rows, self.in_features, self.out_features, self.bias)


class AveragedWeightGradient(EinsumLinear):
    def product(self, x: Tensor) -> Tensor:
        return backward.product(backward.MeanWeightGradient, x, self.weight)


@mutant("parameter_gradient")
class AveragesWeightGradient(EinsumLinearIsLinear):
    """A backward of its own averages the weight's gradient over the rows."""

    form = AveragedWeightGradient


class ShortWeightGradient(PointwiseConvolutionLinear):
    def product(self, x: Tensor) -> Tensor:
        return backward.product(backward.LastRowMissingWeightGradient, x, self.weight)


@mutant("parameter_gradient")
class ForgetsLastRowInWeightGradient(PointwiseConvolutionIsLinear):
    """A backward of its own leaves the last row out of the weight's gradient."""

    form = ShortWeightGradient


class OnceDifferentiable(FlattenLinear):
    def product(self, x: Tensor) -> Tensor:
        return backward.product(backward.OnceDifferentiable, x, self.weight)


@mutant("second_derivative")
class DifferentiatesOnce(FlattenLinearIsLinear):
    """A backward of its own is marked once_differentiable."""

    form = OnceDifferentiable


class HalfDetached(QuietLinear):
    def forward(self, x: Tensor) -> Tensor:
        y = backward.product(backward.DetachedWeightInBackward, x, self.weight)
        return y if self.bias is None else y + self.bias


@mutant("second_derivative")
class DetachesWeightInBackward(LinearIsRowwise):
    """A backward of its own detaches the weight: d/dW of dy/dx is 0."""

    def candidate(self) -> nn.Module:
        return HalfDetached(self.in_features, self.out_features, self.bias)


class Centred(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = super().forward(x - x.mean(0) if x.ndim > 1 and len(x) > 1 else x)
        return y


class CentredLinear(Centred, nn.Linear): ...


class CentredFlattenLinear(Centred, FlattenLinear): ...


@mutant("rows")
class CentresOverTheBatch(FlattenLinearIsLinear):
    """Both forms subtract the mean over the batch, which a batch of one does not show."""

    def reference(self) -> nn.Module:
        return CentredLinear(self.in_features, self.out_features, self.bias)

    def candidate(self) -> nn.Module:
        return CentredFlattenLinear(self.in_features, self.out_features, self.bias)


class SqueezedAxes(EinsumLinear):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x.squeeze(0) if x.ndim > 4 else x)


@mutant("rows")
class SqueezesFourLeadingAxes(EinsumLinearIsLinear):
    """With four leading axes a first axis of size 1 is squeezed away."""

    form = SqueezedAxes


class InPlaceNegation(FlattenLinear):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x) if x.requires_grad else -super().product(x.neg_())


@mutant("layout")
class NegatesInputInPlace(FlattenLinearIsLinear):
    """An input that needs no gradient is worked on in place."""

    form = InPlaceNegation


class Strided(PointwiseConvolutionLinear):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x.as_strided(x.shape, x.new_empty(x.shape).stride()))


@mutant("layout")
class AssumesStrides(PointwiseConvolutionIsLinear):
    """The input's strides are taken for those of a contiguous tensor."""

    form = Strided


class NanSum(EinsumLinear):
    def product(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(-2) * self.weight).nansum(-1)


@mutant("nonfinite")
class SumsWithoutNan(EinsumLinearIsLinear):
    """nansum leaves every nan out of the sum."""

    form = NanSum


class Clamped(PointwiseConvolutionLinear):
    def product(self, x: Tensor) -> Tensor:
        limits = torch.finfo(self.weight.dtype)
        return super().product(x.clamp(limits.min / 2**20, limits.max / 2**20))


@mutant("nonfinite")
class ClampsInfinity(PointwiseConvolutionIsLinear):
    """An infinite input is clamped to a large one."""

    form = Clamped


class Cast(FlattenLinear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.to(self.weight.dtype))


@mutant("rejects")
class CastsInput(FlattenLinearIsLinear):
    """An input of another dtype is cast without a word."""

    form = Cast


class BroadcastingSum(EinsumLinear):
    def forward(self, x: Tensor) -> Tensor:
        return self.add_bias(self.product(x))


@mutant("rejects")
class EinsumBroadcasts(EinsumLinearIsLinear):
    """Without validation, einsum broadcasts an axis of size 1."""

    form = BroadcastingSum


class ForgetfulState(FlattenLinear):
    def state_dict(self, *args: object, **options: object) -> dict[str, object]:  # type: ignore[override]
        state = super().state_dict(*args, **options)  # type: ignore[call-overload]
        return {name: value for name, value in state.items() if not name.endswith("bias")}


@mutant("state")
class SavesNoBias(FlattenLinearIsLinear):
    """state_dict leaves the bias out."""

    form = ForgetfulState


class BufferedBias(LinearForm):
    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(in_features, out_features, bias)
        if self.bias is not None:
            values = self.bias.detach().clone()
            del self.bias
            self.register_buffer("bias", values)

    def product(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight)


@mutant("parameter_count")
class RegistersBiasAsBuffer(EinsumLinearIsLinear):
    """The bias is a buffer, which no optimiser sees."""

    form = BufferedBias

    def initial(self) -> dict[str, Distribution]:
        return {"weight": super().initial()["weight"]}

    def carry(self, theta: Theta) -> Theta:
        # By its name: a default carry leaves a buffer as it is constructed.
        return dict(theta)


class Gained(FlattenLinear):
    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(in_features, out_features, bias)
        self.gain = nn.Parameter(torch.ones(out_features, 1))

    def product(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.gain * self.weight)


@mutant("parameter_count")
class AddsGain(FlattenLinearIsLinear):
    """Every output has a gain of 1 to train, as in weight normalisation."""

    form = Gained

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "gain": theta["weight"].new_ones(self.out_features, 1)}
