"""Mutants that are right until they are trained: gradients, scales and shapes that an optimiser meets.

And what training keeps in buffers: with weights that change, more than two calls tell.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claim import Equivalence, Real, Theta
from equivalence.claims.linear import FlattenLinearIsLinear
from equivalence.distribution import Distribution, Uniform
from equivalence.layers.affine import QuietLinear
from equivalence.layers.linear import LinearForm
from tests.mutants.modules import BatchNorm, BatchNormIsItsFormula, Positive
from tests.mutants.planted import mutant


def half(gradient: Tensor) -> Tensor:
    """Give half a gradient."""
    return gradient / 2


class Kept(LinearForm):
    """x Wᵀ + b with the weight kept in a shape of its own."""

    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:  # noqa: FBT001
        super().__init__(in_features, out_features, bias)
        self.weight = nn.Parameter(self.keep(self.weight.detach()))

    def keep(self, weight: Tensor) -> Tensor:
        return weight

    def matrix(self) -> Tensor:
        return self.weight.reshape(self.out_features, self.in_features)

    def product(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.matrix())


class HookedWeight(Kept):
    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:  # noqa: FBT001
        super().__init__(in_features, out_features, bias)
        self.weight.register_hook(half)


@mutant("training")
class LeavesHookOnWeight(FlattenLinearIsLinear):
    """A hook left on the weight halves the gradient that is stored, and no other."""

    form = HookedWeight


class DoubledWeight(Kept):
    def keep(self, weight: Tensor) -> Tensor:
        return 2 * weight

    def matrix(self) -> Tensor:
        return self.weight / 2


@mutant("training")
class KeepsWeightDoubled(FlattenLinearIsLinear):
    """The weight is kept at twice its size and halved in every forward: steps are a quarter as long."""

    form = DoubledWeight

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "weight": 2 * theta["weight"]}

    def initial(self) -> dict[str, Distribution]:
        bias = super().initial()["bias"]
        high = 2 * bias.support[1]
        return {"weight": Uniform(-high, high), "bias": bias}


class FrozenLater(Kept):
    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:  # noqa: FBT001
        super().__init__(in_features, out_features, bias)
        self.frozen = False

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if self.training and y.requires_grad:
            y.register_hook(self.freeze)
        return y

    def freeze(self, _: Tensor) -> None:
        self.frozen = True

    def matrix(self) -> Tensor:
        return self.weight.detach() if self.frozen else self.weight


@mutant("training")
class FreezesAfterFirstBackward(FlattenLinearIsLinear):
    """The first backward in training freezes the weight."""

    form = FrozenLater


class ShiftedBias(Kept):
    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:  # noqa: FBT001
        super().__init__(in_features, out_features, bias)
        if self.bias is not None:
            self.bias = nn.Parameter(self.bias.detach() + 1)

    def add_bias(self, y: Tensor) -> Tensor:
        return y if self.bias is None else super().add_bias(y) - 1


@mutant("training")
class KeepsBiasShifted(FlattenLinearIsLinear):
    """The bias is kept one above its value: gradients are right, and weight decay pulls elsewhere."""

    form = ShiftedBias

    def carry(self, theta: Theta) -> Theta:
        return {**theta, **({"bias": theta["bias"] + 1} if self.bias else {})}

    def initial(self) -> dict[str, Distribution]:
        return {"weight": super().initial()["weight"]}


class Uncounted(BatchNorm):
    def update(self, mean: Tensor, variance: Tensor, count: int) -> None:
        super().update(mean, variance, count)
        self.num_batches_tracked -= 1


@mutant("training")
class LeavesBatchesUncounted(BatchNormIsItsFormula):
    """The running moments are right, and the batches that they are of are not counted."""

    def candidate(self) -> nn.Module:
        return Uncounted(self.features)


class CumulativeNorm(BatchNorm):
    """Running moments that are the means over all batches."""

    def update(self, mean: Tensor, variance: Tensor, count: int) -> None:
        self.momentum = self.weight_of_batch(int(self.num_batches_tracked) + 1)
        super().update(mean, variance, count)

    def weight_of_batch(self, number: int) -> float:
        return 1 / number


class CumulativeNormIsItsFormula(Equivalence):
    """Linear and a BatchNorm1d without momentum equal their formula, running moments included."""

    features: Positive

    norm: ClassVar[type[BatchNorm]] = CumulativeNorm
    x = Real("batch features")

    def reference(self) -> nn.Module:
        linear = nn.Linear(self.features, self.features, bias=False)
        return nn.Sequential(linear, nn.BatchNorm1d(self.features, momentum=None))

    def candidate(self) -> nn.Module:
        linear = nn.Linear(self.features, self.features, bias=False)
        return nn.Sequential(linear, self.norm(self.features))


class MomentumAfterFirst(CumulativeNorm):
    def weight_of_batch(self, number: int) -> float:
        return 1.0 if number == 1 else 0.1


@mutant("training")
class WeighsLaterBatchesByMomentum(CumulativeNormIsItsFormula):
    """Every batch but the first has the weight of the usual momentum: two equal batches do not tell."""

    norm = MomentumAfterFirst


class AveragedWeight(QuietLinear):
    """Linear, whose weight in eval is the average of those that it was trained with."""

    average: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.register_buffer("average", torch.zeros_like(self.weight))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.update()
        return functional.linear(x, self.weight if self.training else self.average, self.bias)

    def update(self) -> None:
        with torch.no_grad():
            self.average.mul_(0.9).add_(self.weight, alpha=0.1)


class AveragedByLerp(AveragedWeight):
    def update(self) -> None:
        self.average.lerp_(self.newest(), 0.1)

    def newest(self) -> Tensor:
        return self.weight.detach()


class AverageIsByLerp(Equivalence):
    """An average of weights by a product and a sum equals the one by lerp."""

    features: Positive

    form: ClassVar[type[nn.Module]] = AveragedByLerp
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return AveragedWeight(self.features, 3)

    def candidate(self) -> nn.Module:
        return self.form(self.features, 3)


class AveragedFirst(AveragedByLerp):
    first: Tensor | None = None

    def newest(self) -> Tensor:
        self.first = self.weight.detach().clone() if self.first is None else self.first
        return self.first.to(self.weight)


@mutant("training")
class AveragesFirstWeight(AverageIsByLerp):
    """The average is of the weight of the first call, again and again."""

    form = AveragedFirst


class FlatWeight(Kept):
    def keep(self, weight: Tensor) -> Tensor:
        return weight.flatten()


@mutant("training_adafactor")
class KeepsWeightFlat(FlattenLinearIsLinear):
    """The weight is a vector: it has no rows and columns to take means over."""

    form = FlatWeight

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "weight": theta["weight"].flatten()}


class WeightByRow(Kept):
    def keep(self, weight: Tensor) -> Tensor:
        return weight.unsqueeze(1)


@mutant("training_adafactor")
class KeepsEachRowAsMatrix(FlattenLinearIsLinear):
    """The weight is (out, 1, in): each row is scaled as a matrix of its own."""

    form = WeightByRow

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "weight": theta["weight"].unsqueeze(1)}


class WeightByEntry(Kept):
    def keep(self, weight: Tensor) -> Tensor:
        return weight.unsqueeze(-1)


@mutant("training_adafactor")
class KeepsWeightAsKernel(FlattenLinearIsLinear):
    """The weight is (out, in, 1), as Conv1d keeps it: each row is a column of its own."""

    form = WeightByEntry

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "weight": theta["weight"].unsqueeze(-1)}


class TransposedWeight(Kept):
    def keep(self, weight: Tensor) -> Tensor:
        return weight.T.contiguous()

    def matrix(self) -> Tensor:
        return self.weight.T


@mutant("training_muon")
class KeepsWeightTransposed(FlattenLinearIsLinear):
    """The weight is (in, out): Muon scales its step by √(rows / columns) where there are more rows."""

    form = TransposedWeight

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "weight": theta["weight"].T}


class WeightInBatch(Kept):
    def keep(self, weight: Tensor) -> Tensor:
        return weight.unsqueeze(0)


@mutant("training_muon")
class KeepsWeightInBatchOfOne(FlattenLinearIsLinear):
    """The weight is (1, out, in): Adafactor sees the same matrix, Muon sees none."""

    form = WeightInBatch

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "weight": theta["weight"].unsqueeze(0)}


class BiasAsRow(Kept):
    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:  # noqa: FBT001
        super().__init__(in_features, out_features, bias)
        if self.bias is not None:
            self.bias = nn.Parameter(self.bias.detach().unsqueeze(0))

    def add_bias(self, y: Tensor) -> Tensor:
        return y if self.bias is None else y + self.bias[0]


@mutant("training_muon")
class KeepsBiasAsMatrix(FlattenLinearIsLinear):
    """The bias is (1, out): Muon takes it for a matrix, and makes its step one of norm 1."""

    form = BiasAsRow

    def carry(self, theta: Theta) -> Theta:
        return {**theta, **({"bias": theta["bias"].unsqueeze(0)} if self.bias else {})}
