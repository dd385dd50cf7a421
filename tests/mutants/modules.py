"""Mutants of modules with modes and buffers, and the right claims that they are made from."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claim import AtLeast, Dim, Equivalence, Real, Theta
from equivalence.layers.affine import QuietLinear
from equivalence.layers.validation import check_input
from tests.mutants.planted import mutant

Positive = Annotated[int, AtLeast(1)]
RANK = 2


class BatchNorm(nn.Module):
    """Batch normalisation by its formula, (batch, features) -> (batch, features)."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum = 0.1

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        check_input(x, (None, len(self.weight)), self.weight)
        mean = x.mean(0)
        variance = (x - mean).square().mean(0)
        if self.training:
            self.update(mean.detach(), variance.detach(), len(x))
        elif not self.uses_batch():
            mean, variance = self.running_mean, self.running_var
        return (x - mean) / (variance + 1e-5).sqrt() * self.weight + self.bias

    def uses_batch(self) -> bool:
        return False

    def update(self, mean: Tensor, variance: Tensor, count: int) -> None:
        self.num_batches_tracked += 1
        if count:
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)


class BatchNormIsItsFormula(Equivalence):
    """BatchNorm1d equals its formula, and keeps the same running moments."""

    features: Positive

    x = Real("batch features")

    def reference(self) -> nn.Module:
        return nn.BatchNorm1d(self.features)

    def candidate(self) -> nn.Module:
        return BatchNorm(self.features)


class BiasedVariance(BatchNorm):
    def update(self, mean: Tensor, variance: Tensor, count: int) -> None:
        super().update(mean, variance * (count - 1) / max(1, count), count)


@mutant("modes")
class KeepsBiasedVariance(BatchNormIsItsFormula):
    """The running variance is that with n in the denominator instead of n - 1."""

    def candidate(self) -> nn.Module:
        return BiasedVariance(self.features)


class SwappedMomentum(BatchNorm):
    momentum = 0.9


@mutant("modes")
class SwapsMomentum(BatchNormIsItsFormula):
    """The momentum weighs the old moments instead of the new."""

    def candidate(self) -> nn.Module:
        return SwappedMomentum(self.features)


class AlwaysBatch(BatchNorm):
    def uses_batch(self) -> bool:
        return True


@mutant("modes")
class NormalisesByBatchInEval(BatchNormIsItsFormula):
    """In eval the batch's own moments are used."""

    def candidate(self) -> nn.Module:
        return AlwaysBatch(self.features)


class UnsavedVariance(BatchNorm):
    def __init__(self, features: int) -> None:
        super().__init__(features)
        self.register_buffer("running_var", torch.ones(features), persistent=False)


@mutant("state")
class KeepsVarianceOutOfStateDict(BatchNormIsItsFormula):
    """running_var is a buffer, but not a persistent one: a loaded module evaluates with another."""

    def candidate(self) -> nn.Module:
        return UnsavedVariance(self.features)


class DropoutAfterLinear(QuietLinear):
    """Dropout of Linear, by hand."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout(super().forward(x), 0.5, self.training)


class DropoutIsItsFunction(Equivalence):
    """Linear followed by Dropout equals the function dropout of Linear."""

    in_features: Dim
    out_features: Dim

    x = Real("batch in_features")

    def reference(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.in_features, self.out_features), nn.Dropout(0.5))

    def candidate(self) -> nn.Module:
        return DropoutAfterLinear(self.in_features, self.out_features)

    def carry(self, theta: Theta) -> Theta:
        return {name.removeprefix("0."): value for name, value in theta.items()}


class AlwaysDropout(QuietLinear):
    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout(super().forward(x), 0.5)


@mutant("modes")
class DropsInEval(DropoutIsItsFunction):
    """functional.dropout is called without self.training: it drops in eval too."""

    def candidate(self) -> nn.Module:
        return AlwaysDropout(self.in_features, self.out_features)


class KeptDropout(QuietLinear):
    kept: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if not self.training:
            return y
        if self.kept is None or (self.kept.shape, self.kept.device) != (y.shape, y.device):
            self.kept = functional.dropout(torch.ones_like(y), 0.5).detach()
        return y * self.kept.to(y.dtype)


@mutant("modes")
class KeepsWhatItDrops(DropoutIsItsFunction):
    """What is dropped is drawn once for a shape: each call alone is right, and two drop the same."""

    def candidate(self) -> nn.Module:
        return KeptDropout(self.in_features, self.out_features)


class LowRank(QuietLinear):
    """x (W + B A)ᵀ + b, of two low-rank factors A and B."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.down = nn.Parameter(torch.randn(RANK, in_features))
        self.up = nn.Parameter(torch.zeros(out_features, RANK))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + functional.linear(functional.linear(x, self.down), self.up)


class Merged(LowRank):
    """LowRank with one product for both, where the weights are added."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight + self.up @ self.down, self.bias)


class MergedIsLowRank(Equivalence):
    """Adding the product of the low-rank factors to the weight gives the adapted layer."""

    in_features: Dim
    out_features: Dim

    x = Real("*batch in_features")

    def reference(self) -> nn.Module:
        return LowRank(self.in_features, self.out_features)

    def candidate(self) -> nn.Module:
        return Merged(self.in_features, self.out_features)


class MergingAtEval(LowRank):
    def train(self, mode: bool = True) -> MergingAtEval:  # noqa: FBT001, FBT002
        if not mode:
            self.weight.data += self.up.data @ self.down.data
        return super().train(mode)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if self.training else functional.linear(x, self.weight, self.bias)


@mutant("state")
class MergesAtEveryEval(MergedIsLowRank):
    """Every call of eval() adds the factors to the weight once more."""

    def candidate(self) -> nn.Module:
        return MergingAtEval(self.in_features, self.out_features)


class FrozenDown(Merged):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.down.requires_grad = False


@mutant("parameter_count")
class FreezesFactor(MergedIsLowRank):
    """One of the two factors is frozen."""

    def candidate(self) -> nn.Module:
        return FrozenDown(self.in_features, self.out_features)


class DetachedProduct(Merged):
    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight + self.up @ self.down.detach(), self.bias)


@mutant("parameter_gradient")
class TrainsOneFactor(MergedIsLowRank):
    """One of the two factors gets no gradient."""

    def candidate(self) -> nn.Module:
        return DetachedProduct(self.in_features, self.out_features)


class NormalUp(Merged):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        nn.init.normal_(self.up)


@mutant("initialisation")
class StartsAdapted(MergedIsLowRank):
    """Both factors are drawn from N(0, 1): the fresh layer is not the one adapted."""

    def candidate(self) -> nn.Module:
        return NormalUp(self.in_features, self.out_features)


class Shuffled(QuietLinear):
    """Linear of the features in an order drawn at the start, kept as a buffer."""

    order: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.keep(torch.randperm(in_features))

    def keep(self, order: Tensor) -> None:
        self.register_buffer("order", order)

    def forward(self, x: Tensor) -> Tensor:
        check_input(x, (self.in_features,), self.weight)
        return super().forward(x.index_select(-1, self.order))


class ShuffledWeight(Shuffled):
    """Shuffled, the order undone in the weight."""

    def forward(self, x: Tensor) -> Tensor:
        check_input(x, (self.in_features,), self.weight)
        return functional.linear(x, self.weight[:, self.order.argsort()], self.bias)


class ShuffledWeightIsShuffled(Equivalence):
    """Permuting the features equals permuting the weight the other way."""

    in_features: Dim
    out_features: Dim

    x = Real("*batch in_features")

    def reference(self) -> nn.Module:
        return Shuffled(self.in_features, self.out_features)

    def candidate(self) -> nn.Module:
        return ShuffledWeight(self.in_features, self.out_features)


class ForgetfulOrder(Shuffled):
    def keep(self, order: Tensor) -> None:
        self.order = order


@mutant("state")
class DrawsOrderInConstructor(ShuffledWeightIsShuffled):
    """The order drawn in the constructor is a plain attribute: a loaded module has another."""

    def candidate(self) -> nn.Module:
        return ForgetfulOrder(self.in_features, self.out_features)

    def carry(self, theta: Theta) -> Theta:
        return {name: value for name, value in theta.items() if name != "order"}


class UndoneOrder(ShuffledWeight):
    def forward(self, x: Tensor) -> Tensor:
        check_input(x, (self.in_features,), self.weight)
        return functional.linear(x, self.weight[:, self.order], self.bias)


@mutant("forward")
class PermutesInsteadOfInverting(ShuffledWeightIsShuffled):
    """The weight is permuted by the order instead of its inverse, which three features begin to show."""

    def candidate(self) -> nn.Module:
        return UndoneOrder(self.in_features, self.out_features)


class UncheckedShuffle(Shuffled):
    def forward(self, x: Tensor) -> Tensor:
        return QuietLinear.forward(self, x.index_select(-1, self.order))


@mutant("rejects")
class SelectsFromLargerInputs(ShuffledWeightIsShuffled):
    """Features are selected by index without a look at their number."""

    def candidate(self) -> nn.Module:
        return UncheckedShuffle(self.in_features, self.out_features)
