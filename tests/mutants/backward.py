"""x Wᵀ with a backward of its own, wrong in one way each. Every forward is right."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from equivalence.layers.validation import flatten_leading


class Product(Function):
    """x Wᵀ, (*batch, in) and (out, in) -> (*batch, out)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.T


def product(function: type[Product], x: Tensor, weight: Tensor) -> Tensor:
    """x Wᵀ with the backward of one of the functions below."""
    y: Tensor = function.apply(x, weight)  # type: ignore[no-untyped-call]
    return y


def gradients(gradient: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Give the right gradients of x Wᵀ, in x and in W."""
    return gradient @ weight, flatten_leading(gradient, 1).T @ flatten_leading(x, 1)


class MeanInputGradient(Product):
    """The input's gradient is averaged over the outputs instead of summed."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        by_input, by_weight = gradients(gradient, *ctx.saved_tensors)
        return by_input / max(1, gradient.shape[-1]), by_weight


class ClippedInputGradient(Product):
    """The input's gradient is clipped to [-1, 1]."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        by_input, by_weight = gradients(gradient, *ctx.saved_tensors)
        return by_input.clamp(-1, 1), by_weight


class SquareTransposedInputGradient(Product):
    """The input's gradient is g Wᵀ instead of g W where W is square."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        by_input, by_weight = gradients(gradient, x, weight)
        rows, columns = weight.shape
        return (gradient @ weight.T if rows == columns else by_input), by_weight


class MeanWeightGradient(Product):
    """The weight's gradient is averaged over the rows instead of summed."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        by_input, by_weight = gradients(gradient, *ctx.saved_tensors)
        return by_input, by_weight / max(1, gradient.shape[:-1].numel())


class LastRowMissingWeightGradient(Product):
    """The weight's gradient sums over all rows but the last."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        by_input, _ = gradients(gradient, x, weight)
        return by_input, flatten_leading(gradient, 1)[:-1].T @ flatten_leading(x, 1)[:-1]


class OnceDifferentiable(Product):
    """The backward is marked as not to be differentiated."""

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        return gradients(gradient, *ctx.saved_tensors)


class DetachedBackward(Product):
    """The backward computes with detached tensors, so that the mixed second derivatives vanish."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return gradients(gradient, x.detach(), weight.detach())


class DetachedWeightInBackward(Product):
    """The backward detaches the weight alone: the derivative of dy/dx in W vanishes."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return gradients(gradient, x, weight.detach())


class RecomputingBackward(Product):
    """The backward runs the forward again on detached copies, as checkpointing does, and keeps no graph."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = (saved.detach().requires_grad_() for saved in ctx.saved_tensors)
        with torch.enable_grad():
            y = x @ weight.T
        by_input, by_weight = torch.autograd.grad(y, (x, weight), gradient)
        return by_input, by_weight
