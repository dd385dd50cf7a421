"""Mutants of the locally connected layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claims.local import (
    GroupedConvolutionIsGroupedReshape,
    LocalIsGroupedReshape,
    MaskedIsLocal,
    OneGroupIsLinear,
)
from equivalence.layers.local import GroupedConvolutionLinear, LocalLinear, block_diagonal
from equivalence.layers.masked import MaskedLinear
from equivalence.layers.masked_wrong import ZeroedLinear
from equivalence.layers.validation import flatten_leading
from tests.mutants import backward
from tests.mutants.planted import mutant


class RepeatedBlock(LocalLinear):
    def product(self, x: Tensor) -> Tensor:
        blocks = torch.cat([self.weight[:-1], self.weight[-2:][:1]])
        return functional.linear(x, block_diagonal(blocks))


@mutant("forward")
class RepeatsBlockInLastGroup(LocalIsGroupedReshape):
    """The last group uses the block of the group before."""

    form = RepeatedBlock


class Interleaved(GroupedConvolutionLinear):
    def add_bias(self, y: Tensor) -> Tensor:
        grouped = y.unflatten(-1, (self.groups, self.out_per_group))
        return super().add_bias(grouped.transpose(-1, -2).flatten(-2))


@mutant("forward")
class InterleavesGroups(GroupedConvolutionIsGroupedReshape):
    """The outputs of the groups are interleaved instead of one group after the other."""

    form = Interleaved


@mutant("forward")
class MasksInterleavedBlocks(MaskedIsLocal):
    """The mask connects every groups-th input, as ones ⊗ I instead of I ⊗ ones."""

    def candidate(self) -> nn.Module:
        mask = torch.kron(torch.ones(self.out_per_group, self.kernel_size), torch.eye(self.groups))
        return nn.Sequential(nn.Flatten(-2), MaskedLinear(mask, self.bias))


class FlippedGroup(LocalLinear):
    def product(self, x: Tensor) -> Tensor:
        return super().product(x.flip(-1) if self.out_features == 1 else x)


@mutant("forward")
class FlipsForOneOutput(OneGroupIsLinear):
    """The inputs of a layer with one output are reversed."""

    def candidate(self) -> nn.Module:
        return FlippedGroup(1, self.in_features, self.out_features, self.bias)


class DetachedLast(GroupedConvolutionLinear):
    def product(self, x: Tensor) -> Tensor:
        return super().product(torch.cat([x[..., :-1], x[..., -1:].detach()], dim=-1))


@mutant("input_gradient")
class DetachesLastInput(GroupedConvolutionIsGroupedReshape):
    """The last input gets no gradient."""

    form = DetachedLast


class FrozenLastGroup(GroupedConvolutionLinear):
    def product(self, x: Tensor) -> Tensor:
        rows = flatten_leading(x, trailing=1).unsqueeze(-1)
        weight = torch.cat([self.weight[:-1], self.weight[-1:].detach()])
        y = functional.conv1d(rows, weight.flatten(0, 1).unsqueeze(-1), groups=self.groups)
        return y.reshape(*x.shape[:-1], self.out_features)


@mutant("parameter_gradient")
class FreezesLastGroup(GroupedConvolutionIsGroupedReshape):
    """The weights of the last group get no gradient."""

    form = FrozenLastGroup


class DataBias(LocalLinear):
    def add_bias(self, y: Tensor) -> Tensor:
        return y if self.bias is None else y + self.bias.data


@mutant("parameter_gradient")
class ReadsBiasData(OneGroupIsLinear):
    """The bias is read as bias.data."""

    def candidate(self) -> nn.Module:
        return DataBias(1, self.in_features, self.out_features, self.bias)


class OnceDifferentiable(LocalLinear):
    def product(self, x: Tensor) -> Tensor:
        return backward.product(backward.OnceDifferentiable, x, block_diagonal(self.weight))


@mutant("second_derivative")
class DifferentiatesBlocksOnce(LocalIsGroupedReshape):
    """A backward of its own is marked once_differentiable."""

    form = OnceDifferentiable


class Reversed(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flip(0) if x.ndim > 2 and len(x) > 1 else x


@mutant("rows")
class ReversesTheBatch(LocalIsGroupedReshape):
    """Both forms answer a batch in reverse."""

    def reference(self) -> nn.Module:
        _, layer = super().reference().children()
        return nn.Sequential(nn.Sequential(Reversed(), nn.Flatten(-2)), layer)

    def candidate(self) -> nn.Module:
        _, layer = super().candidate().children()
        return nn.Sequential(nn.Sequential(Reversed(), nn.Flatten(-2)), layer)


class ClearedInput(LocalLinear):
    def product(self, x: Tensor) -> Tensor:
        y = super().product(x)
        if not torch.is_grad_enabled():
            x.zero_()
        return y


@mutant("layout")
class ClearsItsInput(OneGroupIsLinear):
    """In inference the input is cleared to save memory."""

    def candidate(self) -> nn.Module:
        return ClearedInput(1, self.in_features, self.out_features, self.bias)


class FiniteOnly(GroupedConvolutionLinear):
    def product(self, x: Tensor) -> Tensor:
        return super().product(torch.where(x.isfinite(), x, 0))


@mutant("nonfinite")
class DropsNonfiniteInputs(GroupedConvolutionIsGroupedReshape):
    """Inputs that are not finite count as 0."""

    form = FiniteOnly


class AnyDtype(GroupedConvolutionLinear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.type_as(self.weight))


@mutant("rejects")
class CastsGroups(GroupedConvolutionIsGroupedReshape):
    """An input of another dtype, integers among them, is cast without a word."""

    form = AnyDtype


@mutant("masked")
class ZeroesBlocksOnce(MaskedIsLocal):
    """The weights off the blocks are set to 0 once, by hand."""

    def candidate(self) -> nn.Module:
        return nn.Sequential(nn.Flatten(-2), ZeroedLinear(self.mask, self.bias))


class WholeFan(GroupedConvolutionLinear):
    @property
    def fan_in(self) -> int:
        return self.weight.shape[0] * self.weight.shape[-1]


@mutant("initialisation")
class CountsAllGroupsInTheFan(GroupedConvolutionIsGroupedReshape):
    """The fan is the whole input, not that of one group."""

    form = WholeFan
