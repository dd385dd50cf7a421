"""Mutants that compute the right function, and pay more for it than their claims say."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claim import Theta
from equivalence.claims.linear import FlattenLinearIsLinear
from equivalence.claims.local import GroupedConvolutionIsGroupedReshape
from equivalence.claims.masked import SparseIsMasked
from equivalence.claims.sharing import UnrolledIsShared
from equivalence.claims.two_d_fc import FlattenMatmulTwoDFCIsFlattenLinear, TwoDFCIsFlattenLinear
from equivalence.counts import Counts
from equivalence.layers.linear import FlattenLinear
from equivalence.layers.local import GroupedConvolutionLinear
from equivalence.layers.masked import SparseLinear
from equivalence.layers.two_d_fc import FlattenMatmulTwoDFC, TwoDFC
from tests.mutants.planted import mutant


class HiddenCopy(FlattenMatmulTwoDFC):
    def __init__(self, size: tuple[int, int], out_features: int, bias: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(size, out_features, bias)
        self.register_buffer("copy", self.weight.detach().clone(), persistent=False)


@mutant("cost")
class KeepsHiddenCopy(FlattenMatmulTwoDFCIsFlattenLinear):
    """A copy of the weight is kept beside it, as a buffer that nothing reads."""

    form = HiddenCopy


class Workspace(TwoDFC):
    def __init__(self, size: tuple[int, int], out_features: int, bias: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(size, out_features, bias)
        self.space = nn.Parameter(torch.zeros_like(self.weight), requires_grad=False)

    def product(self, x: Tensor) -> Tensor:
        return super().product(x) + self.space.sum()


@mutant("cost")
class KeepsFrozenZeros(TwoDFCIsFlattenLinear):
    """Zeros as large as the weight are kept as a parameter that is never trained."""

    form = Workspace

    def carry(self, theta: Theta) -> Theta:
        carried = super().carry(theta)
        return {**carried, "space": torch.zeros_like(carried["weight"])}


class DenseBehindSparse(SparseLinear):
    def product(self, x: Tensor) -> Tensor:
        return functional.linear(x, torch.where(self.mask, self.weight, 0))


@mutant("cost")
class MultipliesDenselyBehindMask(SparseIsMasked):
    """The form that is said to compute the live connections alone multiplies the whole matrix."""

    def candidate(self) -> nn.Module:
        return DenseBehindSparse(self.alive, self.bias)


class AllPairs(GroupedConvolutionLinear):
    def product(self, x: Tensor) -> Tensor:
        grouped = x.unflatten(-1, (self.groups, self.kernel_size))
        pairs = torch.einsum("...gk,hok->...gho", grouped, self.weight)
        return pairs.diagonal(dim1=-3, dim2=-2).mT.flatten(-2)


@mutant("cost")
class MultipliesGroupsInPairs(GroupedConvolutionIsGroupedReshape):
    """The inputs of every group meet the weights of every group, and the pairs of one group are kept."""

    form = AllPairs


@mutant("cost")
class CountsTiedLayerTwice(UnrolledIsShared):
    """The layer that is used twice is counted once for each use."""

    def reference_cost(self, batch: int) -> Counts:
        shared, middle = super().reference_cost(batch), self.middle(batch)
        return replace(shared, parameters=shared.parameters + middle.parameters)


class ComputedThrice(FlattenLinear):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x) + super().product(x) - super().product(x)


@mutant("cost")
class MultipliesThreeTimes(FlattenLinearIsLinear):
    """The product is computed three times: p + p - p."""

    form = ComputedThrice
