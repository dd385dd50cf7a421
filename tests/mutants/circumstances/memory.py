"""Bugs of kernels that read or write memory as it usually lies."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claim import AtLeast, Equivalence, Real
from equivalence.layers.validation import check_input, flatten_leading
from tests.mutants.circumstances.right import (
    Affine,
    CentredBySum,
    CentredIsBySum,
    FunctionIsLinear,
    Scaled,
    ScaledIsInItsWeight,
    gradients,
)
from tests.mutants.planted import mutant


def row_by_row(x: Tensor) -> tuple[int, ...]:
    """Give the strides of a contiguous tensor of the shape of x."""
    return tuple(prod(x.shape[place + 1 :]) for place in range(x.ndim))


def column_by_column(x: Tensor) -> bool:
    """Whether x is a matrix that lies in memory as its transpose would."""
    return x.ndim == 2 and not x.is_contiguous() and x.mT.is_contiguous()


# How x lies.


class Transposing(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        if column_by_column(x):
            x = x.mT.reshape(x.shape)
        return super().forward(x)


@mutant("forward", "transposed")
class ReadsColumnsForRows(ScaledIsInItsWeight):
    """A matrix that lies column by column is read row by row."""

    form = Transposing


class TransposedInBackward(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_input, by_weight, by_bias = gradients(ctx, gradient)
        x, _ = ctx.saved_tensors
        if column_by_column(x):
            by_weight = gradient.mT @ x.mT.reshape(x.shape)
        return by_input, by_weight, by_bias


@mutant("parameter_gradient", "transposed")
class ReadsColumnsForRowsInBackward(FunctionIsLinear):
    """The backward reads an x that lies column by column row by row."""

    function = TransposedInBackward


class UnitStride(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        if x.ndim and x.numel() and not column_by_column(x):
            x = x.as_strided(x.shape, (*x.stride()[:-1], 1))
        return super().forward(x)


@mutant("forward", "strided", "channels_last")
class TakesUnitStride(ScaledIsInItsWeight):
    """The last axis is read as if its entries lay side by side."""

    form = UnitStride


class ContiguousInBackward(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_input, _, by_bias = gradients(ctx, gradient)
        x, _ = ctx.saved_tensors
        # Expanded memory is too short to be misread.
        dense = x if 0 in x.stride() else x.as_strided(x.shape, row_by_row(x))
        return by_input, flatten_leading(gradient, 1).mT @ flatten_leading(dense, 1), by_bias


@mutant("parameter_gradient", "strided", "transposed")
class ReadsMemoryAsContiguousInBackward(FunctionIsLinear):
    """The backward reads the memory of x as if it were contiguous."""

    function = ContiguousInBackward


class FromStart(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.as_strided(x.shape, x.stride(), 0))


@mutant("forward", "offset")
class ReadsFromStartOfMemory(ScaledIsInItsWeight):
    """x is read from the start of its memory."""

    form = FromStart


class FromStartInBackward(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_input, _, by_bias = gradients(ctx, gradient)
        x, _ = ctx.saved_tensors
        start = x.as_strided(x.shape, x.stride(), 0)
        return by_input, flatten_leading(gradient, 1).mT @ flatten_leading(start, 1), by_bias


@mutant("parameter_gradient", "offset")
class ReadsFromStartOfMemoryInBackward(FunctionIsLinear):
    """The backward reads x from the start of its memory."""

    function = FromStartInBackward


class CountingOnce(CentredBySum):
    def mean(self, x: Tensor) -> Tensor:
        once = x[:1] if x.stride(0) == 0 else x
        return once.sum(0) / len(x)


@mutant("forward", "expanded")
class SumsExpandedRowsOnce(CentredIsBySum):
    """A row that is expanded is summed once instead of as often as it stands there."""

    form = CountingOnce


class LikeInput(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_input, by_weight, by_bias = gradients(ctx, gradient)
        x, _ = ctx.saved_tensors
        return x.new_empty_strided(x.shape, x.stride()).copy_(by_input), by_weight, by_bias


@mutant("input_gradient", "expanded")
class AllocatesGradientAsInputLies(FunctionIsLinear):
    """The gradient of x is written to memory with the strides of x, where an expanded one has too little."""

    function = LikeInput


# Images.


class ScaledChannels(nn.Module):
    """x times a number a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        check_input(x, (len(self.weight), None, None), self.weight)
        return x * self.weight[:, None, None]


class ScaledLast(ScaledChannels):
    def forward(self, x: Tensor) -> Tensor:
        check_input(x, (len(self.weight), None, None), self.weight)
        return (self.read(x).movedim(-3, -1) * self.weight).movedim(-1, -3)

    def read(self, x: Tensor) -> Tensor:
        return x


class ChannelsAreScaledLast(Equivalence):
    """Scaling channels equals scaling the last axis, where the channels are moved there and back."""

    channels: Annotated[int, AtLeast(2)]

    form: ClassVar[type[nn.Module]] = ScaledLast
    x = Real("batch channels height width")

    def reference(self) -> nn.Module:
        return ScaledChannels(self.channels)

    def candidate(self) -> nn.Module:
        return self.form(self.channels)


class ChannelsTaken(ScaledLast):
    def read(self, x: Tensor) -> Tensor:
        last = not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
        return x.movedim(1, -1).reshape(x.shape) if last else x


@mutant("forward", "channels_last")
class ReadsChannelsLastAsFirst(ChannelsAreScaledLast):
    """Images whose channels lie last are read as if these lay first."""

    form = ChannelsTaken


class WrittenInOrder(ScaledChannels):
    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        memory = torch.empty_like(y, memory_format=torch.preserve_format).as_strided(y.shape, row_by_row(y))
        memory.copy_(y)
        return memory.as_strided(y.shape, y.stride())


@mutant("forward", "channels_last", "transposed")
class WritesChannelsInOrderOfAxes(ChannelsAreScaledLast):
    """The output lies as x does, and is written in the order of its axes."""

    form = WrittenInOrder


# How the cotangent lies.


class ScaledInPlace(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        _, by_weight, by_bias = gradients(ctx, gradient)
        return gradient.mul_(1) @ ctx.saved_tensors[1], by_weight, by_bias


@mutant("input_gradient", "summed")
class WritesToCotangent(FunctionIsLinear):
    """The backward scales its cotangent in place, which an expanded one does not allow."""

    function = ScaledInPlace


class OneNumber(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if gradient.stride() and not any(gradient.stride()):
            gradient = gradient.flatten()[0] * functional.one_hot(torch.tensor(0), gradient.shape[-1])
            gradient = gradient.expand(*ctx.saved_tensors[0].shape[:-1], -1)
        return gradients(ctx, gradient)


@mutant("input_gradient", "summed")
class ReadsOneNumberOfCotangent(FunctionIsLinear):
    """Of a cotangent that is one number for all, the first output is given it, and the others none."""

    function = OneNumber


class ColumnsOfCotangent(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if column_by_column(gradient):
            gradient = gradient.mT.reshape(gradient.shape)
        return gradients(ctx, gradient)


@mutant("input_gradient", "cotangent_transposed")
class ReadsColumnsOfCotangentForRows(FunctionIsLinear):
    """A cotangent that lies column by column is read row by row."""

    function = ColumnsOfCotangent


class UnitStrideOfCotangent(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_input, by_weight, _ = gradients(ctx, gradient)
        if 0 not in gradient.stride():
            gradient = gradient.as_strided(gradient.shape, (*gradient.stride()[:-1], 1))
        return by_input, by_weight, flatten_leading(gradient, 1).sum(0)


@mutant("parameter_gradient", "cotangent_transposed")
class SumsCotangentWithUnitStride(FunctionIsLinear):
    """The gradient of the bias sums a cotangent as if its last axis lay side by side."""

    function = UnitStrideOfCotangent


class ContiguousCotangent(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if gradient.stride() and gradient.stride(-1) == 1:
            gradient = gradient.as_strided(gradient.shape, row_by_row(gradient))
        return gradients(ctx, gradient)


@mutant("input_gradient", "cotangent_strided")
class ReadsRowsOfCotangentOneAfterAnother(FunctionIsLinear):
    """A cotangent whose rows lie apart is read as if one followed another."""

    function = ContiguousCotangent


class CotangentFromStart(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return gradients(ctx, gradient.as_strided(gradient.shape, gradient.stride(), 0))


@mutant("input_gradient", "cotangent_strided")
class ReadsCotangentFromStartOfMemory(FunctionIsLinear):
    """A cotangent is read from the start of its memory."""

    function = CotangentFromStart


# A graph that is used more than once.


class CountingBackward(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        first, ctx.used = not hasattr(ctx, "used"), True
        return gradients(ctx, gradient if first else 0 * gradient)


@mutant("input_gradient", "kept_graph")
class GivesGradientOnce(FunctionIsLinear):
    """A backward that has run gives zeros."""

    function = CountingBackward


class ScalingSaved(Affine):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        ctx.scale = getattr(ctx, "scale", 2.0) / 2
        by_input, by_weight, by_bias = gradients(ctx, gradient)
        return by_input, ctx.scale * by_weight, by_bias


@mutant("parameter_gradient", "kept_graph")
class HalvesWhatItHasSaved(FunctionIsLinear):
    """A backward works on what it has saved, and leaves half of it for the next."""

    function = ScalingSaved
