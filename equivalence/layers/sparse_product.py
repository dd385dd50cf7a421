"""A sparse weight times a dense matrix, all derivatives of which are sparse too."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from equivalence.layers.connections import Blocks, Connections

Live = Connections | Blocks


def sparse_product(values: Tensor, columns: Tensor, live: Live) -> Tensor:
    """Y = W X with W given by its live values, (in_features, rows) -> (out_features, rows)."""
    return _apply(_Product, values, columns, live)


def _apply(function: type[Function], *arguments: Any) -> Tensor:
    y: Tensor = function.apply(*arguments)
    return y


class _Sparse(Function):
    """A bilinear function of two tensors. Of the three below, each has the others for its derivatives."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        left, right, ctx.live = inputs
        ctx.save_for_backward(left, right)

    @classmethod
    def mapped(cls, info: Any, axes: tuple[Any, ...], *arguments: Any) -> tuple[Tensor, int]:
        """Map over an axis of either tensor by a call for each entry."""
        pairs = list(zip(arguments, axes, strict=True))
        calls = [
            [value if axis is None else value.select(axis, place) for value, axis in pairs]
            for place in range(info.batch_size)
        ]
        return torch.stack([_apply(cls, *call) for call in calls]), 0


class _Product(_Sparse):
    """Y = W X."""

    @staticmethod
    def forward(values: Tensor, columns: Tensor, live: Live) -> Tensor:
        return live.multiply(values, columns.contiguous())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        values, columns = ctx.saved_tensors
        by_values, by_columns, _ = ctx.needs_input_grad
        return (
            _apply(_Pairing, gradient, columns, ctx.live) if by_values else None,
            _apply(_Transposed, values, gradient, ctx.live) if by_columns else None,
            None,
        )

    @staticmethod
    def vmap(info: Any, axes: tuple[Any, ...], *arguments: Any) -> tuple[Tensor, int]:
        return _Product.mapped(info, axes, *arguments)


class _Transposed(_Sparse):
    """Y = Wᵀ X."""

    @staticmethod
    def forward(values: Tensor, columns: Tensor, live: Live) -> Tensor:
        return live.multiply_transposed(values, columns.contiguous())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        values, columns = ctx.saved_tensors
        by_values, by_columns, _ = ctx.needs_input_grad
        return (
            _apply(_Pairing, columns, gradient, ctx.live) if by_values else None,
            _apply(_Product, values, gradient, ctx.live) if by_columns else None,
            None,
        )

    @staticmethod
    def vmap(info: Any, axes: tuple[Any, ...], *arguments: Any) -> tuple[Tensor, int]:
        return _Transposed.mapped(info, axes, *arguments)


class _Pairing(_Sparse):
    """V = Y Xᵀ where W lives."""

    @staticmethod
    def forward(outputs: Tensor, inputs: Tensor, live: Live) -> Tensor:
        return live.pair(outputs.contiguous(), inputs.contiguous())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        outputs, inputs = ctx.saved_tensors
        by_outputs, by_inputs, _ = ctx.needs_input_grad
        return (
            _apply(_Product, gradient, inputs, ctx.live) if by_outputs else None,
            _apply(_Transposed, gradient, outputs, ctx.live) if by_inputs else None,
            None,
        )

    @staticmethod
    def vmap(info: Any, axes: tuple[Any, ...], *arguments: Any) -> tuple[Tensor, int]:
        return _Pairing.mapped(info, axes, *arguments)
