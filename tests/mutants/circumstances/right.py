"""The right claims in which bugs are planted that show in one circumstance alone."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.autograd.function import Function
from torch.nn import functional

from equivalence.claim import Equivalence, Real
from equivalence.layers.affine import QuietLinear
from equivalence.layers.validation import check_input, flatten_leading
from tests.mutants.modules import Positive

OUT = 3
SCALE = 0.75
STEP = 0.1


class Scaled(QuietLinear):
    """(x Wᵀ + b) times a number."""

    def __init__(self, in_features: int, out_features: int, scale: float = 1.0) -> None:
        super().__init__(in_features, out_features)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        check_input(x, (self.in_features,), self.weight)
        return self.scale * super().forward(x)

    def unbiased(self, x: Tensor) -> Tensor:
        """Forget the bias."""
        return self.scale * functional.linear(x, self.weight)


class ScaledByWeight(Scaled):
    """The same, the number multiplied into the parameters."""

    def forward(self, x: Tensor) -> Tensor:
        check_input(x, (self.in_features,), self.weight)
        return functional.linear(x, self.scaled(), self.scale * self.bias)

    def scaled(self) -> Tensor:
        return self.scale * self.weight


class ScaledIsInItsWeight(Equivalence):
    """A number times a Linear equals the Linear of its parameters times the number."""

    features: Positive

    form: ClassVar[type[nn.Module]] = ScaledByWeight
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Scaled(self.features, OUT, SCALE)

    def candidate(self) -> nn.Module:
        return self.form(self.features, OUT, SCALE)


class Affine(Function):
    """x Wᵀ + b with a backward by hand."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.mT + bias

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return gradients(ctx, gradient)


def gradients(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give the right gradients of x Wᵀ + b."""
    x, weight = ctx.saved_tensors
    rows = flatten_leading(gradient, 1)
    return gradient @ weight, rows.mT @ flatten_leading(x, 1), rows.sum(0)


def applied(function: Any, *values: Any) -> Tensor:
    """Apply an autograd.Function."""
    y: Tensor = function.apply(*values)
    return y


class ByFunction(QuietLinear):
    """Linear by an autograd.Function."""

    def __init__(self, in_features: int, out_features: int, function: type[Function]) -> None:
        super().__init__(in_features, out_features)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        check_input(x, (self.in_features,), self.weight)
        return applied(self.function, x, self.weight, self.bias)


class FunctionIsLinear(Equivalence):
    """Linear equals an autograd.Function with a backward by hand."""

    features: Positive

    function: ClassVar[type[Function]] = Affine
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, OUT)

    def candidate(self) -> nn.Module:
        return ByFunction(self.features, OUT, self.function)


class Of(nn.Module):
    """A function of its input alone."""

    def forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class Ramp(Of):
    """Every step of the last axis weighs as much as its place in the whole."""

    def forward(self, x: Tensor) -> Tensor:
        return x * self.table(x)

    def table(self, x: Tensor) -> Tensor:
        size = x.shape[-1]
        return STEP * torch.arange(1, size + 1, dtype=x.dtype) / size


class RampByMatrix(Ramp):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.matrix(x)

    def matrix(self, x: Tensor) -> Tensor:
        return torch.diag(self.table(x))


class RampIsDiagonal(Equivalence):
    """Weighing the steps of a sequence equals a product with a diagonal matrix."""

    form: ClassVar[type[nn.Module]] = RampByMatrix
    x = Real("*batch time")

    def reference(self) -> nn.Module:
        return Ramp()

    def candidate(self) -> nn.Module:
        return self.form()


class RampFromTable(Ramp):
    """Keeps the table of every size and dtype."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[Any, Tensor] = {}

    def table(self, x: Tensor) -> Tensor:
        return self.tables.setdefault((x.shape[-1], x.dtype), super().table(x))


class TableIsKept(RampIsDiagonal):
    """A table that is kept for every size and dtype is the one made anew."""

    form = RampFromTable


class View(Of):
    def forward(self, x: Tensor) -> Tensor:
        return x.view(x.shape)


class ViewIsItsInput(Equivalence):
    """A view of x, which who writes to the output writes to, equals x itself."""

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Identity()

    def candidate(self) -> nn.Module:
        return View()


class Centred(Of):
    """x less its mean over the rows."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(0)


class CentredBySum(Centred):
    def forward(self, x: Tensor) -> Tensor:
        return x - self.mean(x)

    def mean(self, x: Tensor) -> Tensor:
        return x.sum(0) / len(x)


class CentredIsBySum(Equivalence):
    """The mean over the rows is their sum over their number."""

    features: Positive

    form: ClassVar[type[nn.Module]] = CentredBySum
    x = Real("batch features")

    def reference(self) -> nn.Module:
        return Centred()

    def candidate(self) -> nn.Module:
        return self.form()
