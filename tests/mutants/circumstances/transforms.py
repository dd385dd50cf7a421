"""Bugs that show in what torch makes of a form."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.autograd.function import Function
from torch.nn import functional

from equivalence.claim import Equivalence, Real, Theta
from equivalence.layers.validation import flatten_leading
from tests.mutants.circumstances.right import (
    OUT,
    Affine,
    ByFunction,
    FunctionIsLinear,
    Of,
    Scaled,
    ScaledIsInItsWeight,
    applied,
    gradients,
)
from tests.mutants.modules import Positive
from tests.mutants.planted import mutant


class Separate(Affine):
    """x Wᵀ + b with rules for torch.func."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:  # type: ignore[override]
        return x @ weight.mT + bias

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.save_for_forward(*inputs[:2])

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> Tensor:
        x, weight = ctx.saved_tensors
        by_input, by_weight, by_bias = tangents
        moved = [
            *([] if by_input is None else [by_input @ weight.mT]),
            *([] if by_weight is None else [x @ by_weight.mT]),
            *([] if by_bias is None else [by_bias]),
        ]
        return torch.stack(torch.broadcast_tensors(*moved)).sum(0)

    @staticmethod
    def vmap(_: Any, axes: tuple[int | None, ...], *values: Tensor) -> tuple[Tensor, int]:
        x, weight, bias = values
        return applied(Separate, x.movedim(axes[0] or 0, 0), weight, bias), 0


class SeparateIsLinear(FunctionIsLinear):
    """Linear equals an autograd.Function with rules for torch.func."""

    function = Separate


class LastAxis(Separate):
    @staticmethod
    def vmap(_: Any, axes: tuple[int | None, ...], *values: Tensor) -> tuple[Tensor, int]:
        return Separate.vmap(_, axes, *values)[0], -1


@mutant("forward", "vmap")
class SaysThatSlicesLieLast(SeparateIsLinear):
    """The rule for vmap says that the slices of its output lie on the last axis."""

    function = LastAxis


class CentredFeatures(Of):
    """x less its mean over the last axis."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(-1, keepdim=True)


class Centring(Function):
    """x less its mean over an axis, which is counted from the first."""

    @staticmethod
    def forward(x: Tensor, axis: int) -> Tensor:
        return x - x.sum(axis, keepdim=True) / x.shape[axis]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], _: Tensor) -> None:
        ctx.axis = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return Centring.forward(gradient, ctx.axis), None

    @staticmethod
    def vmap(_: Any, axes: tuple[int | None, ...], x: Tensor, axis: int) -> tuple[Tensor, int]:
        return applied(Centring, x.movedim(axes[0] or 0, 0), axis + 1), 0


class CentredByFunction(Of):
    def __init__(self, function: type[Centring]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return applied(self.function, x, x.ndim - 1)


class FeaturesAreCentredByFunction(Equivalence):
    """Centring the features equals an autograd.Function with rules for torch.func."""

    features: Positive

    function: ClassVar[type[Centring]] = Centring
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return CentredFeatures()

    def candidate(self) -> nn.Module:
        return CentredByFunction(self.function)


class SameAxis(Centring):
    @staticmethod
    def vmap(_: Any, axes: tuple[int | None, ...], x: Tensor, axis: int) -> tuple[Tensor, int]:
        return applied(Centring, x.movedim(axes[0] or 0, 0), axis), 0


@mutant("forward", "vmap")
class CountsAxisWithoutThatOfVmap(FeaturesAreCentredByFunction):
    """The rule for vmap counts the axis as if there were no further one before it."""

    function = SameAxis


class DoubledTangent(Separate):
    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> Tensor:
        return 2 * Separate.jvp(ctx, *tangents)


@mutant("forward", "jvp")
class DoublesTangent(SeparateIsLinear):
    """The rule for jvp doubles the tangent."""

    function = DoubledTangent


class AllOrNone(Separate):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return gradients(ctx, gradient) if all(ctx.needs_input_grad) else (None, None, None)


@mutant("forward", "func_grad")
class GivesAllGradientsOrNone(SeparateIsLinear):
    """The backward gives no gradient where one is not needed."""

    function = AllOrNone


class Composite(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        y = functional.linear(x, self.weight, self.bias)
        return y if torch._C._are_functorch_transforms_active() else self.scale * y


@mutant("forward", "func_grad", "vmap", "jvp")
class ForgetsScaleUnderTransforms(ScaledIsInItsWeight):
    """The path for torch.func, which knows no rule for the fast one, forgets the scale."""

    form = Composite


class SharingWork(Affine):
    @staticmethod
    def forward(ctx: Any, layer: Any, *values: Tensor) -> Tensor:
        ctx.layer = layer
        layer.work = Affine.forward(ctx, *values)
        y: Tensor = layer.work.clone()
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        ctx.layer.work = gradient.clone()
        x, weight = ctx.saved_tensors
        rows = flatten_leading(ctx.layer.work, 1)
        return None, ctx.layer.work @ weight, rows.mT @ flatten_leading(x, 1), rows.sum(0)


class SharingWorkLayer(ByFunction):
    def forward(self, x: Tensor) -> Tensor:
        return applied(self.function, self, x, self.weight, self.bias)


@mutant("input_gradient", "checkpointed")
class SharesWorkWithItsBackward(FunctionIsLinear):
    """The backward writes to work memory before it asks for what was saved, and so computes it again."""

    def candidate(self) -> nn.Module:
        return SharingWorkLayer(self.features, OUT, SharingWork)


class Recomputing(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        again = torch._C._current_graph_task_id() != -1
        scaled = x * (1.0 if again else self.scale)
        return functional.linear(scaled, self.weight, self.scale * self.bias)


@mutant("parameter_gradient", "checkpointed")
class ForgetsScaleInRecomputation(ScaledIsInItsWeight):
    """What is computed once more in a backward is not scaled."""

    form = Recomputing


class UnderAutocast(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return self.unbiased(x) if torch.is_autocast_enabled("cpu") else super().forward(x)


@mutant("forward", "autocast")
class ForgetsBiasUnderAutocast(ScaledIsInItsWeight):
    """The path of autocast forgets the bias."""

    form = UnderAutocast


class ScaledAsInput(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        y = functional.linear(x, self.weight, self.bias)
        return self.scale * y if y.dtype == x.dtype else y.to(x.dtype)


@mutant("forward", "autocast")
class ForgetsScaleOfOtherDtype(ScaledIsInItsWeight):
    """A product that comes back in another dtype is cast, and not scaled."""

    form = ScaledAsInput


class OwnBias(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        bias = self._parameters.get("bias")
        return self.scale * functional.linear(x, self.weight, bias)


@mutant("forward", "parametrized")
class LooksForBiasAmongItsOwn(ScaledIsInItsWeight):
    """The bias is looked up among the layer's own parameters, where a parametrised one is not."""

    form = OwnBias


class ByName(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        scale = {"ByName": self.scale}.get(type(self).__name__, 1.0)
        return scale * functional.linear(x, self.weight, self.bias)


@mutant("forward", "parametrized")
class LooksUpScaleByClass(ScaledIsInItsWeight):
    """The scale is looked up by the name of the class, which a parametrisation changes."""

    form = ByName


class Merged(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        y = functional.linear(x, self.weight, self.bias)
        return self.scale * y if self.weight.requires_grad else y


@mutant("forward", "functional")
class TakesFrozenWeightForMerged(ScaledIsInItsWeight):
    """A weight that needs no gradient is taken for one that is scaled already."""

    form = Merged


class ForConstants(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        recorded = any(value.requires_grad for value in (x, *self.parameters()))
        return super().forward(x) if recorded else self.unbiased(x)


@mutant("forward", "functional")
class ForgetsBiasOfConstants(ScaledIsInItsWeight):
    """Where neither x nor a parameter needs a gradient, the bias is forgotten."""

    form = ForConstants


class ScaledByBuffer(Scaled):
    factor: Tensor

    def __init__(self, in_features: int, out_features: int, scale: float = 1.0) -> None:
        super().__init__(in_features, out_features, scale)
        self.register_buffer("factor", torch.tensor(scale), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * functional.linear(x, self.weight, self.bias)


@mutant("forward", "materialised")
class KeepsScaleOutOfItsState(ScaledIsInItsWeight):
    """The scale is a buffer that is not persistent: no state brings it back."""

    form = ScaledByBuffer


class OrderedScaled(Scaled):
    def __init__(self, in_features: int, out_features: int, scale: float = 1.0) -> None:
        super().__init__(in_features, out_features, scale)
        self.order = torch.arange(in_features).flip(0)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * functional.linear(x[..., self.order], self.weight[:, self.order], self.bias)


@mutant("forward", "materialised")
class KeepsOrderInPlainTensor(ScaledIsInItsWeight):
    """The order of the products is a tensor of the constructor, and no buffer."""

    form = OrderedScaled


class WeightByColumns(Scaled):
    def __init__(self, in_features: int, out_features: int, scale: float = 1.0) -> None:
        super().__init__(in_features, out_features, scale)
        self.weight = nn.Parameter(self.weight.detach().T.contiguous().T)


@mutant("forward", "safetensors")
class KeepsWeightByColumns(ScaledIsInItsWeight):
    """The weight lies in memory column by column: no file takes it as it is."""

    form = WeightByColumns


class RegisteredTwice(nn.Module):
    def __init__(self, in_features: int, out_features: int, scale: float = 1.0) -> None:
        super().__init__()
        self.layer = Scaled(in_features, out_features, scale)
        self.layers = nn.ModuleList([self.layer])

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers[0](x)
        return y


@mutant("forward", "safetensors")
class RegistersLayerTwice(ScaledIsInItsWeight):
    """The layer is registered under two names, so that its state holds every tensor twice."""

    form = RegisteredTwice

    def carry(self, theta: Theta) -> Theta:
        return {f"layer.{name}": value for name, value in theta.items()}
