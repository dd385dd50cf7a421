"""Pairs that are two functions, most by very little or at few places: one of the named laws refutes each.

The law `precision` is for what is one function, computed with fewer digits than the reference keeps.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function
from torch.nn import functional

from equivalence.claim import AtLeast, Between, Dim, Equivalence, Index, Real, Theta
from tests.numerics import forms
from tests.numerics.pairs import Functions, OfMatrix, OfRows, OfSequences, OfSystem, OfTwoRows, Size, wrong

Few = Annotated[int, Between(1, 6)]
Several = Annotated[int, Between(2, 7)]
ANY_DERIVATIVE = ("forward", "input_gradient", "parameter_gradient", "second_derivative")


class LinearToThree(Equivalence):
    """Linear with three outputs, for candidates with a slip."""

    n: Size

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.Linear(self.n, 3)


# Off by little everywhere.


class LinearTimes(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (1 + 1e-13)


@wrong(*ANY_DERIVATIVE)
class LinearOff(LinearToThree):
    """Linear is off by 1e-13."""

    def candidate(self) -> nn.Module:
        return LinearTimes(self.n, 3)


class ConvolutionTimes(nn.Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (1 + 1e-13)


@wrong(*ANY_DERIVATIVE)
class ConvolutionOff(Equivalence):
    """Conv1d is off by 1e-13."""

    n: Few

    x = Real("batch n 7")

    def reference(self) -> nn.Module:
        return nn.Conv1d(self.n, 3, 3)

    def candidate(self) -> nn.Module:
        return ConvolutionTimes(self.n, 3, 3)


class EmbeddingTimes(nn.Embedding):
    def forward(self, index: Tensor) -> Tensor:
        return super().forward(index) * (1 + 1e-13)


@wrong("forward", "parameter_gradient")
class EmbeddingOff(Equivalence):
    """An embedding is off by 1e-13."""

    n: Size

    index = Index("*batch", "n")

    def reference(self) -> nn.Module:
        return nn.Embedding(self.n, 3)

    def candidate(self) -> nn.Module:
        return EmbeddingTimes(self.n, 3)


@wrong(*ANY_DERIVATIVE)
class SquaresOff(OfRows):
    """A sum of squares is off by 1e-13."""

    forms = (lambda x: x.square().sum(-1), lambda x: x.square().sum(-1) * (1 + 1e-13))


@wrong(*ANY_DERIVATIVE)
class AttentionOff(OfSequences):
    """Attention is off by 1e-12."""

    time: Few
    n: Few

    forms = (forms.attention, lambda q, k, v: forms.attention(q, k, v) * (1 + 1e-12))


@wrong(*ANY_DERIVATIVE)
class SoftmaxOff(OfRows):
    """softmax is off by 1e-12."""

    forms = (lambda x: x.softmax(-1), lambda x: forms.softmax(x) * (1 + 1e-12))


@wrong(*ANY_DERIVATIVE)
class LogSoftmaxOff(OfRows):
    """log softmax is off by 1e-12."""

    forms = (lambda x: x.log_softmax(-1), lambda x: forms.log_softmax(x) * (1 + 1e-12))


@wrong(*ANY_DERIVATIVE)
class LayerNormOff(OfRows):
    """LayerNorm is off by 1e-12."""

    forms = (forms.layer_norm_by_torch, lambda x: forms.layer_norm(x) * (1 + 1e-12))


@wrong(*ANY_DERIVATIVE)
class RMSNormOff(OfRows):
    """RMSNorm is off by 1e-12."""

    forms = (forms.rms_norm, lambda x: forms.rms_norm(x) * (1 + 1e-12))


@wrong(*ANY_DERIVATIVE)
class DistanceOff(OfTwoRows):
    """A squared distance is off by 1e-12."""

    forms = (lambda x, y: (x - y).square().sum(-1), lambda x, y: (x - y).square().sum(-1) * (1 + 1e-12))


@wrong(*ANY_DERIVATIVE)
class ChaosOff(OfRows):
    """The factor of the logistic map is off by 1e-10, and 40 steps lose seven digits."""

    n: Few

    forms = (forms.logistic_product, lambda x: logistic(x, 3.9 * (1 + 1e-10)))


def logistic(x: Tensor, factor: float) -> Tensor:
    y = 0.1 + 0.8 * x.sigmoid()
    for _ in range(40):
        y = factor * y * (1 - y)
    return y


class CellTimes(nn.GRUCell):
    def forward(self, x: Tensor, hx: Tensor | None = None) -> Tensor:
        return super().forward(x, hx) * (1 + 1e-10)


@wrong(*ANY_DERIVATIVE)
class CellOff(Equivalence):
    """A GRU cell is off by 1e-10."""

    n: Size
    hidden: Size

    x = Real("batch n")
    h = Real("batch hidden")

    def reference(self) -> nn.Module:
        return nn.GRUCell(self.n, self.hidden)

    def candidate(self) -> nn.Module:
        return CellTimes(self.n, self.hidden)


@wrong(*ANY_DERIVATIVE)
class GeluOff(OfRows):
    """gelu is off by 1e-10."""

    forms = (functional.gelu, lambda x: x * forms.normal_part(x) * (1 + 1e-10))


@wrong(*ANY_DERIVATIVE)
class SolveOff(OfSystem):
    """The solution of a system is off by 1e-10."""

    n: Few

    forms = (
        lambda x, b: torch.linalg.solve(forms.well_conditioned(x), b),
        lambda x, b: torch.linalg.solve(forms.well_conditioned(x), b) * (1 + 1e-10),
    )


@wrong(*ANY_DERIVATIVE)
class PowerOff(OfMatrix):
    """A sixth power is off by 1e-10."""

    n: Few

    forms = (
        lambda x: torch.linalg.matrix_power(x.tanh() / x.shape[-1], 6),
        lambda x: torch.linalg.matrix_power(x.tanh() / x.shape[-1], 6) * (1 + 1e-10),
    )


@wrong(*ANY_DERIVATIVE)
class FourierOff(OfRows):
    """A Fourier transform is off by 1e-8."""

    forms = (
        lambda x: torch.view_as_real(torch.fft.fft(x)),
        lambda x: torch.view_as_real(torch.fft.fft(x) * (1 + 1e-8)),
    )


@wrong(*ANY_DERIVATIVE)
class VarianceOff(OfRows):
    """A variance is off by 1e-8."""

    forms = (forms.two_pass_variance, lambda x: forms.welford_variance(x) * (1 + 1e-8))


@wrong(*ANY_DERIVATIVE)
class CosineOff(OfTwoRows):
    """A cosine is off by 1e-8."""

    forms = (
        lambda x, y: functional.cosine_similarity(x, y, dim=-1),
        lambda x, y: functional.cosine_similarity(x, y, dim=-1) * (1 + 1e-8),
    )


class BatchNormTimes(nn.BatchNorm1d):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = super().forward(x)
        return y * (1 + 1e-6)


@wrong(*ANY_DERIVATIVE)
class BatchNormOff(Equivalence):
    """BatchNorm1d in eval is off by 1e-6."""

    n: Size

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return nn.BatchNorm1d(self.n).eval()

    def candidate(self) -> nn.Module:
        return BatchNormTimes(self.n).eval()


@wrong(*ANY_DERIVATIVE)
class CrossEntropyOff(Functions):
    """Cross-entropy is off by 1e-6."""

    classes: Several

    x = Real("batch classes")
    target = Index("batch", "classes")

    forms = (
        lambda x, target: functional.cross_entropy(x, target, reduction="none"),
        lambda x, target: functional.cross_entropy(x, target, reduction="none") * (1 + 1e-6),
    )


# One element, one row, one gradient.


class LastWeightTimes(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        scale = torch.ones_like(self.weight)
        scale[-1, -1] = 1 + 1e-6
        return functional.linear(x, self.weight * scale, self.bias)


@wrong(*ANY_DERIVATIVE)
class OneWeightOff(LinearToThree):
    """One weight of a Linear is off by 1e-6."""

    def candidate(self) -> nn.Module:
        return LastWeightTimes(self.n, 3)


@wrong(*ANY_DERIVATIVE)
class OneEntryOff(OfRows):
    """The first entry of a softmax is off by 1e-9."""

    forms = (
        lambda x: x.softmax(-1),
        lambda x: torch.cat([x.softmax(-1)[..., :1] * (1 + 1e-9), x.softmax(-1)[..., 1:]], -1),
    )


@wrong(*ANY_DERIVATIVE)
class LastRowOff(Functions):
    """The last row of a batch is off by 1e-6."""

    n: Several

    x = Real("batch n")

    forms = (
        forms.layer_norm_by_torch,
        lambda x: torch.cat(
            [forms.layer_norm_by_torch(x[:-1]), forms.layer_norm_by_torch(x[-1:]) * (1 + 1e-6)]
        ),
    )


@wrong(*ANY_DERIVATIVE)
class LastEntryForgotten(OfRows):
    """The last entry of rows longer than four is not added."""

    forms = (lambda x: x.sum(-1), lambda x: (x[..., :-1] if x.shape[-1] > 4 else x).sum(-1))


class OneGradientOfWeight(Function):
    """x Wᵀ whose gradient in one weight is off."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.mT

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        scale = torch.ones_like(weight)
        scale[0, 0] = 1 + 1e-6
        return gradient @ weight, scale * (gradient.mT @ x)


class WithGradientOfWeight(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = OneGradientOfWeight.apply(x, self.weight)  # type: ignore[no-untyped-call]
        return y + self.bias


@wrong("parameter_gradient")
class OneGradientOff(Equivalence):
    """The gradient of one weight is off by 1e-6."""

    n: Size

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return nn.Linear(self.n, 3)

    def candidate(self) -> nn.Module:
        return WithGradientOfWeight(self.n, 3)


@wrong("input_gradient")
class GradientOfNormOff(OfRows):
    """The gradient of a layer norm is off by 1e-8, its value right."""

    forms = (
        forms.layer_norm_by_torch,
        lambda x: (y := forms.layer_norm_by_torch(x)) + 1e-8 * (y - y.detach()),
    )


@wrong("input_gradient")
class GradientOfMeanForgotten(OfRows):
    """The mean is held fixed in backward."""

    forms = (
        forms.layer_norm_by_torch,
        lambda x: (
            (c := x - x.mean(-1, keepdim=True).detach()) / (c.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        ),
    )


class DetachedScale(nn.RMSNorm):
    def forward(self, x: Tensor) -> Tensor:
        assert self.weight is not None
        return forms.rms_norm(x) * self.weight.detach()


@wrong("parameter_gradient")
class GradientOfScaleLost(Equivalence):
    """The scale of an RMSNorm has no gradient."""

    n: Size

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.RMSNorm(self.n, eps=1e-6)

    def candidate(self) -> nn.Module:
        return DetachedScale(self.n)


class FirstRowOfBias(Function):
    """x + b whose gradient in b is that of the first row."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor) -> Tensor:  # noqa: ARG004  (torch's signature)
        return x + bias

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG004  (torch's signature)
        return gradient, gradient[:1].sum(0)


class BiasOfFirstRow(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = FirstRowOfBias.apply(x @ self.weight.mT, self.bias)  # type: ignore[no-untyped-call]
        return y


@wrong("parameter_gradient")
class GradientOfOtherRowsLost(Equivalence):
    """The gradient of a bias is that of the first row alone."""

    n: Size

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return nn.Linear(self.n, 3)

    def candidate(self) -> nn.Module:
        return BiasOfFirstRow(self.n, 3)


class CubeOnce(Function):
    """x³ whose gradient is a constant to those who differentiate it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        held: Tensor = 3 * gradient * x.detach().square()
        return held


@wrong("second_derivative")
class SecondDerivativeLost(OfRows):
    """x³ is right, and its gradient; the second derivative in x is 0."""

    forms = (lambda x: x**3, CubeOnce.apply)


@wrong("second_derivative")
class SecondDerivativeOff(OfRows):
    """The second derivative is off by 1e-6 in the entry's own place."""

    forms = (lambda x: x.sin(), lambda x: x.sin() + 1e-6 * (x - x.detach()).square())


class HeldSigmoid(Function):
    """silu, with the sigmoid saved as a number."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        s = x.sigmoid()
        ctx.save_for_backward(x, s)
        return x * s

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        x, s = ctx.saved_tensors
        s = s.detach()
        given: Tensor = gradient * (s + x * s * (1 - s))
        return given


@wrong("second_derivative")
class SecondDerivativeOfSilu(OfRows):
    """silu by its saved sigmoid: the second derivative takes it as fixed."""

    forms = (functional.silu, HeldSigmoid.apply)


@wrong("second_derivative")
class MixedDerivativeOff(OfTwoRows):
    """The derivative in x and y together is off by a tenth."""

    forms = (
        lambda x, y: x * y.tanh(),
        lambda x, y: x * y.tanh() + 0.1 * (x - x.detach()) * (y - y.detach()),
    )


@wrong("second_derivative")
class SoftplusByLogAddExp(OfRows):
    """logaddexp has no second derivative where its arguments are 1,000 apart: nan."""

    forms = (
        lambda x: functional.softplus(x, threshold=50),
        lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    )


# Other constants.


@wrong(*ANY_DERIVATIVE)
class OtherEps(OfRows):
    """eps is 1.0001e-5 for 1e-5."""

    forms = (forms.layer_norm_by_torch, lambda x: forms.layer_norm(x, 1.0001e-5))


@wrong(*ANY_DERIVATIVE)
class EpsOutsideRoot(OfRows):
    """eps is added to the deviation, not to the variance."""

    forms = (
        lambda x: x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt(),
        lambda x: x / (x.square().mean(-1, keepdim=True).clamp_min(1e-24).sqrt() + 1e-5),
    )


@wrong(*ANY_DERIVATIVE)
class EpsTenTimes(OfRows):
    """RMSNorm with eps 1e-5 for 1e-6."""

    forms = (forms.rms_norm, lambda x: forms.rms_norm(x, 1e-5))


@wrong(*ANY_DERIVATIVE)
class UnbiasedVariance(OfRows):
    """The variance in a layer norm is divided by n - 1."""

    n: Several

    forms = (forms.layer_norm_by_torch, lambda x: forms.layer_norm(x, correction=1))


@wrong(*ANY_DERIVATIVE)
class GeluByTanh(OfRows):
    """gelu by tanh for erf."""

    forms = (functional.gelu, lambda x: functional.gelu(x, approximate="tanh"))


@wrong(*ANY_DERIVATIVE)
class GeluBySigmoid(OfRows):
    """x sigmoid(1.702 x) for gelu."""

    forms = (functional.gelu, lambda x: x * (1.702 * x).sigmoid())


@wrong(*ANY_DERIVATIVE)
class ScaledByWidth(OfSequences):
    """Scores are divided by the width, not by its root."""

    time: Several
    n: Several

    forms = (
        forms.attention,
        lambda q, k, v: forms.softmax(q @ k.mT / q.shape[-1]) @ v,
    )


@wrong(*ANY_DERIVATIVE)
class SteeperLeak(OfRows):
    """The slope of leaky_relu is 0.011 for 0.01."""

    forms = (functional.leaky_relu, lambda x: functional.leaky_relu(x, 0.011))


@wrong(*ANY_DERIVATIVE)
class ScaleOfSeluCut(OfRows):
    """selu's scale is cut to five digits."""

    forms = (functional.selu, lambda x: 1.0507 * functional.elu(x, 1.6732632423543772))


@wrong(*ANY_DERIVATIVE)
class LogarithmOfTenCut(OfRows):
    """log10 by a logarithm of ten with seven digits."""

    forms = (lambda x: (1 + x.square()).log10(), lambda x: (1 + x.square()).log() / 2.302585)


@wrong(*ANY_DERIVATIVE)
class PiCut(OfRows):
    """An angle of pi y by ten digits of pi, y = tanh(x)."""

    forms = (lambda x: (math.pi * x.tanh()).sin(), lambda x: (3.141592653 * x.tanh()).sin())


@wrong(*ANY_DERIVATIVE)
class OtherDecay(Functions):
    """A moving average over 200 steps keeps 0.95001 for 0.95."""

    x = Real("*batch 200")

    forms = (forms.moving_average, lambda x: forms.moving_average_by_weights(x, 0.95001))


@wrong(*ANY_DERIVATIVE)
class Jitter(OfSystem):
    """1e-10 is added to the diagonal before solving."""

    n: Few

    forms = (
        lambda x, b: torch.linalg.solve(forms.positive_definite(x, 1.0), b),
        lambda x, b: torch.linalg.solve(forms.positive_definite(x, 1.0 + 1e-10), b),
    )


# Masks, orders and ends.


@wrong(*ANY_DERIVATIVE)
class SeesOneAhead(OfMatrix):
    """A causal mask leaves one later entry open."""

    n: Several

    forms = (
        lambda s: s.masked_fill(~forms.open_below(s), -math.inf).softmax(-1),
        lambda s: s.masked_fill(torch.ones_like(s, dtype=torch.bool).triu(2), -math.inf).softmax(-1),
    )


def windowed(s: Tensor, width: int) -> Tensor:
    seen = forms.open_below(s).triu(1 - width)
    return s.masked_fill(~seen, -math.inf).softmax(-1)


@wrong(*ANY_DERIVATIVE)
class WindowOneTooWide(OfMatrix):
    """A window of two entries sees three."""

    n: Annotated[int, Between(3, 7)]

    forms = (lambda s: windowed(s, 2), lambda s: windowed(s, 3))


@wrong(*ANY_DERIVATIVE)
class MaskOfThirty(OfMatrix):
    """What is masked has the score -30 in place of -inf: 1e-13 of it is seen."""

    n: Several

    forms = (
        lambda s: s.masked_fill(~forms.open_below(s), -math.inf).softmax(-1),
        lambda s: s.masked_fill(~forms.open_below(s), -30.0).softmax(-1),
    )


@wrong(*ANY_DERIVATIVE)
class MaskAfterSoftmax(OfMatrix):
    """The mask is applied to the weights, which then do not sum to one."""

    n: Several

    forms = (
        lambda s: s.masked_fill(~forms.open_below(s), -math.inf).softmax(-1),
        lambda s: s.softmax(-1).tril(),
    )


@wrong(*ANY_DERIVATIVE)
class SoftmaxOverQueries(OfSequences):
    """The softmax is taken over queries, not over keys."""

    time: Several
    n: Few

    forms = (
        forms.attention,
        lambda q, k, v: forms.softmax((q @ k.mT / math.sqrt(q.shape[-1])).mT).mT @ v,
    )


def total_not_rescaled(x: Tensor) -> Tensor:
    largest = x[..., :1].detach()
    total = torch.zeros_like(largest)
    for entry in x.split(1, dim=-1):
        largest = torch.maximum(largest, entry).detach()
        total = total + (entry - largest).exp()
    return (x - largest).exp() / total


@wrong(*ANY_DERIVATIVE)
class TotalNotRescaled(OfRows):
    """A streamed softmax keeps the old sum as it is when a larger entry comes."""

    n: Several

    forms = (lambda x: x.softmax(-1), total_not_rescaled)


@wrong(*ANY_DERIVATIVE)
class CorrelationForConvolution(OfTwoRows):
    """A circular correlation for a circular convolution."""

    forms = (
        lambda x, y: (forms.circulant(x) @ y.unsqueeze(-1)).squeeze(-1),
        lambda x, y: (forms.circulant(x).mT @ y.unsqueeze(-1)).squeeze(-1),
    )


@wrong(*ANY_DERIVATIVE)
class TransposedSystem(OfSystem):
    """The transposed system is solved."""

    n: Several

    forms = (
        lambda x, b: torch.linalg.solve(forms.well_conditioned(x), b),
        lambda x, b: torch.linalg.solve(forms.well_conditioned(x).mT, b),
    )


@wrong(*ANY_DERIVATIVE)
class LastDoublingMissing(Functions):
    """A scan over 200 steps ends with 64 taken together."""

    x = Real("*batch 200")

    forms = (lambda x: x.cumsum(-1), lambda x: doubled(x, 6))


def doubled(x: Tensor, times: int) -> Tensor:
    for power in range(times):
        x = x + functional.pad(x[..., : -(2**power)], (2**power, 0))
    return x


class ResetsEarly(nn.GRUCell):
    def forward(self, x: Tensor, hx: Tensor | None = None) -> Tensor:
        assert hx is not None
        r, z, n = (x @ self.weight_ih.mT + self.bias_ih).chunk(3, -1)
        weights, biases = self.weight_hh.chunk(3), self.bias_hh.chunk(3)
        reset, update = (
            (own + hx @ weight.mT + bias).sigmoid()
            for own, weight, bias in zip((r, z), weights[:2], biases[:2], strict=True)
        )
        new = (n + (reset * hx) @ weights[2].mT + biases[2]).tanh()
        return new + update * (hx - new)


@wrong(*ANY_DERIVATIVE)
class ResetBeforeProduct(Equivalence):
    """A GRU cell resets the state before its product, not after it."""

    n: Size
    hidden: Size

    x = Real("batch n")
    h = Real("batch hidden")

    def reference(self) -> nn.Module:
        return nn.GRUCell(self.n, self.hidden)

    def candidate(self) -> nn.Module:
        return ResetsEarly(self.n, self.hidden)


# What large numbers show.


@wrong("forward", "input_gradient")
class SoftmaxWithoutMaximum(OfRows):
    """exp(x) / sum exp(x): nan from 710 on, and from 89 on in float32."""

    forms = (lambda x: x.softmax(-1), lambda x: x.exp() / x.exp().sum(-1, keepdim=True))


@wrong("forward", "input_gradient")
class SoftplusOverflows(OfRows):
    """log(1 + exp(x)) for softplus: inf from 710 on, and from 89 on in float32."""

    n: Dim

    forms = (lambda x: functional.softplus(x, threshold=50), lambda x: (1 + x.exp()).log())


@wrong("forward", "input_gradient")
class LogSumExpOverflows(OfRows):
    """log sum exp(x) without its maximum."""

    forms = (lambda x: x.logsumexp(-1), lambda x: x.exp().sum(-1).log())


@wrong("forward", "input_gradient")
class LogarithmOfSoftmax(OfRows):
    """log(softmax(x)): -inf where a weight is below what a number holds."""

    n: Several

    forms = (lambda x: x.log_softmax(-1), lambda x: x.softmax(-1).log())


@wrong("forward", "input_gradient")
class TanhByExponentials(OfRows):
    """tanh as a quotient of exponentials: inf / inf."""

    forms = (torch.tanh, lambda x: (x.exp() - (-x).exp()) / (x.exp() + (-x).exp()))


@wrong("input_gradient")
class SigmoidByExponential(OfRows):
    """1 / (1 + exp(-x)): its value is right, its gradient nan below -710."""

    forms = (torch.sigmoid, lambda x: 1 / (1 + (-x).exp()))


@wrong("input_gradient")
class SiluByExponential(OfRows):
    """x / (1 + exp(-x)): its value is right, its gradient nan below -710."""

    forms = (functional.silu, lambda x: x / (1 + (-x).exp()))


@wrong("input_gradient")
class EluByChoice(OfRows):
    """elu chooses between x and exp(x) - 1: the branch not taken gives the gradient nan above 710."""

    forms = (functional.elu, lambda x: torch.where(x > 0, x, x.expm1()))


@wrong("forward", "input_gradient")
class EntropyOfZero(OfRows):
    """-sum p log p: 0 times -inf where a weight is 0."""

    n: Several

    forms = (
        lambda x: -(x.softmax(-1) * x.log_softmax(-1)).sum(-1),
        lambda x: -(x.softmax(-1) * x.softmax(-1).log()).sum(-1),
    )


@wrong("forward", "input_gradient")
class BinaryCrossEntropyOfOne(OfRows):
    """-log(1 - sigmoid(x)): inf from 37 on."""

    forms = (
        lambda x: functional.binary_cross_entropy_with_logits(x, torch.zeros_like(x), reduction="none"),
        lambda x: -(1 - x.sigmoid()).log(),
    )


@wrong("forward", "input_gradient")
class CutAtSix(OfRows):
    """relu6 for relu: only what lies above 6 tells."""

    n: Dim

    forms = (torch.relu, functional.relu6)


@wrong("forward", "input_gradient")
class CutAtFifty(OfRows):
    """Scores are cut to within 50: only large ones tell."""

    n: Several

    forms = (lambda x: x.softmax(-1), lambda x: x.clamp(-50, 50).softmax(-1))


@wrong("forward", "input_gradient")
class FirstHundredOfSquare(OfRows):
    """x² goes on as 200 |x| - 10,000 above 100."""

    forms = (torch.square, lambda x: torch.where(x.abs() <= 100, x.square(), 200 * x.abs() - 1e4))


# Rows of zeros.


@wrong("forward", "input_gradient")
class UnitOfZeros(OfRows):
    """x / |x| for F.normalize: a row of zeros becomes nan."""

    forms = (lambda x: functional.normalize(x, dim=-1), lambda x: x / x.norm(dim=-1, keepdim=True))


@wrong("forward", "input_gradient")
class EpsAdded(OfRows):
    """x / (|x| + eps) for x / max(|x|, eps)."""

    forms = (
        lambda x: functional.normalize(x, dim=-1, eps=1e-8),
        lambda x: x / (x.norm(dim=-1, keepdim=True) + 1e-8),
    )


@wrong("forward", "input_gradient")
class CosineOfZeros(OfTwoRows):
    """A cosine without eps: nan for a row of zeros."""

    forms = (
        lambda x, y: functional.cosine_similarity(x, y, dim=-1),
        lambda x, y: (x * y).sum(-1) / (x.norm(dim=-1) * y.norm(dim=-1)),
    )


@wrong("input_gradient")
class LengthByRoot(OfRows):
    """The root of a sum of squares: its gradient is nan for a row of zeros, where that of norm is 0."""

    forms = (lambda x: x.norm(dim=-1), lambda x: x.square().sum(-1).sqrt())


# Gradients at 0, at bounds and at ties.


@wrong("input_gradient")
class ReluOpenAtZero(OfRows):
    """relu with the gradient 1 at 0."""

    n: Dim

    forms = (torch.relu, lambda x: x * (x >= 0).detach())


@wrong("input_gradient")
class ReluByClamp(OfRows):
    """clamp(min=0) for relu: torch gives it the gradient 1 at 0."""

    forms = (torch.relu, lambda x: x.clamp(min=0))


@wrong("input_gradient")
class ReluByMaximum(OfRows):
    """maximum(x, 0) for relu: the gradient at 0 is shared."""

    forms = (torch.relu, lambda x: torch.maximum(x, torch.zeros_like(x)))


@wrong("input_gradient")
class AbsoluteByChoice(OfRows):
    """abs with the gradient 1 at 0."""

    forms = (torch.abs, lambda x: torch.where(x >= 0, x, -x))


@wrong("input_gradient")
class AbsoluteByRoot(OfRows):
    """sqrt(x²) for abs: nan at 0."""

    forms = (torch.abs, lambda x: x.square().sqrt())


@wrong("input_gradient")
class ClampByHardtanh(OfRows):
    """hardtanh for clamp: its gradient at the bounds, 0 and 1, is 0."""

    forms = (lambda x: x.clamp(0, 1), lambda x: functional.hardtanh(x, 0.0, 1.0))


@wrong("input_gradient")
class MaximumOfOne(OfRows):
    """max for amax: of equal entries one takes the whole gradient."""

    n: Several

    forms = (lambda x: x.amax(-1), lambda x: x.max(-1).values)


@wrong("input_gradient")
class PoolOfLast(Functions):
    """The last of equal entries in a window takes the gradient, not the first."""

    n: Size

    x = Real("batch n 6")

    forms = (
        lambda x: functional.max_pool1d(x, 2),
        lambda x: x.unfold(-1, 2, 2).flip(-1).max(-1).values,
    )


# In float32 alone.


class OtherInSingle(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return 1.01 * y if x.dtype == torch.float32 else y


@wrong("forward")
class LinearInSingle(Equivalence):
    """A Linear that is off by a hundredth in float32 alone."""

    n: Dim

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.Linear(self.n, 2)

    def candidate(self) -> nn.Module:
        return OtherInSingle(self.n, 2)


@wrong("forward")
class SumInSingle(OfRows):
    """A sum whose first entry counts 1.001 times in float32 alone."""

    forms = (
        lambda x: x.sum(-1),
        lambda x: x.sum(-1) + (0.001 * x[..., 0] if x.dtype == torch.float32 else 0),
    )


# Fewer digits inside.


@wrong("precision")
class LayerNormInSingle(OfRows):
    """LayerNorm computes in float32, where its reference computes in what it is given."""

    n: Several

    forms = (forms.layer_norm_by_torch, lambda x: forms.layer_norm_by_torch(x.float()).to(x.dtype))


@wrong("precision")
class SoftmaxInSingle(OfRows):
    """softmax computes in float32."""

    n: Several

    forms = (lambda x: x.softmax(-1), lambda x: x.softmax(-1, dtype=torch.float32).to(x.dtype))


class SingleLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        bias = self.bias.float()
        return functional.linear(x.float(), self.weight.float(), bias).to(x.dtype)


@wrong("precision")
class ProductInSingle(LinearToThree):
    """A Linear multiplies in float32."""

    def candidate(self) -> nn.Module:
        return SingleLinear(self.n, 3)


@wrong("precision")
class ScoresInHalf(OfSequences):
    """Attention rounds its scores to bfloat16."""

    time: Several
    n: Few

    forms = (
        forms.attention,
        lambda q, k, v: forms.softmax((q @ k.mT / math.sqrt(q.shape[-1])).bfloat16().to(q.dtype)) @ v,
    )


@wrong("precision")
class VarianceFarFromZero(OfRows):
    """E x² - (E x)² of x + 100,000: ten digits are lost."""

    n: Several

    forms = (
        lambda x: forms.two_pass_variance(x + 1e5),
        lambda x: forms.one_pass_variance(x + 1e5),
    )


# Buffers and random numbers.


class LinearAndNorm(Equivalence):
    """Linear and BatchNorm1d in eval, for candidates that fold them into one Linear with a slip."""

    n: Size

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.n, 3), nn.BatchNorm1d(3)).eval()

    def candidate(self) -> nn.Module:
        return nn.Linear(self.n, 3).eval()


@wrong("forward")
class StatisticsForgotten(LinearAndNorm):
    """A fold as if nothing had been trained: mean 0, variance 1."""

    def carry(self, theta: Theta) -> Theta:
        scale = theta["1.weight"] * (1 + 1e-5) ** -0.5
        return {
            "weight": scale.unsqueeze(1) * theta["0.weight"],
            "bias": theta["1.bias"] + scale * theta["0.bias"],
        }


@wrong("forward")
class MeanForgotten(LinearAndNorm):
    """A fold that uses the running variance, and forgets the running mean."""

    def carry(self, theta: Theta) -> Theta:
        scale = theta["1.weight"] / (theta["1.running_var"] + 1e-5).sqrt()
        return {
            "weight": scale.unsqueeze(1) * theta["0.weight"],
            "bias": theta["1.bias"] + scale * theta["0.bias"],
        }


@wrong("forward")
class VarianceForDeviation(LinearAndNorm):
    """A fold that divides by the running variance, not by its root."""

    def carry(self, theta: Theta) -> Theta:
        scale = theta["1.weight"] / (theta["1.running_var"] + 1e-5)
        bias = (theta["0.bias"] - theta["1.running_mean"]) * scale + theta["1.bias"]
        return {"weight": scale.unsqueeze(1) * theta["0.weight"], "bias": bias}


class SkipsLayer(nn.Module):
    """Gives zeros in place of its input, now and then in train."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        skipped = self.training and bool(torch.rand(()) < self.rate)
        return 0 * x if skipped else x


@wrong("forward")
class SkipsMoreOften(Equivalence):
    """A layer is skipped at a rate of 0.45 for 0.1."""

    n: Dim

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return SkipsLayer(0.1)

    def candidate(self) -> nn.Module:
        return SkipsLayer(0.45)


@wrong("forward")
class DropsMore(Equivalence):
    """Dropout at 0.5 for 0.25."""

    n: Size

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return nn.Dropout(0.25)

    def candidate(self) -> nn.Module:
        return nn.Dropout(0.5)


class DropsWithoutScale(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.empty_like(x).bernoulli_(0.75) if self.training else x


@wrong("forward")
class DropsUnscaled(Equivalence):
    """Dropout does not divide by what is kept."""

    n: Size

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return nn.Dropout(0.25)

    def candidate(self) -> nn.Module:
        return DropsWithoutScale()


class DropsAlways(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout(x, 0.25, training=True)


@wrong("modes")
class DropsInEval(Equivalence):
    """Dropout goes on in eval."""

    n: Annotated[int, AtLeast(1)]

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return nn.Dropout(0.25)

    def candidate(self) -> nn.Module:
        return DropsAlways()
