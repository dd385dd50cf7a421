"""Mutants of the initialisers, and of Linear's initialisation in layers of another shape."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import nn

from equivalence.claim import Between
from equivalence.claims.initialisers import (
    ConstantIsTextbook,
    DiracIsTextbook,
    EyeIsTextbook,
    Fill,
    KaimingNormalIsTextbook,
    KaimingUniformIsTextbook,
    NormalIsTextbook,
    OnesIsTextbook,
    OrthogonalIsTextbook,
    SparseIsTextbook,
    TruncatedNormalIsTextbook,
    UniformIsTextbook,
    XavierNormalIsTextbook,
    XavierUniformIsTextbook,
    ZerosIsTextbook,
)
from equivalence.claims.linear import FlattenLinearIsLinear
from equivalence.claims.local import OneGroupIsLinear
from equivalence.claims.sharing import WideNetIsParallelBlock
from equivalence.claims.two_d_fc import TwoDFCIsFlattenLinear
from equivalence.layers import initialisers, matrix_initialisers
from equivalence.layers.affine import reset_like_linear
from equivalence.layers.gains import fans
from equivalence.layers.initialised import from_numpy
from equivalence.layers.initialisers import Array, Shape
from equivalence.layers.linear import FlattenLinear
from equivalence.layers.local import LocalLinear
from equivalence.layers.sharing import WideNet
from equivalence.layers.two_d_fc import TwoDFC
from tests.mutants.planted import mutant

Generator = np.random.Generator


@mutant("initialisation")
class IgnoresLowerBound(UniformIsTextbook):
    """uniform: the interval starts at 0 whatever the lower bound."""

    def textbook(self) -> Fill:
        return from_numpy(initialisers.uniform, low=0, high=self.high)


@mutant("initialisation")
class TakesVarianceForStd(NormalIsTextbook):
    """normal: the variance is passed where the standard deviation belongs."""

    def textbook(self) -> Fill:
        return from_numpy(initialisers.normal, mean=self.mean, std=self.std**2)


@mutant("initialisation")
class TruncatesInStds(TruncatedNormalIsTextbook):
    """trunc_normal: the bounds are multiples of std around the mean instead of absolute."""

    def textbook(self) -> Fill:
        low, high = (self.mean + bound * self.std for bound in (-2, 3))
        return from_numpy(initialisers.trunc_normal, mean=self.mean, std=self.std, low=low, high=high)


def clipped(shape: Shape, generator: Generator, mean: float, std: float) -> Array:
    return initialisers.normal(shape, generator, mean, std).clip(-2, 3)


@mutant("initialisation")
class ClipsInsteadOfTruncating(TruncatedNormalIsTextbook):
    """trunc_normal: what falls outside is moved onto the bound instead of drawn again."""

    def textbook(self) -> Fill:
        return from_numpy(clipped, mean=self.mean, std=self.std)


@mutant("initialisation")
class LosesSign(ConstantIsTextbook):
    """constant: the sign of the value is lost."""

    def textbook(self) -> Fill:
        return from_numpy(initialisers.constant, value=abs(self.value))


@mutant("initialisation")
class NormalisesOnes(OnesIsTextbook):
    """ones: every entry is 1 / fan_in."""

    def textbook(self) -> Fill:
        return from_numpy(initialisers.constant, value=1 / self.fans[0])


@mutant("initialisation")
class AlmostZero(ZerosIsTextbook):
    """zeros: a little noise breaks the symmetry."""

    def textbook(self) -> Fill:
        return from_numpy(initialisers.normal, std=1e-4)


def other_diagonal(shape: Shape, generator: Generator) -> Array:
    return matrix_initialisers.eye(shape, generator)[:, ::-1].copy()


@mutant("initialisation")
class FillsOtherDiagonal(EyeIsTextbook):
    """eye: the ones stand on the other diagonal."""

    def textbook(self) -> Fill:
        return from_numpy(other_diagonal)


@mutant("initialisation")
class IgnoresGroups(DiracIsTextbook):
    """dirac: the groups are ignored."""

    def textbook(self) -> Fill:
        return from_numpy(matrix_initialisers.dirac)


def early_dirac(shape: Shape, generator: Generator, groups: int) -> Array:
    weight = matrix_initialisers.dirac(shape, generator, groups)
    return np.roll(weight, -1, axis=-1)


@mutant("initialisation")
class RoundsCentreDown(DiracIsTextbook):
    """dirac: the centre of an even kernel is the entry before the middle."""

    kernel_size: Annotated[int, Between(2, 2)]

    def textbook(self) -> Fill:
        return from_numpy(early_dirac, groups=self.groups)


@mutant("initialisation")
class TakesStdForBound(XavierUniformIsTextbook):
    """xavier_uniform: the bound is the standard deviation, without √3."""

    def textbook(self) -> Fill:
        return from_numpy(initialisers.xavier_uniform, gain=self.gain / math.sqrt(3))


def fan_in_alone(shape: Shape, generator: Generator, gain: float) -> Array:
    return initialisers.normal(shape, generator, 0.0, gain * math.sqrt(2 / max(1, fans(shape)[0])))


@mutant("initialisation")
class ForgetsFanOut(XavierNormalIsTextbook):
    """xavier_normal: the variance is 2 / fan_in, without fan_out."""

    def textbook(self) -> Fill:
        return from_numpy(fan_in_alone, gain=self.gain)


@mutant("initialisation")
class IgnoresGain(XavierNormalIsTextbook):
    """xavier_normal: the gain is not passed on."""

    def textbook(self) -> Fill:
        return from_numpy(initialisers.xavier_normal)


@mutant("initialisation")
class SwapsFans(KaimingUniformIsTextbook):
    """kaiming_uniform: fan_in and fan_out are exchanged."""

    def textbook(self) -> Fill:
        mode = "fan_out" if self.mode == "fan_in" else "fan_in"
        return from_numpy(initialisers.kaiming_uniform, **{**self.options, "mode": mode})


@mutant("initialisation")
class IgnoresSlope(KaimingUniformIsTextbook):
    """kaiming_uniform: the negative slope of leaky_relu is not passed on."""

    nonlinearity: Literal["leaky_relu"]

    def textbook(self) -> Fill:
        return from_numpy(initialisers.kaiming_uniform, **{**self.options, "a": 0})


@mutant("initialisation")
class TakesReluForSelu(KaimingNormalIsTextbook):
    """kaiming_normal: selu gets the gain of relu."""

    def textbook(self) -> Fill:
        nonlinearity = "relu" if self.nonlinearity == "selu" else self.nonlinearity
        return from_numpy(initialisers.kaiming_normal, **{**self.options, "nonlinearity": nonlinearity})


@mutant("initialisation")
class DrawsUniform(KaimingNormalIsTextbook):
    """kaiming_normal: uniform draws of the right variance."""

    def textbook(self) -> Fill:
        return from_numpy(initialisers.kaiming_uniform, **self.options)


@mutant("initialisation")
class IgnoresGainOfRotation(OrthogonalIsTextbook):
    """orthogonal: the gain is not passed on."""

    def textbook(self) -> Fill:
        return from_numpy(matrix_initialisers.orthogonal)


def without_signs(shape: Shape, generator: Generator, gain: float) -> Array:
    rows, columns = shape[0], math.prod(shape[1:])
    if rows * columns == 0:
        return initialisers.zeros(shape, generator)
    tall = np.linalg.qr(initialisers.normal((max(rows, columns), min(rows, columns)), generator))[0]
    return gain * (tall if rows >= columns else tall.T).reshape(shape)


@mutant("initialisation")
class KeepsSignsOfQR(OrthogonalIsTextbook):
    """orthogonal: Q keeps the signs of LAPACK, and is not uniform."""

    def textbook(self) -> Fill:
        return from_numpy(without_signs, gain=self.gain)


def sparse_rows(shape: Shape, generator: Generator, **options: Any) -> Array:
    return matrix_initialisers.sparse((shape[1], shape[0]), generator, **options).T.copy()


@mutant("initialisation")
class ThinsRows(SparseIsTextbook):
    """sparse: every row has its zeros instead of every column."""

    def textbook(self) -> Fill:
        return from_numpy(sparse_rows, sparsity=self.percent / 100, std=2)


def sparse_by_chance(shape: Shape, generator: Generator, sparsity: float, std: float) -> Array:
    weight = initialisers.normal(shape, generator, 0.0, std)
    return np.where(generator.uniform(size=shape) < sparsity, 0.0, weight)


@mutant("initialisation")
class ThinsByChance(SparseIsTextbook):
    """sparse: every entry is 0 with a probability, so that columns differ in their zeros."""

    def textbook(self) -> Fill:
        return from_numpy(sparse_by_chance, sparsity=self.percent / 100, std=2)


class WiderByFivePercent(TwoDFC):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        with torch.no_grad():
            self.weight.mul_(1.05)


@mutant("initialisation")
class DrawsFivePercentWider(TwoDFCIsFlattenLinear):
    """The weight's bound is 5 % too large."""

    form = WiderByFivePercent


class ShapeFan(TwoDFC):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.weight.numel():
            nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))


@mutant("initialisation")
class ReadsFanFromShape(TwoDFCIsFlattenLinear):
    """kaiming_uniform_ takes fan_in from the (1, height, width, out_features) weight."""

    form = ShapeFan


class Narrow(TwoDFC):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        with torch.no_grad():
            self.weight.div_(math.sqrt(3))


@mutant("initialisation")
class DrawsWithinOneStd(TwoDFCIsFlattenLinear):
    """The weight's bound is its standard deviation, without √3."""

    form = Narrow


class MissingSlope(FlattenLinear):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.weight.numel():
            nn.init.kaiming_uniform_(self.weight)


@mutant("initialisation")
class ForgetsSlope(FlattenLinearIsLinear):
    """kaiming_uniform_ is called without a = √5."""

    form = MissingSlope


class NormalWeight(FlattenLinear):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.weight.numel():
            nn.init.normal_(self.weight, std=1 / math.sqrt(3 * self.fan_in))


@mutant("initialisation")
class DrawsNormalOfSameVariance(FlattenLinearIsLinear):
    """The weight is normal, with the variance of the uniform one."""

    form = NormalWeight


class ZeroBias(LocalLinear):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)


@mutant("initialisation")
class StartsWithZeroBias(OneGroupIsLinear):
    """The bias starts at 0."""

    def candidate(self) -> nn.Module:
        return ZeroBias(1, self.in_features, self.out_features, self.bias)


class CopiedColumn(FlattenLinear):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        with torch.no_grad():
            self.weight[:, -1:] = self.weight[:, :1]


@mutant("initialisation")
class CopiesFirstColumn(FlattenLinearIsLinear):
    """The last column of the weight is a copy of the first, and as likely as any by itself."""

    form = CopiedColumn


def equal_rows(shape: Shape, generator: Generator, std: float) -> Array:
    return np.repeat(initialisers.normal((1, *shape[1:]), generator, 0.0, std), shape[0], axis=0)


@mutant("initialisation")
class DrawsOneRowForAll(KaimingNormalIsTextbook):
    """kaiming_normal: one row is drawn, and every output starts with it."""

    def textbook(self) -> Fill:
        return from_numpy(equal_rows, std=self.std)


class OneSeedForBoth(WideNet):
    def __init__(self, in_features: int, hidden_features: int, out_features: int, nets: int) -> None:
        super().__init__(in_features, hidden_features, out_features, nets)
        state = torch.get_rng_state()
        reset_like_linear(self.first.weight, self.first.bias, in_features)
        torch.set_rng_state(state)
        reset_like_linear(self.second.weight, self.second.bias, hidden_features)


@mutant("initialisation")
class SeedsBothLayersAlike(WideNetIsParallelBlock):
    """Both layers are drawn from one seed: the second starts as the first, on a scale of its own."""

    def candidate(self) -> nn.Module:
        return OneSeedForBoth(self.in_features, self.hidden_features, self.out_features, self.nets)


class BiasFirst(FlattenLinear):
    def reset_parameters(self) -> None:
        if self.bias is not None:
            reset_like_linear(self.bias, None, self.fan_in)
        reset_like_linear(self.weight, None, self.fan_in)


@mutant("initialisation")
class DrawsBiasFirst(FlattenLinearIsLinear):
    """The bias is drawn before the weight: the same distribution, but other numbers under one seed."""

    form = BiasFirst


@mutant("initialisation")
class DeclaresTheSameOrder(TwoDFCIsFlattenLinear):
    """The draws are declared to be Linear's in the same order, but they are permuted."""

    fresh_draws = "same"


class HalfLinear(FlattenLinear):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        self.half()


@mutant("initialisation")
class StartsInHalfPrecision(FlattenLinearIsLinear):
    """The parameters start in float16, as after a forgotten .half()."""

    form = HalfLinear
