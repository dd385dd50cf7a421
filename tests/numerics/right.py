"""Pairs with hard numerics that are one function: every law of the function must hold, in every case."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from equivalence.claim import AtLeast, Between, Dim, Equivalence, Index, Real, Theta
from tests.numerics import forms
from tests.numerics.pairs import (
    Functions,
    OfMatrix,
    OfRows,
    OfSequences,
    OfSystem,
    OfTwoRows,
    Size,
    right,
)

Width = Annotated[int, Between(1, 4)]
"""For what takes many steps."""
Few = Annotated[int, Between(1, 6)]


# Softmax and its relatives.


@right
class SoftmaxOfHundreds(OfRows):
    """softmax(100 x) equals its definition."""

    forms = (lambda x: (100 * x).softmax(-1), lambda x: forms.softmax(100 * x))


@right
class SoftmaxOfTenThousands(OfRows):
    """softmax(10,000 x) equals its definition: nearly always it is 0 and 1."""

    forms = (lambda x: (1e4 * x).softmax(-1), lambda x: forms.softmax(1e4 * x))


@right
class SoftmaxFromLogarithm(OfRows):
    """softmax is exp of log softmax."""

    forms = (lambda x: x.softmax(-1), lambda x: x.log_softmax(-1).exp())


@right
class SoftmaxOfThousandths(OfRows):
    """softmax(x / 1,000) equals its definition."""

    forms = (lambda x: (x / 1000).softmax(-1), lambda x: forms.softmax(x / 1000))


@right
class SoftmaxOfShifted(OfRows):
    """softmax(x + 1,000) = softmax(x), with three digits fewer."""

    forms = (lambda x: x.softmax(-1), lambda x: (x + 1000).softmax(-1))


@right
class LogSoftmaxByDefinition(OfRows):
    """log softmax(30 x) equals 30 x less the logarithm of the sum."""

    forms = (lambda x: (30 * x).log_softmax(-1), lambda x: forms.log_softmax(30 * x))


@right
class LogSumExpByDefinition(OfRows):
    """logsumexp(30 x) equals its definition with the largest entry taken out."""

    forms = (lambda x: (30 * x).logsumexp(-1), lambda x: forms.logsumexp(30 * x))


def logsumexp_of_entries(x: Tensor) -> Tensor:
    total = x[..., 0]
    for entry in x.unbind(-1)[1:]:
        total = torch.stack([total, entry], -1).logsumexp(-1)
    return total


@right
class LogSumExpEntryByEntry(OfRows):
    """logsumexp of all entries is that of the first ones and the next."""

    forms = (lambda x: x.logsumexp(-1), logsumexp_of_entries)


@right
class StreamedSoftmax(OfRows):
    """softmax(10 x) by a running maximum and a running sum, three entries at once."""

    forms = (lambda x: (10 * x).softmax(-1), lambda x: forms.streamed_softmax(10 * x))


@right
class SoftminIsSoftmaxOfNegative(OfRows):
    """softmin(x) = softmax(-x)."""

    forms = (lambda x: functional.softmin(x, dim=-1), lambda x: forms.softmax(-x))


@right
class SoftmaxOfTwoIsSigmoid(OfRows):
    """softmax of (x, 0) is (sigmoid(x), sigmoid(-x))."""

    forms = (
        lambda x: torch.stack([x, torch.zeros_like(x)], -1).softmax(-1),
        lambda x: torch.stack([x.sigmoid(), (-x).sigmoid()], -1),
    )


@right
class Entropy(OfRows):
    """-sum p log p = logsumexp(x) - sum p x, where p = softmax(x)."""

    forms = (
        lambda x: -(x.softmax(-1) * x.log_softmax(-1)).sum(-1),
        lambda x: x.logsumexp(-1) - (x.softmax(-1) * x).sum(-1),
    )


@right
class Divergence(OfTwoRows):
    """KL(softmax(y) | softmax(x)) equals the sum of p (log p - log q)."""

    forms = (
        lambda x, y: functional.kl_div(
            x.log_softmax(-1), y.log_softmax(-1), reduction="none", log_target=True
        ).sum(-1),
        lambda x, y: (forms.softmax(y) * (forms.log_softmax(y) - forms.log_softmax(x))).sum(-1),
    )


@right
class BinaryCrossEntropy(OfRows):
    """Binary cross-entropy from logits, of the target 1/4, equals softplus(x) - x/4."""

    forms = (
        lambda x: functional.binary_cross_entropy_with_logits(x, torch.full_like(x, 0.25), reduction="none"),
        lambda x: forms.softplus(x) - x / 4,
    )


@right
class LogSigmoidIsSoftplus(OfRows):
    """log sigmoid(x) = -softplus(-x)."""

    forms = (functional.logsigmoid, lambda x: -forms.softplus(-x))


@right
class CrossEntropyByParts(Functions):
    """Cross-entropy is logsumexp of the row less the entry of the class."""

    classes: Size

    x = Real("batch classes")
    target = Index("batch", "classes")

    forms = (
        lambda x, target: functional.cross_entropy(x, target, reduction="none"),
        lambda x, target: forms.logsumexp(x) - x.gather(-1, target[:, None])[:, 0],
    )


# Norms.


class NormOfRows(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        return forms.layer_norm(x, self.eps) * self.weight + self.bias


@right
class LayerNormByDefinition(Equivalence):
    """LayerNorm centres, divides by the root of the variance and eps, scales and shifts."""

    n: Size

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.LayerNorm(self.n)

    def candidate(self) -> nn.Module:
        return NormOfRows(self.n)


@right
class LayerNormOfConstantRows(OfRows):
    """LayerNorm of rows of equal entries is nearly 0 by any formula: nothing but eps is divided by."""

    forms = (
        lambda x: forms.layer_norm_by_torch(x[..., :1].expand_as(x)),
        lambda x: forms.layer_norm(x[..., :1].expand_as(x)),
    )


@right
class LayerNormOfNearlyEqual(OfRows):
    """LayerNorm of 1 + x / 10,000: the variance is of the size of eps."""

    forms = (
        lambda x: forms.layer_norm_by_torch(1 + 1e-4 * x),
        lambda x: forms.layer_norm(1 + 1e-4 * x),
    )


@right
class LayerNormInOnePass(OfRows):
    """LayerNorm of tanh(x) with the variance as E x² - (E x)²."""

    forms = (
        lambda x: forms.layer_norm_by_torch(x.tanh()),
        lambda x: (
            (x.tanh() - x.tanh().mean(-1, keepdim=True))
            / (forms.one_pass_variance(x.tanh()) + 1e-5).sqrt().unsqueeze(-1)
        ),
    )


class RootMeanSquare(nn.RMSNorm):
    def forward(self, x: Tensor) -> Tensor:
        assert self.eps is not None
        assert self.weight is not None
        return forms.rms_norm(x, self.eps) * self.weight


@right
class RMSNormByDefinition(Equivalence):
    """RMSNorm divides by the root of the mean square and eps."""

    n: Size

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.RMSNorm(self.n, eps=1e-6)

    def candidate(self) -> nn.Module:
        return RootMeanSquare(self.n, eps=1e-6)


@right
class SingleRMSNorm(OfRows):
    """RMSNorm in float32 inside, whatever comes in: a factor 1/sqrt beside a quotient."""

    forms = (
        lambda x: forms.rms_norm(x.float()).to(x.dtype),
        lambda x: (x.float() / (x.float().square().mean(-1, keepdim=True) + 1e-6).sqrt()).to(x.dtype),
    )


@right
class SingleLayerNorm(OfRows):
    """LayerNorm in float32 inside, by torch and by its definition."""

    forms = (
        lambda x: forms.layer_norm_by_torch(x.float()).to(x.dtype),
        lambda x: forms.layer_norm(x.float()).to(x.dtype),
    )


@right
class SingleSoftmax(OfRows):
    """softmax in float32 inside, by torch and by its definition."""

    forms = (
        lambda x: x.float().softmax(-1).to(x.dtype),
        lambda x: forms.softmax(x.float()).to(x.dtype),
    )


class NormOfGroups(nn.GroupNorm):
    def forward(self, x: Tensor) -> Tensor:
        return forms.layer_norm(x.unflatten(1, (self.num_groups, 2)).flatten(2), self.eps).view_as(x)


@right
class GroupNormByDefinition(Equivalence):
    """GroupNorm is layer norm of each group's entries."""

    groups: Few

    @property
    def channels(self) -> int:
        return 2 * self.groups

    x = Real("batch channels 3")

    def reference(self) -> nn.Module:
        return nn.GroupNorm(self.groups, self.channels, affine=False)

    def candidate(self) -> nn.Module:
        return NormOfGroups(self.groups, self.channels, affine=False)


@right
class InstanceNormByDefinition(Functions):
    """instance_norm is layer_norm of each channel's entries."""

    n: Size

    x = Real("batch n 3")

    forms = (functional.instance_norm, forms.layer_norm)


@right
class BatchNormOfBatch(Functions):
    """batch_norm in train is layer_norm of each channel's entries over the batch."""

    n: Size

    x = Real("batch n 3")

    forms = (
        lambda x: functional.batch_norm(x, None, None, training=True),
        lambda x: forms.layer_norm(x.transpose(0, 1).flatten(1)).unflatten(1, (-1, 3)).transpose(0, 1),
    )


class FrozenBatchNorm(nn.BatchNorm1d):
    """Batch normalisation that stays in eval, as in fine-tuning."""

    def train(self, mode: bool = True) -> FrozenBatchNorm:  # noqa: ARG002, FBT001, FBT002  (torch's signature)
        return super().train(mode=False)


class FrozenFormula(FrozenBatchNorm):
    def forward(self, x: Tensor) -> Tensor:
        assert self.running_mean is not None
        assert self.running_var is not None
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        return x * scale + (self.bias - self.running_mean * scale)


@right
class BatchNormInEval(Equivalence):
    """BatchNorm1d in eval is one product and one sum with its running statistics."""

    n: Size

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return FrozenBatchNorm(self.n).eval()

    def candidate(self) -> nn.Module:
        return FrozenFormula(self.n).eval()


@right
class FoldedBatchNorm(Equivalence):
    """Linear and BatchNorm1d in eval are one Linear, running statistics included."""

    n: Size

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.n, 3), FrozenBatchNorm(3)).eval()

    def candidate(self) -> nn.Module:
        return nn.Linear(self.n, 3)

    def carry(self, theta: Theta) -> Theta:
        scale = theta["1.weight"] / (theta["1.running_var"] + 1e-5).sqrt()
        bias = (theta["0.bias"] - theta["1.running_mean"]) * scale + theta["1.bias"]
        return {"weight": scale[:, None] * theta["0.weight"], "bias": bias}


class Scaled(nn.Module):
    """x Wᵀ with rows of W of a stated length."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.randn(3, n))
        self.length = nn.Parameter(torch.ones(3, 1))

    def forward(self, x: Tensor) -> Tensor:
        lengths = (self.direction.square().sum(1, keepdim=True) + 1e-12).sqrt()
        return x @ (self.direction * (self.length / lengths)).mT


class ScaledByFormula(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        shrinks = (torch.einsum("oi,oi->o", self.direction, self.direction) + 1e-12).rsqrt()
        return x @ self.direction.mT * shrinks * self.length[:, 0]


@right
class WeightNorm(Equivalence):
    """Weight normalisation divides by the length of each row and eps, before the product or after it."""

    n: Size

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return Scaled(self.n)

    def candidate(self) -> nn.Module:
        return ScaledByFormula(self.n)


def cosine(x: Tensor, y: Tensor) -> Tensor:
    units = []
    for row in (x, y):
        length = row.norm(dim=-1, keepdim=True)
        units.append(row / (length + (length.clamp_min(1e-8) - length).detach()))
    return torch.einsum("...i,...i->...", *units)


@right
class CosineSimilarity(OfTwoRows):
    """cosine_similarity is the product of unit rows, lengths of at least 1e-8 taken as they are."""

    forms = (lambda x, y: functional.cosine_similarity(x, y, dim=-1), cosine)


@right
class NormalizedByLength(OfRows):
    """F.normalize divides by the length, or by eps where that is larger."""

    forms = (
        lambda x: functional.normalize(x, dim=-1),
        lambda x: x / torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp(min=1e-12),
    )


@right
class UnitRows(OfRows):
    """x / sqrt(|x|² + eps²) in one quotient and as x · rsqrt."""

    forms = (
        lambda x: x / (x.square().sum(-1, keepdim=True) + 1e-6).sqrt(),
        lambda x: x * (x.unsqueeze(-2) @ x.unsqueeze(-1) + 1e-6).squeeze(-1).rsqrt(),
    )


# Variances.


@right
class VarianceInTwoPasses(OfRows):
    """var is the mean square of what is left of the mean."""

    forms = (forms.variance_by_torch, forms.two_pass_variance)


@right
class VarianceInOnePass(OfRows):
    """E x² - (E x)² of x + 100,000 is its variance, with few digits."""

    forms = (
        lambda x: forms.two_pass_variance(x + 1e5),
        lambda x: forms.one_pass_variance(x + 1e5),
    )


@right
class VarianceByWelford(OfRows):
    """Welford's update, entry by entry, gives the variance of x + 1,000."""

    forms = (lambda x: forms.variance_by_torch(x + 1000), lambda x: forms.welford_variance(x + 1000))


@right
class VarianceOfShifted(OfRows):
    """The variance does not change when the first entry is taken from all."""

    forms = (forms.variance_by_torch, forms.shifted_variance)


@right
class VarianceOfPairs(OfRows):
    """The variance is half the mean square of all differences."""

    n: Few

    forms = (forms.two_pass_variance, forms.variance_of_pairs)


@right
class DeviationWithEps(OfRows):
    """sqrt(var + eps) is the length of the centred row and sqrt(n eps), over sqrt(n)."""

    forms = (
        lambda x: (forms.variance_by_torch(x) + 1e-5).sqrt(),
        lambda x: (
            ((x - x.mean(-1, keepdim=True)).square().sum(-1) + 1e-5 * x.shape[-1]).sqrt() / x.shape[-1] ** 0.5
        ),
    )


# Recurrences.


class Output(nn.Module):
    """A recurrent network's output at every step."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.net(x)[0]
        return y


class Cell(nn.Module):
    """A recurrent network's parameters, and a loop over a cell by its formula."""

    def __init__(self, n: int, gates: int) -> None:
        super().__init__()
        self.hidden = n
        self.weight_ih_l0 = nn.Parameter(torch.zeros(gates * n, n))
        self.weight_hh_l0 = nn.Parameter(torch.zeros(gates * n, n))
        self.bias_ih_l0 = nn.Parameter(torch.zeros(gates * n))
        self.bias_hh_l0 = nn.Parameter(torch.zeros(gates * n))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        state = (x.new_zeros(x.shape[1], self.hidden),) * 2
        steps = []
        for entry in x:
            inputs = entry @ self.weight_ih_l0.mT + self.bias_ih_l0
            state = self.step(inputs, state[0] @ self.weight_hh_l0.mT + self.bias_hh_l0, state)
            steps.append(state[0])
        return (torch.stack(steps),)

    def step(self, inputs: Tensor, hidden: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        y = (inputs + hidden).tanh()
        return y, state[1]


class GatedCell(Cell):
    def step(self, inputs: Tensor, hidden: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        (r, z, n), (hr, hz, hn) = inputs.chunk(3, -1), hidden.chunk(3, -1)
        update = (z + hz).sigmoid()
        return (1 - update) * (n + (r + hr).sigmoid() * hn).tanh() + update * state[0], state[1]


class LongShortCell(Cell):
    def step(self, inputs: Tensor, hidden: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        take, forget, value, give = (inputs + hidden).chunk(4, -1)
        memory = forget.sigmoid() * state[1] + take.sigmoid() * value.tanh()
        return give.sigmoid() * memory.tanh(), memory


@right
class GRUStepByStep(Equivalence):
    """nn.GRU over 12 steps is a loop over its cell."""

    n: Width

    x = Real("12 batch n")

    def reference(self) -> nn.Module:
        return Output(nn.GRU(self.n, self.n))

    def candidate(self) -> nn.Module:
        return Output(GatedCell(self.n, 3))


@right
class LSTMStepByStep(Equivalence):
    """nn.LSTM over 12 steps is a loop over its cell."""

    n: Width

    x = Real("12 batch n")

    def reference(self) -> nn.Module:
        return Output(nn.LSTM(self.n, self.n))

    def candidate(self) -> nn.Module:
        return Output(LongShortCell(self.n, 4))


@right
class RNNStepByStep(Equivalence):
    """nn.RNN over 60 steps is a loop of tanh."""

    n: Width

    x = Real("60 batch n")

    def reference(self) -> nn.Module:
        return Output(nn.RNN(self.n, self.n))

    def candidate(self) -> nn.Module:
        return Output(Cell(self.n, 1))


@right
class MovingAverage(Functions):
    """A moving average over 200 steps is a product with the powers of what is kept."""

    x = Real("*batch 200")

    forms = (forms.moving_average, forms.moving_average_by_weights)


@right
class RecurrenceByDoubling(Functions):
    """h = tanh(a) h + b over 200 steps is a scan in 8."""

    a = Real("*batch 200")
    b = Real("*batch 200")

    forms = (
        lambda a, b: forms.recurrence(a.tanh(), b),
        lambda a, b: forms.recurrence_by_doubling(a.tanh(), b),
    )


@right
class LogisticMap(OfRows):
    """40 steps of y = 3.9 y (1 - y), in which nearly all digits are lost, beside 3.9 (y - y²)."""

    n: Few

    forms = (forms.logistic_product, forms.logistic_difference)


@right
class LeapfrogIsKickDriftKick(OfRows):
    """50 steps of a pendulum, with two half kicks between steps or with one whole."""

    n: Few

    forms = (forms.kick_drift_kick, forms.leapfrog)


@right
class Chebyshev(OfRows):
    """T_12(y) by its recurrence is cos(12 arccos y), y within 0.9."""

    forms = (
        lambda x: forms.chebyshev(0.9 * x.tanh()),
        lambda x: (12 * (0.9 * x.tanh()).arccos()).cos(),
    )


@right
class DescentInClosedForm(Functions):
    """SGD with momentum over 60 gradients ends at a weighted sum of them."""

    x = Real("*batch 60")

    forms = (forms.descent, forms.descent_by_weights)


@right
class CorrectedMoment(Functions):
    """Adam's second moment after 50 steps, corrected, is a weighted mean of squares."""

    x = Real("*batch 50")

    forms = (
        lambda x: forms.moving_average(x.square(), 0.99) / (1 - 0.99**50),
        lambda x: (
            x.square() @ (w := 0.99 ** torch.arange(49, -1, -1, dtype=x.dtype, device=x.device)) / w.sum()
        ),
    )


# Solves.


@right
class SolveIsInverse(OfSystem):
    """solve(A, b) = A⁻¹ b for a dominant diagonal."""

    n: Few

    forms = (
        lambda x, b: torch.linalg.solve(forms.well_conditioned(x), b),
        lambda x, b: (torch.linalg.inv(forms.well_conditioned(x)) @ b.unsqueeze(-1)).squeeze(-1),
    )


@right
class SolveByFactors(OfSystem):
    """solve(A, b) by the LU factors of A."""

    n: Few

    forms = (
        lambda x, b: torch.linalg.solve(forms.well_conditioned(x), b),
        lambda x, b: torch.linalg.lu_solve(
            *torch.linalg.lu_factor(forms.well_conditioned(x)), b.unsqueeze(-1)
        ).squeeze(-1),
    )


@right
class SolveByCholesky(OfSystem):
    """solve(A, b) by the Cholesky factor of a positive definite A."""

    n: Few

    forms = (
        lambda x, b: torch.linalg.solve(forms.positive_definite(x, 1.0), b),
        lambda x, b: torch.cholesky_solve(
            b.unsqueeze(-1), torch.linalg.cholesky(forms.positive_definite(x, 1.0))
        ).squeeze(-1),
    )


@right
class SolveOfIllConditioned(OfSystem):
    """solve(A, b) and A⁻¹ b, where the condition of A is up to 10,000 n."""

    n: Few

    forms = (
        lambda x, b: torch.linalg.solve(forms.positive_definite(x, 1e-4), b),
        lambda x, b: (torch.linalg.inv(forms.positive_definite(x, 1e-4)) @ b.unsqueeze(-1)).squeeze(-1),
    )


@right
class LogDeterminant(OfMatrix):
    """log det A is twice the sum of the logarithms of its Cholesky factor's diagonal."""

    n: Few

    forms = (
        lambda x: torch.linalg.slogdet(forms.positive_definite(x, 0.5)).logabsdet,
        lambda x: (
            2
            * torch.linalg.cholesky(forms.positive_definite(x, 0.5)).diagonal(dim1=-2, dim2=-1).log().sum(-1)
        ),
    )


@right
class TriangularBySubstitution(OfSystem):
    """solve_triangular substitutes row by row."""

    n: Few

    forms = (
        lambda x, b: torch.linalg.solve_triangular(
            forms.well_conditioned(x).tril(), b.unsqueeze(-1), upper=False
        ).squeeze(-1),
        lambda x, b: forms.solve_lower(forms.well_conditioned(x), b),
    )


@right
class ShermanMorrison(OfTwoRows):
    """(1 + u uᵀ)⁻¹ b = b - u (u·b) / (1 + u·u), u = tanh x."""

    n: Few

    forms = (
        lambda x, y: torch.linalg.solve(
            torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
            + torch.einsum("...i,...j->...ij", x.tanh(), x.tanh()),
            y,
        ),
        lambda x, y: (
            y
            - x.tanh() * (x.tanh() * y).sum(-1, keepdim=True) / (1 + x.tanh().square().sum(-1, keepdim=True))
        ),
    )


@right
class PowerOfMatrix(OfMatrix):
    """A⁶ is the square of A³, A = tanh(x) / n."""

    n: Few

    forms = (
        lambda x: torch.linalg.matrix_power(x.tanh() / x.shape[-1], 6),
        lambda x: (a := x.tanh() / x.shape[-1]) @ a @ a @ (a @ a @ a),
    )


# Transforms and sums.


@right
class ConvolutionByFFT(OfTwoRows):
    """A product of spectra, which torch refuses for an empty batch, is a circular convolution."""

    forms = (
        lambda x, y: torch.fft.irfft(torch.fft.rfft(x) * torch.fft.rfft(y), n=x.shape[-1]),
        lambda x, y: (forms.circulant(x) @ y.unsqueeze(-1)).squeeze(-1),
    )


@right
class FourierByMatrix(OfRows):
    """The discrete Fourier transform is a product with cosines and sines."""

    forms = (
        lambda x: torch.view_as_real(torch.fft.fft(x)),
        lambda x: torch.stack(
            [x @ forms.angles(x.shape[-1], x).cos(), -x @ forms.angles(x.shape[-1], x).sin()], -1
        ),
    )


@right
class CumulativeByMatrix(OfRows):
    """cumsum is a product with a triangle of ones."""

    forms = (
        lambda x: x.cumsum(-1),
        lambda x: x @ torch.ones(x.shape[-1], x.shape[-1], dtype=x.dtype, device=x.device).triu(),
    )


@right
class KahanSum(OfRows):
    """sum, with what each addition lost added to the next."""

    forms = (lambda x: x.sum(-1), forms.kahan_sum)


@right
class SumOfHalves(OfRows):
    """sum of 1,000 x and 1,000, by halves."""

    forms = (
        lambda x: (1000 * x + 1000).sum(-1),
        lambda x: forms.sum_of_halves(1000 * x + 1000),
    )


@right
class GeometricSum(OfRows):
    """1 + y + … + y¹⁹ = (1 - y²⁰) / (1 - y), y within 0.9."""

    forms = (
        lambda x: forms.geometric_sum(0.9 * x.tanh()),
        lambda x: (1 - (0.9 * x.tanh()) ** 20) / (1 - 0.9 * x.tanh()),
    )


@right
class HornerIsPowers(OfRows):
    """2x³ - 3x² + x - 5 by Horner's rule and by powers."""

    forms = (
        lambda x: forms.horner(x, (2.0, -3.0, 1.0, -5.0)),
        lambda x: forms.powers(x, (2.0, -3.0, 1.0, -5.0)),
    )


@right
class ExpandedFifthPower(OfRows):
    """(y - 1)⁵ multiplied out, y = 1 + tanh(x) / 10: nearly all digits cancel."""

    forms = (
        lambda x: (1 + x.tanh() / 10 - 1) ** 5,
        lambda x: forms.horner(1 + x.tanh() / 10, (1.0, -5.0, 10.0, -10.0, 5.0, -1.0)),
    )


@right
class ExpOfLog(OfRows):
    """1 + x² = exp(log1p(x²))."""

    forms = (lambda x: 1 + x.square(), lambda x: x.square().log1p().exp())


@right
class ProductByLogarithms(OfRows):
    """cumprod of 1 + tanh(x)/2 is exp of the cumulative sum of logarithms."""

    forms = (
        lambda x: (1 + x.tanh() / 2).cumprod(-1),
        lambda x: (x.tanh() / 2).log1p().cumsum(-1).exp(),
    )


@right
class SquaredDistance(OfTwoRows):
    """|x - y|² = |x|² + |y|² - 2 x·y."""

    forms = (lambda x, y: (x - y).square().sum(-1), forms.squares_and_products)


@right
class DistanceFarFromZero(OfTwoRows):
    """|x - y|² of x + 10,000 and y + 10,000, multiplied out: eight digits are lost."""

    forms = (
        lambda x, y: ((x + 1e4) - (y + 1e4)).square().sum(-1),
        lambda x, y: forms.squares_and_products(x + 1e4, y + 1e4),
    )


@right
class RotationByComplexNumbers(Functions):
    """Rotary embedding by sines and cosines, and by a product of complex numbers."""

    n: Size

    @property
    def width(self) -> int:
        return 2 * self.n

    x = Real("*batch width")

    forms = (forms.rotated, forms.rotated_by_numbers)


class LoopedLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        total = self.bias.expand(*x.shape[:-1], -1)
        for entry, column in zip(x.unbind(-1), self.weight.unbind(1), strict=True):
            total = total + entry.unsqueeze(-1) * column
        return total


@right
class LinearColumnByColumn(Equivalence):
    """Linear adds column by column, from the bias on."""

    n: Size

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.Linear(self.n, 3)

    def candidate(self) -> nn.Module:
        return LoopedLinear(self.n, 3)


@right
class DividedAndMultiplied(OfTwoRows):
    """x · w / w = x, w = 1 + y² / 3."""

    forms = (
        lambda x, y: x + 0 * y,
        lambda x, y: x * (1 + y.square() / 3) / (1 + y.square() / 3),
    )


class UnfoldedConvolution(nn.Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        windows = x.unfold(-1, 3, 1)
        return torch.einsum("bclk,ock->bol", windows, self.weight) + (
            0 if self.bias is None else self.bias[:, None]
        )


@right
class ConvolutionByWindows(Equivalence):
    """Conv1d is a product with every window."""

    n: Few

    x = Real("batch n 7")

    def reference(self) -> nn.Module:
        return nn.Conv1d(self.n, 3, 3)

    def candidate(self) -> nn.Module:
        return UnfoldedConvolution(self.n, 3, 3)


# Ties.


@right
class MaxPoolByWindows(Functions):
    """max_pool1d takes the first largest of each window, its gradient too."""

    n: Size

    x = Real("batch n 6")

    forms = (lambda x: functional.max_pool1d(x, 2), lambda x: x.unfold(-1, 2, 2).max(-1).values)


@right
class MaximumShared(OfRows):
    """amax shares its gradient among all largest entries alike."""

    forms = (
        lambda x: x.amax(-1),
        lambda x: (x * (m := (x == x.amax(-1, keepdim=True)).to(x.dtype))).sum(-1) / m.sum(-1),
    )


@right
class MaximumByPlace(OfRows):
    """max gives the entry at argmax, its gradient to that entry alone."""

    forms = (lambda x: x.max(-1).values, lambda x: x.gather(-1, x.argmax(-1, keepdim=True)).squeeze(-1))


@right
class SortByPlaces(OfRows):
    """A stable sort gathers by the places that a stable argsort gives."""

    forms = (
        lambda x: x.sort(dim=-1, stable=True).values,
        lambda x: x.gather(-1, x.argsort(dim=-1, stable=True)),
    )


@right
class RunningMaximum(OfRows):
    """cummax takes the last of equal entries, its gradient too."""

    forms = (lambda x: x.cummax(-1).values, forms.rolled_maximum)


@right
class ClampByChoice(OfRows):
    """clamp(-1, 1) has the gradient 1 at both ends."""

    forms = (
        lambda x: x.clamp(-1, 1),
        lambda x: torch.where((x >= -1) & (x <= 1), x, x.sign().detach()),
    )


@right
class ReluByChoice(OfRows):
    """relu has the gradient 0 at 0."""

    forms = (torch.relu, lambda x: torch.where(x > 0, x, 0.0))


@right
class AbsoluteBySign(OfRows):
    """abs has the gradient 0 at 0, as x sign(x) with the sign held fixed."""

    forms = (torch.abs, lambda x: x * x.sign().detach())


# Attention.


class Attention(nn.Module):
    """One head of attention over (batch, time, width), by its formula."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.weigh(self.q(x), self.k(x), self.v(x))

    def weigh(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1) @ v


class FusedAttention(Attention):
    def weigh(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(q, k, v)


@right
class AttentionFused(Equivalence):
    """Attention with its projections, by formula and by torch's fused function."""

    time: Few
    width: Few

    x = Real("batch time width")

    def reference(self) -> nn.Module:
        return Attention(self.width)

    def candidate(self) -> nn.Module:
        return FusedAttention(self.width)


@right
class AttentionOfOneToken(Functions):
    """Attention over a single token gives its value, and no gradient to query and key."""

    n: Size

    q = Real("batch 1 n")
    k = Real("batch 1 n")
    v = Real("batch 1 n")

    forms = (forms.attention, lambda q, k, v: v + 0 * (q + k))


@right
class AttentionInBlocks(OfSequences):
    """Attention by formula equals attention streamed over blocks of three keys."""

    time: Few
    n: Few

    forms = (forms.attention, forms.streamed_attention)


@right
class CausalAttentionFused(OfSequences):
    """Causal attention by a mask of -inf equals torch's fused one."""

    time: Few
    n: Few

    q = Real("batch time n")
    k = Real("batch time n")
    v = Real("batch time n")

    forms = (
        forms.causal_attention,
        lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, is_causal=True),
    )


@right
class CausalWeights(OfMatrix):
    """The softmax of scores above whose diagonal -inf is filled in, or chosen."""

    forms = (
        lambda s: s.masked_fill(~forms.open_below(s), -math.inf).softmax(-1),
        lambda s: s.where(forms.open_below(s), -math.inf).softmax(-1),
    )


@right
class CausalWeightsWithoutMask(OfMatrix):
    """Causal weights by -inf equal those of each row's first entries, and zeros behind."""

    n: Few

    forms = (
        lambda s: s.masked_fill(~forms.open_below(s), -math.inf).softmax(-1),
        lambda s: torch.stack(
            [
                functional.pad(forms.softmax(row[..., : place + 1]), (0, s.shape[-1] - place - 1))
                for place, row in enumerate(s.unbind(-2))
            ],
            -2,
        ),
    )


@right
class GroupedHeads(Functions):
    """Four heads that share two keys and values equal attention with these repeated."""

    time: Few
    n: Few

    q = Real("batch 4 time n")
    k = Real("batch 2 time n")
    v = Real("batch 2 time n")

    forms = (
        lambda q, k, v: forms.attention(q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1)),
        lambda q, k, v: forms.attention(
            q.unflatten(1, (2, 2)), k.unsqueeze(2).expand(-1, -1, 2, -1, -1), v.unsqueeze(2)
        ).flatten(1, 2),
    )


# Activations.


@right
class GeluByComplement(OfRows):
    """gelu is x times half of erfc(-x/√2)."""

    forms = (functional.gelu, lambda x: x * forms.normal_part(x))


@right
class SiluByLogSigmoid(OfRows):
    """silu is x exp(log sigmoid(x))."""

    forms = (functional.silu, lambda x: x * functional.logsigmoid(x).exp())


@right
class SoftplusByLogSumExp(OfRows):
    """softplus is logsumexp of (x, 0), where its shortcut begins beyond the last digit."""

    forms = (lambda x: functional.softplus(x, threshold=50), forms.softplus)


@right
class MishBySoftplus(OfRows):
    """mish is y tanh(softplus(y)), y = 20 tanh(x): its own second derivative in torch ends near 90."""

    forms = (
        lambda x: functional.mish(20 * x.tanh()),
        lambda x: 20 * x.tanh() * forms.softplus(20 * x.tanh()).tanh(),
    )


@right
class TanhBySigmoid(OfRows):
    """tanh(x) = 2 sigmoid(2x) - 1, with few digits near 0."""

    forms = (torch.tanh, lambda x: 2 * (2 * x).sigmoid() - 1)


@right
class SigmoidByTanh(OfRows):
    """sigmoid(y) = (1 + tanh(y/2)) / 2, y = tanh(x)."""

    forms = (lambda x: x.tanh().sigmoid(), lambda x: (1 + (x.tanh() / 2).tanh()) / 2)


@right
class GatedBySigmoid(Functions):
    """glu is the first half times the sigmoid of the second."""

    n: Size

    @property
    def width(self) -> int:
        return 2 * self.n

    x = Real("*batch width")

    forms = (functional.glu, lambda x: (h := x.chunk(2, -1))[0] * functional.logsigmoid(h[1]).exp())


@right
class HardswishByRelu6(OfRows):
    """hardswish is x relu6(x + 3) / 6, its gradient at -3 and 3 too."""

    forms = (functional.hardswish, lambda x: x * functional.relu6(x + 3) / 6)


@right
class SoftshrinkBySign(OfRows):
    """softshrink is sign(x) relu(|x| - 1/2)."""

    forms = (functional.softshrink, lambda x: x.sign().detach() * (x.abs() - 0.5).relu())


@right
class LeakyByChoice(OfRows):
    """leaky_relu has the slope of the left side at 0."""

    forms = (lambda x: functional.leaky_relu(x, 0.1), lambda x: torch.where(x > 0, x, 0.1 * x))


@right
class SignOfZero(OfRows):
    """0 x is 0 beside -0: the sign of a zero is no difference."""

    forms = (lambda x: 0 * x, lambda x: -(0 * x))


# Modules.


class Checkpointed(nn.Module):
    """A network that recomputes its activations in backward."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(n, n), nn.Tanh(), nn.Linear(n, n))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = checkpoint(self.inner, x, use_reentrant=False)
        return y


@right
class Recomputed(Equivalence):
    """A network whose activations are computed again in backward is the network."""

    n: Size

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.n, self.n), nn.Tanh(), nn.Linear(self.n, self.n))

    def candidate(self) -> nn.Module:
        return Checkpointed(self.n)

    def carry(self, theta: Theta) -> Theta:
        return {f"inner.{name}": value for name, value in theta.items()}


class DropsByHand(nn.Module):
    """Dropout whose mask is drawn as torch draws it."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * torch.empty_like(x).bernoulli_(0.75).div(0.75)


class DropsByThreshold(nn.Module):
    """Dropout whose mask is drawn as uniform numbers."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= 0.25) / 0.75


@right
class DropoutInTheSameOrder(Equivalence):
    """Dropout draws one mask, and divides by what is kept."""

    n: Size

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return nn.Dropout(0.25)

    def candidate(self) -> nn.Module:
        return DropsByHand()


@right
class DropoutFromOtherDraws(Equivalence):
    """Dropout by uniform numbers is equal in distribution, not draw by draw."""

    n: Size

    x = Real("batch n")

    def reference(self) -> nn.Module:
        return nn.Dropout(0.25)

    def candidate(self) -> nn.Module:
        return DropsByThreshold()


class Stored(nn.Module):
    """x W with W stored by inputs."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n, n) / n)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight


@right
class SquareWeightTransposed(Equivalence):
    """Linear with a square weight, stored transposed."""

    n: Few

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.Linear(self.n, self.n, bias=False)

    def candidate(self) -> nn.Module:
        return Stored(self.n)

    def carry(self, theta: Theta) -> Theta:
        return {"weight": theta["weight"].mT}


@right
class CellBesideItself(Equivalence):
    """A GRU cell is itself, whatever torch does when an input has no batch."""

    n: Dim
    hidden: Annotated[int, AtLeast(1)]

    x = Real("batch n")
    h = Real("batch hidden")

    def reference(self) -> nn.Module:
        return nn.GRUCell(self.n, self.hidden)

    def candidate(self) -> nn.Module:
        return nn.GRUCell(self.n, self.hidden)


class CellByFormula(nn.GRUCell):
    def forward(self, x: Tensor, hx: Tensor | None = None) -> Tensor:
        assert hx is not None
        r, z, n = (x @ self.weight_ih.mT + self.bias_ih).chunk(3, -1)
        hr, hz, hn = (hx @ self.weight_hh.mT + self.bias_hh).chunk(3, -1)
        new = (n + (r + hr).sigmoid() * hn).tanh()
        return new + (z + hz).sigmoid() * (hx - new)


@right
class CellIsItsFormula(Equivalence):
    """A GRU cell moves from the new state to the old by its update gate."""

    n: Size
    hidden: Size

    x = Real("batch n")
    h = Real("batch hidden")

    def reference(self) -> nn.Module:
        return nn.GRUCell(self.n, self.hidden)

    def candidate(self) -> nn.Module:
        return CellByFormula(self.n, self.hidden)


class OneHot(nn.Embedding):
    def forward(self, index: Tensor) -> Tensor:
        return functional.one_hot(index, self.num_embeddings).to(self.weight.dtype) @ self.weight


@right
class EmbeddingByProduct(Equivalence):
    """An embedding is a product with one-hot rows."""

    n: Size
    width: Size

    index = Index("*batch", "n")

    def reference(self) -> nn.Module:
        return nn.Embedding(self.n, self.width)

    def candidate(self) -> nn.Module:
        return OneHot(self.n, self.width)


LESS_PRECISE = frozenset(
    {
        "SoftmaxOfShifted",
        "Entropy",
        "LayerNormInOnePass",
        "VarianceInOnePass",
        "SolveOfIllConditioned",
        "ExpandedFifthPower",
        "DistanceFarFromZero",
        "SquaredDistance",
        "TanhBySigmoid",
        "ExpOfLog",
        "DividedAndMultiplied",
    }
)
"""Pairs whose candidate keeps fewer digits than its reference: one function, refuted by `precision` alone."""
ALSO = {"SquareWeightTransposed": ("training_muon",)}
"""Laws besides those of the function that a pair holds under: Muon computes in bfloat16, W or Wᵀ alike."""
NO_SECOND_DERIVATIVE = {
    "AttentionFused": "torch's fused attention has none on the CPU",
    "CausalAttentionFused": "torch's fused attention has none on the CPU",
}
"""Why the law of second derivatives does not apply to a pair."""
