"""Ways to train: which optimiser of torch, with which options, and what is done to gradients and rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ExponentialLR

from properties.oracle.widening import Widening

Parameters = Sequence[torch.nn.Parameter]
RATE = 0.1
EPS = 1e-4
"""Of optimisers that divide by a root: with torch's 1e-8, rounding decides a step on a gradient near 0."""


@dataclass(frozen=True)
class Recipe:
    """How a form is trained, as plain data."""

    name: str
    optimiser: str = "SGD"
    """The class in torch.optim."""
    options: Mapping[str, Any] = field(default_factory=lambda: {"lr": RATE})
    matrices_only: bool = False
    """Whether the optimiser takes matrices alone; the other parameters are then left to plain SGD."""
    accumulated: int = 1
    """Gradients that are averaged for one step."""
    clip_norm: float | None = None
    clip_value: float | None = None
    decay: float = 1.0
    """What the learning rate is multiplied by after each step."""
    set_to_none: bool = True
    keeps_size: bool = False
    """Whether a step is as large however small its gradient: what rounds 0 is then set to 0."""

    narrows: bool = False
    """Whether the optimiser computes in a narrower dtype inside: it is then run in that of the parameters."""

    def with_rate(self, factor: float) -> Recipe:
        """Give the same recipe with its learning rate multiplied."""
        return replace(self, options={**self.options, "lr": self.options["lr"] * factor})


class Optimisation:
    """The optimisers and schedules of a recipe on some parameters, as one."""

    def __init__(self, recipe: Recipe, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Take the parameters that have entries: some optimisers divide by their number."""
        self.recipe = recipe
        self.parameters = [one for one in parameters if one.numel() and one.requires_grad]
        self.optimisers = [make(group) for make, group in self._groups() if group]
        self.schedules = [ExponentialLR(one, recipe.decay) for one in self.optimisers if recipe.decay != 1]

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=self.recipe.set_to_none)

    def step(self, factor: float = 1.0) -> None:
        """Clip the gradients, and take one step with them, multiplied by a factor."""
        if self.recipe.keeps_size:
            set_rounding_to_zero(self.gradients())
        self._clip()
        if factor != 1:
            for gradient in self.gradients():
                gradient.mul_(factor)
        # The same step of a transposed weight ends a few thousandths apart where it is rounded to bfloat16.
        with Widening() if self.recipe.narrows else nullcontext():
            for optimiser in self.optimisers:
                optimiser.step()
        for schedule in self.schedules:
            schedule.step()

    def gradients(self) -> list[Tensor]:
        """Give the gradients that there are."""
        return [one.grad for one in self.parameters if one.grad is not None]

    def shows(self) -> bool:
        """Whether the last step had a gradient that is not zero, and whose size matters to the optimiser."""
        return any(bool(one.any()) for one in self.gradients() if not self._has_direction_alone(one))

    def _clip(self) -> None:
        if not self.gradients():
            # torch refuses to clip nothing by value.
            return
        if self.recipe.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip_norm, foreach=False)
        if self.recipe.clip_value is not None:
            torch.nn.utils.clip_grad_value_(self.parameters, self.recipe.clip_value, foreach=False)

    def _has_direction_alone(self, gradient: Tensor) -> bool:
        return self.recipe.matrices_only and gradient.ndim == MATRIX and min(gradient.shape) == 1

    def _groups(self) -> list[tuple[Callable[[Parameters], torch.optim.Optimizer], Parameters]]:
        if not self.recipe.matrices_only:
            return [(self._usual, self.parameters)]
        matrices = [one for one in self.parameters if one.ndim == MATRIX]
        others = [one for one in self.parameters if one.ndim != MATRIX]
        return [(self._of_matrices, matrices), (self._plain, others)]

    def _usual(self, parameters: Parameters) -> torch.optim.Optimizer:
        # Not foreach: small tensors, one after the other, take less time.
        return self._made(parameters, foreach=False, **self.recipe.options)

    def _of_matrices(self, parameters: Parameters) -> torch.optim.Optimizer:
        return self._made(parameters, **self.recipe.options)

    def _plain(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=self.recipe.options["lr"], foreach=False)

    def _made(self, parameters: Parameters, **options: Any) -> torch.optim.Optimizer:
        made: torch.optim.Optimizer = getattr(torch.optim, self.recipe.optimiser)(parameters, **options)
        return made


def set_rounding_to_zero(gradients: Sequence[Tensor]) -> None:
    """Set |g| < eps^(2/3) max(1, largest |g|) to 0, in place: the gradients of one step.

    Terms that cancel leave about eps of their size, some hundred times more behind a norm: forms that are the
    same leave different ones. Their size is at least 1, that of all that is drawn: where a form is constant,
    every gradient is rounding, and the largest says nothing.
    """
    largest = max((float(one.abs().max()) for one in gradients), default=0.0)
    for one in gradients:
        least = torch.finfo(one.dtype).eps ** (2 / 3) * max(1.0, largest)
        one.masked_fill_(one.abs() < least, 0)


MATRIX = 2
"""The axes of a matrix."""
MOMENTUM = {"lr": RATE, "momentum": 0.9}
RECIPES = (
    Recipe("SGD"),
    Recipe("SGD with momentum", options=MOMENTUM),
    Recipe("SGD with Nesterov momentum", options={**MOMENTUM, "nesterov": True}),
    Recipe("SGD with weight decay", options={"lr": RATE, "weight_decay": 0.1}),
    Recipe("Adam", "Adam", {"lr": RATE, "eps": EPS}),
    Recipe("AdamW", "AdamW", {"lr": RATE, "eps": EPS, "weight_decay": 0.1}),
    Recipe("Adagrad", "Adagrad", {"lr": RATE, "eps": EPS}),
    Recipe("RMSprop", "RMSprop", {"lr": RATE, "eps": EPS}),
    Recipe("gradient accumulation", options=MOMENTUM, accumulated=2),
    Recipe("clipping by norm", options=MOMENTUM, clip_norm=0.5),
    Recipe("clipping by value", options=MOMENTUM, clip_value=0.1),
    Recipe("a learning-rate schedule", options=MOMENTUM, decay=0.7),
    Recipe("zero_grad(set_to_none=False)", options=MOMENTUM, set_to_none=False),
)
"""What looks at one entry at a time, whatever the shape of its parameter. Else gradients are set to None."""
ADAFACTOR = Recipe("Adafactor", "Adafactor", {"lr": RATE, "eps": (1e-8, 1e-3)}, keeps_size=True)
"""Its eps are given: torch's are those of the dtype, another function in float32 than in float64."""
MUON = Recipe("Muon", "Muon", {"lr": RATE}, matrices_only=True, keeps_size=True, narrows=True)
"""What it keeps of a gradient of one row or column is the direction alone."""
