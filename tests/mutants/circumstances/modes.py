"""Bugs of a mode, and of paths that are taken without gradients."""

from __future__ import annotations

import torch
from torch import Tensor

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
