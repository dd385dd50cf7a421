"""One module in training: made from its variant, stepped, measured, and put away as plain arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claim import Equivalence, Theta
from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.form import Form, on_cpu
from properties.cases.generators import generator_state
from properties.cases.sample import build, load, named_tensors, takes_rows
from properties.cases.setting import Setting
from properties.experiments.images import Images
from properties.experiments.plan import Variant
from properties.reading.claims import UsageError, load_claim, parse_pins
from properties.report.text import one_line

AT_ONCE = 500
"""Images that are validated at once: a broadcast form holds 7,840 products for each."""
PIXEL = 255
DROPOUT, ORDER = 0, 1
"""The streams of numbers of a run."""


class Member:
    """A variant under one seed in one dtype, trained by plain SGD, which keeps nothing between steps."""

    def __init__(self, variant: Variant, seed: int, dtype: torch.dtype, images: Images) -> None:
        """Build the form with its first weights; UsageError where the form does not take the images."""
        self.variant = variant
        self.seed = seed
        self.dtype = dtype
        case = _case(variant)
        self.claim = case.claim
        self.flat = _takes_flat(case, images)
        self.module = _started(case.claim, variant, seed).to(dtype)
        self.parameters = {
            name: value for name, value in self.module.named_parameters() if value.requires_grad
        }
        self._check(images)

    def step(self, pixels: Tensor, classes: Tensor, rate: float, place: tuple[int, int]) -> float:
        """Take one step of SGD at `place` (epoch, step) of the run, and return the batch's loss before it."""
        self.module.train()
        # Dropout depends on the place alone: forms side by side drop the same, and so does a resumed run.
        with generator_state(number(self.seed, DROPOUT, *place)):
            loss = functional.cross_entropy(self._logits(pixels), classes)
        gradients = torch.autograd.grad(loss, list(self.parameters.values()), materialize_grads=True)
        with torch.no_grad():
            for parameter, gradient in zip(self.parameters.values(), gradients, strict=True):
                parameter.sub_(gradient, alpha=rate)
                self.norms[len(self.norms) :] = [gradient.norm()]
        return float(loss.detach())

    def validated(self, images: Images) -> Tensor:
        """Return the logits of the validation images, (images, classes), in eval mode."""
        self.module.eval()
        with torch.no_grad(), generator_state(self.seed):
            return torch.cat([self._logits(part) for part in images.validation[0].split(AT_ONCE)])

    def begin_epoch(self) -> None:
        """Forget the gradient norms of the epoch before."""
        self.norms: list[Tensor] = []

    def gradient_norms(self) -> dict[str, float]:
        """Return the mean norm of each parameter's gradient over the epoch's steps."""
        if not self.norms:
            return {}
        means = torch.stack(self.norms).reshape(-1, len(self.parameters)).double().mean(0)
        return dict(zip(self.parameters, means.tolist(), strict=True))

    def state(self) -> dict[str, np.ndarray]:
        """Give a copy of every parameter and buffer, a shared one once."""
        return {name: value.detach().numpy().copy() for name, value in self._tensors()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `state` gave; ValueError where the names, the shapes or the dtypes are others."""
        if _kinds(state) != _kinds(self.state()):
            message = f"the tensors are {_kinds(self.state())}, but got {_kinds(state)}"
            raise ValueError(message)
        load(self.module, {name: torch.from_numpy(value) for name, value in state.items()})

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        yield from self.module.named_parameters()
        yield from self.module.named_buffers()

    def _logits(self, pixels: Tensor) -> Tensor:
        x = (pixels.flatten(1) if self.flat else pixels).float() / PIXEL
        logits: Tensor = self.module(x.to(self.dtype))
        return logits

    def _check(self, images: Images) -> None:
        about = f"{self.variant.claim}: the {self.variant.side}"
        if not self.parameters:
            message = f"{about} has no parameter to train; train a form that has one"
            raise UsageError(message)
        try:
            logits = Member.validated(self, Images(images.training, (images.validation[0][:2],) * 2))
        except (FormError, ValueError, TypeError, RuntimeError, IndexError) as error:
            message = f"{about} refuses two images: {type(error).__name__}: {error}".splitlines()[0]
            raise UsageError(message) from error
        if not isinstance(logits, Tensor) or logits.ndim != 2 or logits.shape[1] < images.classes:  # noqa: PLR2004
            message = (
                f"{about} gives {images.classes} numbers or more for each image, but gives "
                f"{tuple(logits.shape)} for 2; set its sizes with --at"
            )
            raise UsageError(message)


def _kinds(state: dict[str, np.ndarray]) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    return {name: (value.shape, value.dtype) for name, value in state.items()}


def _case(variant: Variant) -> Case:
    """Give the case whose claim has the variant's fields; ClaimError or UsageError where there is none."""
    claim = load_claim(variant.claim)
    return Domain(claim, parse_pins(claim, variant.at)).typical


def theta_of(module: nn.Module) -> Theta:
    """Give a module's parameters and buffers by name, detached."""
    named = named_tensors(module)
    return {name: value.detach().clone() for name, value in named.items()}


def carried(claim: Equivalence, theta: Theta, candidate: nn.Module, dtype: torch.dtype) -> Theta:
    """Return φ(θ), held against the candidate's names and shapes; ClaimError where they differ."""
    return Form("candidate", claim, candidate, Setting(dtype)).state(theta)


def number(*words: int) -> int:
    """Return the seed of a stream of numbers: a hash of what tells it from every other."""
    return int(np.random.SeedSequence(words).generate_state(1)[0])


def _started(claim: Equivalence, variant: Variant, seed: int) -> nn.Module:
    try:
        module = build(claim, variant.side, seed)
        if variant.carried:
            theta = theta_of(build(claim, "reference", seed))
            with on_cpu():
                load(module, carried(claim, theta, module, torch.float32))
    except FormError as error:
        # A constructor's own words may have several lines.
        message = f"{variant.claim} at {claim!r}: {error}"
        raise UsageError(one_line(message)) from error
    return module


def _takes_flat(case: Case, images: Images) -> bool:
    """Whether the claim's one input takes an image as a row, rather than as a map."""
    shapes = {name: case.shape(variable) for name, variable in case.claim.inputs().items()}
    maps = images.training[0]
    for rows in (maps, maps.flatten(1)):
        if len(shapes) == 1 and all(
            takes_rows(rows, shape) and len(shape) == rows.ndim for shape in shapes.values()
        ):
            return rows is not maps
    message = (
        f"{type(case.claim).__name__}: a form in training takes a batch of images of {tuple(maps.shape[1:])} "
        f"or their rows of {maps[0].numel()}, but its inputs are {shapes}; set its sizes with --at"
    )
    raise UsageError(message)
