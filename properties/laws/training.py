"""Laws about training: the same steps on both forms, and whether what they change still corresponds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from equivalence.claim import Theta
from properties.cases.form import Form
from properties.cases.sample import OutsideDomainError, Sample, Stream, named_tensors
from properties.laws.applicability import matrices, parameters
from properties.laws.comparing import narrowed
from properties.laws.recipes import ADAFACTOR, MUON, RECIPES, Optimisation, Recipe
from properties.laws.registry import Controlled, Controls, law

STEPS = 4
BACKWARDS = range(STEPS)[::-1]
FACTOR = 1.0001
SCALED = f"{FACTOR:g} × the gradient from the second step on"
NARROW = "rounding hides a wrong step of training"
PULLS = (1, -2, 3, 0, -1, 2, 4, -3)
"""What the target of each loss is multiplied by: no two steps pull the same way, alone or two at a time."""


class Trained(NamedTuple):
    """What a training run came to: the loss before each step, the state afterwards, and whether it moved."""

    losses: Sequence[Tensor]
    state: Theta
    has_gradient: bool
    """Whether the last step had a gradient, and one that a wrong run would show in."""


Moved = Mapping[str, Any]
WrongRun = Callable[[Sample], Trained]


def controls_of(recipes: Sequence[Recipe]) -> Controls:
    """Give the wrong runs of some recipes: what a law about them must tell from a right one.

    One recipe alone is asked for all of them. Of many, each is asked for one of them in a run, by turns, and
    for the next one by a later draw of its own: all of each would double what the law costs.
    """

    def controls(sample: Sample) -> Controlled:
        recipe = chosen(recipes, sample)
        wrong = list(wrong_runs(recipe))
        turn = recipes.index(recipe) + sample.case.seed // len(recipes)
        asked = wrong if len(recipes) == 1 else [wrong[turn % len(wrong)]]
        return controlled(sample, recipe, asked)

    return controls


def controlled(sample: Sample, recipe: Recipe, names: Sequence[str]) -> Controlled:
    """Give the weights of a right run and of some wrong ones; OutsideDomainError without a gradient."""
    right = trained(sample.reference, sample, recipe)
    if not right.has_gradient:
        message = f"{recipe.name} has no gradient to take a step with"
        raise OutsideDomainError(message)
    runs = wrong_runs(recipe)
    wrong = {name: _live(sample.candidate, sample, runs[name](sample)) for name in names}
    return Controlled(_live(sample.reference, sample, right), wrong)


def wrong_runs(recipe: Recipe) -> dict[str, WrongRun]:
    """Give the ways to train the candidate wrongly that must show in its weights, by name.

    The factor is on the gradient from the second step on, and after clipping: Adam and its like, and a
    clipped gradient, are the same for every constant factor. Losses are no part of it: the first one would
    show another order at once.
    """
    return {
        "a frozen form": lambda sample: trained(sample.candidate, sample, recipe, ()),
        SCALED: lambda sample: trained(sample.candidate, sample, recipe, factor=FACTOR),
        "half the learning rate": lambda sample: trained(sample.candidate, sample, recipe.with_rate(0.5)),
        "the steps in another order": lambda sample: trained(sample.candidate, sample, recipe, BACKWARDS),
    }


def _what_moves(reference: Moved, candidate: Moved, _: Sample) -> tuple[Moved, Moved]:
    """Compare what training changes in the reference: another buffer is the candidate's own."""
    return reference, {name: candidate.get(name, "as it was before") for name in reference}


@law(
    parameters,
    decided="reals",
    compared=narrowed(_what_moves),
    controls=controls_of(RECIPES),
    variants=len(RECIPES),
    scope="layer",
    narrow=NARROW,
    otherwise="trains otherwise",
    kind="another training run",
)
def training(form: Form, sample: Sample) -> Any:
    """carry(theta_k) = theta'_k, trained buffers too, after k steps of an optimiser, with equal losses."""
    return _run(form, sample, chosen(RECIPES, sample))


@law(
    parameters,
    decided="reals",
    compared=narrowed(_what_moves),
    controls=controls_of([ADAFACTOR]),
    scope="layer",
    narrow=NARROW,
    otherwise="trains otherwise under Adafactor",
    kind="another training run",
)
def training_adafactor(form: Form, sample: Sample) -> Any:
    """carry(theta_k) = theta'_k by Adafactor, which takes means over the last two axes of a parameter."""
    return _run(form, sample, ADAFACTOR)


@law(
    matrices,
    decided="reals",
    compared=narrowed(_what_moves),
    controls=controls_of([MUON]),
    scope="layer",
    narrow=NARROW,
    otherwise="trains otherwise under Muon",
    kind="another training run",
)
def training_muon(form: Form, sample: Sample) -> Any:
    """carry(theta_k) = theta'_k by Muon, which takes a matrix as a whole, and SGD for what is no matrix."""
    return _run(form, sample, MUON)


def chosen(recipes: Sequence[Recipe], sample: Sample) -> Recipe:
    """Give the recipe of a case: its seed says which."""
    return recipes[sample.case.seed % len(recipes)]


def trained(
    form: Form, sample: Sample, recipe: Recipe, steps: Sequence[int] = range(STEPS), factor: float = 1.0
) -> Trained:
    """Take the steps with these numbers, in this order; `factor` is on the gradient from the second on."""
    module = sample.module(form, sample.theta)
    losses: list[Tensor] = []
    with form.answering():
        optimisation = Optimisation(recipe, module.parameters())
        for place, step in enumerate(steps):
            optimisation.zero_grad()
            losses.append(_accumulated(form, module, sample, recipe, step))
            optimisation.step(factor if place else 1.0)
    state = named_tensors(module)
    return Trained(losses, {name: value.detach() for name, value in state.items()}, optimisation.shows())


def _run(form: Form, sample: Sample, recipe: Recipe) -> Moved:
    run = trained(form, sample, recipe)
    losses = {f"loss before step {place}": loss for place, loss in enumerate(run.losses, start=1)}
    weights, buffers = (
        {f"{name} after {STEPS} steps": value for name, value in state(form, sample, run).items()}
        for state in (_live, _buffers)
    )
    return {f"{recipe.name}: {name}": value for name, value in (weights | losses | buffers).items()}


def _accumulated(form: Form, module: nn.Module, sample: Sample, recipe: Recipe, step: int) -> Tensor:
    """Add up the gradients of one step, and give its mean loss."""
    losses = []
    for part in range(step * recipe.accumulated, (step + 1) * recipe.accumulated):
        loss = _loss(form, module, sample, part) / recipe.accumulated
        if loss.requires_grad:
            loss.backward()
        losses.append(loss.detach())
    return torch.stack(losses).sum()


def _loss(form: Form, module: nn.Module, sample: Sample, part: int) -> Tensor:
    """Mean of |y - c t|², with t the target of the case and c the pull of this part."""
    outputs = [
        output for output in form.run(module, _batch(sample, part), call=part) if output.is_floating_point()
    ]
    targets = sample.draw_like(outputs, Stream.TARGETS)
    pairs = zip(outputs, targets, strict=True)
    squares = [(output - PULLS[part] * target).square() for output, target in pairs]
    # Where no output is real, there is nothing to learn.
    means = [square.sum() / max(1, square.numel()) for square in squares]
    nothing = torch.zeros((), dtype=sample.dtype, device=sample.setting.device)
    return torch.stack([nothing, *means]).sum()


def _batch(sample: Sample, part: int) -> list[Tensor]:
    """Give the inputs of one part, of a size of its own: an average over equal batches shows nothing."""
    return [x * (1 + part / len(PULLS)) if x.is_floating_point() else x for x in sample.inputs]


def _live(form: Form, sample: Sample, run: Trained) -> dict[str, Tensor]:
    """Give the candidate's parameters with their dead entries at 0: nothing says where these go."""
    dead, state = sample.candidate.dead, form.in_candidate(run.state)
    own = {name: _cast(state[name], sample.dtype) for name in sample.candidate.parameters}
    return {
        name: value.masked_fill(dead[name].to(value.device), 0) if name in dead else value
        for name, value in own.items()
    }


def _buffers(form: Form, sample: Sample, run: Trained) -> dict[str, Tensor]:
    """Give the candidate's buffers that `carry` names, but for its own tables, which no step changes."""
    before, after = form.state(sample.theta), form.in_candidate(run.state)
    constants = sample.candidate.constants
    return {
        name: _cast(after[name], sample.dtype)
        for name in sample.candidate.buffers
        if name in after and not (name in constants and _unmoved(before[name], after[name]))
    }


def _unmoved(before: Tensor, after: Tensor) -> bool:
    # What is longer than before is kept from a call, and no step of training.
    return before.shape != after.shape or torch.equal(before, after)


def _cast(value: Tensor, dtype: torch.dtype) -> Tensor:
    # A carry may compute in another dtype than that of the run.
    return value.to(dtype) if value.is_floating_point() else value
