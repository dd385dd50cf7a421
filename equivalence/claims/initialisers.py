"""The initialisers of `torch.nn.init`, against the formulas of their documentation in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from torch import Tensor, nn
from torch.nn import init

from equivalence.claim import Between, Dim, Equivalence, Real
from equivalence.counts import Counts
from equivalence.distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from equivalence.layers import initialisers, matrix_initialisers
from equivalence.layers.gains import calculate_gain
from equivalence.layers.initialised import Initialised, from_numpy
from equivalence.matrix_distribution import Fixed, SphereCoordinate, Thinned

Fill = Callable[[Tensor], Any]
"""Fills a tensor in place."""
Nonlinearity = Literal[
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "selu",
]


class TextbookInitialiser(Equivalence):
    """A formula in NumPy draws an (out, in, kernel) weight as torch's initialiser does."""

    source: ClassVar[str] = "torch.nn.init documentation"

    out_channels: Dim
    in_channels: Dim
    kernel_size: Annotated[int, Between(1, 3)]

    x = Real("*batch in_channels kernel_size")

    def reference(self) -> nn.Module:
        """Fill a weight by torch's initialiser."""
        return self.filled(self.torchs())

    def candidate(self) -> nn.Module:
        """Fill a weight by the formula."""
        return self.filled(self.textbook())

    def initial(self) -> dict[str, Distribution]:
        """Give the distribution of one entry."""
        return {"1.weight": self.entry()}

    def reference_cost(self, batch: int) -> Counts:
        """One multiply-add for each weight and row, however it was drawn."""
        weights = math.prod(self.shape)
        return Counts(weights, batch * weights)

    def candidate_cost(self, batch: int) -> Counts:
        """As many."""
        return self.reference_cost(batch)

    def filled(self, fill: Fill) -> nn.Module:
        """Give the layer that the weight belongs to."""
        return nn.Sequential(nn.Flatten(-2), Initialised(self.shape, fill))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the weight."""
        return self.out_channels, self.in_channels, self.kernel_size

    @property
    def fans(self) -> tuple[int, int]:
        """(fan_in, fan_out), 1 instead of 0: an empty weight has no scale."""
        return max(1, self.in_channels * self.kernel_size), max(1, self.out_channels * self.kernel_size)

    def torchs(self) -> Fill:
        """Give torch's initialiser with its options."""
        raise NotImplementedError

    def textbook(self) -> Fill:
        """Give the formula with its options."""
        raise NotImplementedError

    def entry(self) -> Distribution:
        """Give the distribution of one entry."""
        raise NotImplementedError


class MatrixInitialiser(TextbookInitialiser):
    """A formula in NumPy draws an (out, in) weight as torch's initialiser does, which takes only a matrix."""

    kernel_size: Annotated[int, Between(1, 1)]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the weight."""
        return self.out_channels, self.in_channels


class UniformIsTextbook(TextbookInitialiser):
    """uniform_ draws W ~ U(a, b)."""

    low: Literal[-3, 0]
    high: Literal[1, 2]

    def torchs(self) -> Fill:
        """Give uniform_(a, b)."""
        return partial(init.uniform_, a=self.low, b=self.high)

    def textbook(self) -> Fill:
        """Give W ~ U(low, high)."""
        return from_numpy(initialisers.uniform, low=self.low, high=self.high)

    def entry(self) -> Distribution:
        """U(low, high)."""
        return Uniform(self.low, self.high)


class NormalIsTextbook(TextbookInitialiser):
    """normal_ draws W ~ N(mean, std²)."""

    mean: Literal[0, 3]
    std: Literal[1, 2]

    def torchs(self) -> Fill:
        """Give normal_(mean, std)."""
        return partial(init.normal_, mean=self.mean, std=self.std)

    def textbook(self) -> Fill:
        """Give W ~ N(mean, std²)."""
        return from_numpy(initialisers.normal, mean=self.mean, std=self.std)

    def entry(self) -> Distribution:
        """N(mean, std²)."""
        return Normal(self.mean, self.std)


class TruncatedNormalIsTextbook(TextbookInitialiser):
    """trunc_normal_ draws W ~ N(mean, std²) given a ≤ W ≤ b."""

    mean: Literal[0, 1]
    std: Literal[1, 2]

    def torchs(self) -> Fill:
        """Give trunc_normal_(mean, std, a, b)."""
        return partial(init.trunc_normal_, mean=self.mean, std=self.std, a=-2, b=3)

    def textbook(self) -> Fill:
        """Draw again whatever falls outside."""
        return from_numpy(initialisers.trunc_normal, mean=self.mean, std=self.std, low=-2, high=3)

    def entry(self) -> Distribution:
        """N(mean, std²) given -2 ≤ W ≤ 3."""
        return TruncatedNormal(self.mean, self.std, -2, 3)


class ConstantIsTextbook(TextbookInitialiser):
    """constant_ sets W = value."""

    fresh_draws = "same"

    value: Literal[-1, 0, 3]

    def torchs(self) -> Fill:
        """Give constant_(value)."""
        return partial(init.constant_, val=self.value)

    def textbook(self) -> Fill:
        """Give W = value."""
        return from_numpy(initialisers.constant, value=self.value)

    def entry(self) -> Distribution:
        """The value."""
        return Constant(self.value)


class OnesIsTextbook(TextbookInitialiser):
    """ones_ sets W = 1."""

    fresh_draws = "same"

    def torchs(self) -> Fill:
        """Give ones_."""
        return init.ones_

    def textbook(self) -> Fill:
        """Give W = 1."""
        return from_numpy(initialisers.ones)

    def entry(self) -> Distribution:
        """1."""
        return Constant(1)


class ZerosIsTextbook(TextbookInitialiser):
    """zeros_ sets W = 0."""

    fresh_draws = "same"

    def torchs(self) -> Fill:
        """Give zeros_."""
        return init.zeros_

    def textbook(self) -> Fill:
        """Give W = 0."""
        return from_numpy(initialisers.zeros)

    def entry(self) -> Distribution:
        """0."""
        return Constant(0)


class EyeIsTextbook(MatrixInitialiser):
    """eye_ sets W_ij = 1 where i = j, else 0."""

    fresh_draws = "same"

    def torchs(self) -> Fill:
        """Give eye_."""
        return init.eye_

    def textbook(self) -> Fill:
        """Give W_ij = 1 where i = j, else 0."""
        return from_numpy(matrix_initialisers.eye)

    def entry(self) -> Distribution:
        """1 where row = column."""
        rows, columns = self.shape
        return Fixed(tuple(float(row == column) for row in range(rows) for column in range(columns)))


class DiracIsTextbook(TextbookInitialiser):
    """dirac_ sets W_oik = 1 where i is the number of o within its group and k the centre, else 0."""

    fresh_draws = "same"

    groups: Annotated[int, Between(1, 3)]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the weight, as many outputs in each group."""
        return self.groups * self.out_channels, self.in_channels, self.kernel_size

    def torchs(self) -> Fill:
        """Give dirac_(groups)."""
        return partial(init.dirac_, groups=self.groups)

    def textbook(self) -> Fill:
        """Set the ones, channel by channel."""
        return from_numpy(matrix_initialisers.dirac, groups=self.groups)

    def entry(self) -> Distribution:
        """1 where the input is the number of the output in its group, at the centre of the kernel."""
        outputs, inputs, kernel = (range(size) for size in self.shape)
        centre = self.kernel_size // 2
        return Fixed(
            tuple(
                float(place == centre and channel == output % self.out_channels)
                for output in outputs
                for channel in inputs
                for place in kernel
            )
        )


class XavierUniformIsTextbook(TextbookInitialiser):
    """xavier_uniform_ draws W ~ U(-bound, bound) with bound = gain · √(6 / (fan_in + fan_out))."""

    gain: Literal[1, 2]

    def torchs(self) -> Fill:
        """Give xavier_uniform_(gain)."""
        return partial(init.xavier_uniform_, gain=self.gain)

    def textbook(self) -> Fill:
        """Give W ~ U(-bound, bound)."""
        return from_numpy(initialisers.xavier_uniform, gain=self.gain)

    def entry(self) -> Distribution:
        """U(-bound, bound)."""
        bound = self.gain * math.sqrt(6 / sum(self.fans))
        return Uniform(-bound, bound)


class XavierNormalIsTextbook(TextbookInitialiser):
    """xavier_normal_ draws W ~ N(0, std²) with std = gain · √(2 / (fan_in + fan_out))."""

    gain: Literal[1, 2]

    def torchs(self) -> Fill:
        """Give xavier_normal_(gain)."""
        return partial(init.xavier_normal_, gain=self.gain)

    def textbook(self) -> Fill:
        """Give W ~ N(0, std²)."""
        return from_numpy(initialisers.xavier_normal, gain=self.gain)

    def entry(self) -> Distribution:
        """N(0, std²)."""
        return Normal(0, self.gain * math.sqrt(2 / sum(self.fans)))


class KaimingUniformIsTextbook(TextbookInitialiser):
    """kaiming_uniform_ draws W ~ U(-bound, bound) with bound = gain(nonlinearity, a) · √(3 / fan)."""

    mode: Literal["fan_in", "fan_out"]
    nonlinearity: Nonlinearity
    a: Literal[0, 1]

    def torchs(self) -> Fill:
        """Give kaiming_uniform_(a, mode, nonlinearity)."""
        return partial(init.kaiming_uniform_, **self.options)

    def textbook(self) -> Fill:
        """Give W ~ U(-bound, bound)."""
        return from_numpy(initialisers.kaiming_uniform, **self.options)

    @property
    def options(self) -> dict[str, Any]:
        """The options, named alike on both sides."""
        return {"a": self.a, "mode": self.mode, "nonlinearity": self.nonlinearity}

    @property
    def std(self) -> float:
        """The standard deviation, gain / √fan."""
        fan_in, fan_out = self.fans
        fan = fan_in if self.mode == "fan_in" else fan_out
        return calculate_gain(self.nonlinearity, self.a) / math.sqrt(fan)

    def entry(self) -> Distribution:
        """U(-√3 · std, √3 · std)."""
        bound = math.sqrt(3) * self.std
        return Uniform(-bound, bound)


class KaimingNormalIsTextbook(KaimingUniformIsTextbook):
    """kaiming_normal_ draws W ~ N(0, std²) with std = gain(nonlinearity, a) / √fan."""

    def torchs(self) -> Fill:
        """Give kaiming_normal_(a, mode, nonlinearity)."""
        return partial(init.kaiming_normal_, **self.options)

    def textbook(self) -> Fill:
        """Give W ~ N(0, std²)."""
        return from_numpy(initialisers.kaiming_normal, **self.options)

    def entry(self) -> Distribution:
        """N(0, std²)."""
        return Normal(0, self.std)


class OrthogonalIsTextbook(TextbookInitialiser):
    """orthogonal_ draws W uniformly with W Wᵀ = gain² I where W is wide, Wᵀ W = gain² I where it is tall."""

    fresh_entries_independent: ClassVar[bool] = False

    gain: Literal[1, 2]

    def torchs(self) -> Fill:
        """Give orthogonal_(gain)."""
        return partial(init.orthogonal_, gain=self.gain)

    def textbook(self) -> Fill:
        """Give gain · Q."""
        return from_numpy(matrix_initialisers.orthogonal, gain=self.gain)

    def entry(self) -> Distribution:
        """x² / gain² ~ Beta(1/2, (n - 1)/2), n the longer side of the matrix; 1 where it has no entries."""
        longer = max(self.out_channels, self.in_channels * self.kernel_size, 1)
        return SphereCoordinate(longer, self.gain)


class SparseIsTextbook(MatrixInitialiser):
    """sparse_ draws W ~ N(0, std²), then sets ⌈sparsity · rows⌉ entries of every column to 0."""

    fresh_entries_independent: ClassVar[bool] = False

    percent: Literal[10, 50, 90]

    def torchs(self) -> Fill:
        """Give sparse_(sparsity, std)."""
        return partial(init.sparse_, sparsity=self.percent / 100, std=2)

    def textbook(self) -> Fill:
        """Zero entries chosen at random, column by column."""
        return from_numpy(matrix_initialisers.sparse, sparsity=self.percent / 100, std=2)

    def entry(self) -> Distribution:
        """0 in ⌈sparsity · rows⌉ of a column's rows, else N(0, std²)."""
        zeros = math.ceil(self.percent / 100 * self.out_channels)
        return Thinned(zeros / max(1, self.out_channels), Normal(0, 2))
