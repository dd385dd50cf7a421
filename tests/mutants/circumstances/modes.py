"""Bugs of a mode, and of paths that are taken without gradients."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from tests.mutants.circumstances.right import Scaled, ScaledIsInItsWeight
from tests.mutants.planted import mutant

BLOCK = 2


class Deployed(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if self.training or torch.is_grad_enabled() else self.unbiased(x)


@mutant("forward", "eval")
class ForgetsBiasWhereDeployed(ScaledIsInItsWeight):
    """The path of eval without gradients forgets the bias."""

    form = Deployed


class FoldingAgain(Scaled):
    folded = 1.0

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        y, self.folded = self.folded * super().forward(x), self.folded * self.scale
        return y


@mutant("forward", "eval")
class FoldsAtEachCallInEval(ScaledIsInItsWeight):
    """In eval every call folds the scale into what the call before it has left."""

    form = FoldingAgain


class KeptOutput(Scaled):
    output: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.training or torch.is_grad_enabled():
            return super().forward(x)
        if self.output is None or self.output.shape != (*x.shape[:-1], len(self.weight)):
            self.output = super().forward(x)
        return self.output.to(x)


@mutant("forward", "eval")
class KeepsOutputByShapeWhereDeployed(ScaledIsInItsWeight):
    """In eval without gradients an output is kept for all inputs of its shape."""

    form = KeptOutput


class DetachedInEval(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        return self.scale * functional.linear(x, self.weight.detach(), self.bias)


@mutant("parameter_gradient", "eval")
class DetachesWeightInEval(ScaledIsInItsWeight):
    """In eval the weight is detached: who trains on frozen statistics trains the bias alone."""

    form = DetachedInEval


class Unbiased(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if torch.is_grad_enabled() else self.unbiased(x)


@mutant("forward", "no_grad", "inference")
class ForgetsBiasWithoutGradients(ScaledIsInItsWeight):
    """The path without gradients forgets the bias."""

    form = Unbiased


class Blocked(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if torch.is_grad_enabled() or len(x) <= BLOCK:
            return y
        return torch.cat([y[: len(x) // BLOCK * BLOCK], torch.zeros_like(y[: len(x) % BLOCK])])


@mutant("forward", "no_grad", "inference")
class DropsTailWithoutGradients(ScaledIsInItsWeight):
    """Without gradients rows are computed two by two, and a last one alone is not."""

    form = Blocked


class Fused(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return self.unbiased(x) if torch.is_inference_mode_enabled() else super().forward(x)


@mutant("forward", "inference")
class ForgetsBiasInInferenceMode(ScaledIsInItsWeight):
    """The path of inference mode forgets the bias."""

    form = Fused


class InPlace(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y.mul_(self.scale) if y.is_inference() else y


@mutant("forward", "inference")
class ScalesInferenceTensorsTwice(ScaledIsInItsWeight):
    """What is made in inference mode is scaled in place, and was scaled already."""

    form = InPlace
