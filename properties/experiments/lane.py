"""One lane: the members of a group, stepped side by side on the same batches, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from properties.cases.form import on_cpu
from properties.experiments.comparison import compared
from properties.experiments.credible import credible
from properties.experiments.images import Images
from properties.experiments.keeping import UNREADABLE, Kept, keep, kept, unreadable
from properties.experiments.member import ORDER, Member, number
from properties.experiments.plan import Lane, Settings
from properties.experiments.records import Epoch, Measure
from properties.running.threads import threads_set

Check = Callable[[], None]
"""Called at every step; raises to end the run there."""
PRECISIONS = (torch.float32, torch.float64)


class LaneRun:
    """The members of one lane, and how many epochs are behind them."""

    def __init__(self, lane: Lane, settings: Settings, images: Images) -> None:
        """Build the members with their first weights; UsageError where a form does not take the images."""
        self.lane = lane
        self.settings = settings
        self.images = images
        precisions = PRECISIONS if lane.group.ladder else PRECISIONS[:1]
        self.members = [
            [Member(variant, lane.seed, dtype, images) for dtype in precisions]
            for variant in lane.group.variants
        ]
        self.done = -1

    @property
    def flat(self) -> list[Member]:
        """Every member: the variants in order, each in its precisions."""
        return [member for variant in self.members for member in variant]

    @property
    def singles(self) -> list[Member]:
        """The float32 member of every variant."""
        return [variant[0] for variant in self.members]

    def epoch(self, check: Check) -> Epoch:
        """Train one epoch and measure it; the first only measures, as epoch 0."""
        self.done += 1
        for member in self.flat:
            member.begin_epoch()
        losses = self._trained(check) if self.done else torch.zeros(0, len(self.flat))
        logits = [[member.validated(self.images) for member in variant] for variant in self.members]
        means = losses.mean(0).tolist() if self.done else [None] * len(self.flat)
        singles = range(0, len(self.flat), len(self.members[0]))
        measures = [
            self._measure(self.flat[place], means[place], variant[0])
            for place, variant in zip(singles, logits, strict=True)
        ]
        comparison = compared(self.members, logits, losses[:, list(singles)], self.done)
        return Epoch(self.lane.name, measures, comparison)

    def _trained(self, check: Check) -> Tensor:
        """Return every batch's loss, (steps, members)."""
        images, classes = self.images.training
        # The same order for every form under a seed: only the forms and their first weights differ.
        generator = torch.Generator().manual_seed(number(self.lane.seed, ORDER, self.done))
        order = torch.randperm(len(images), generator=generator)
        losses = []
        for step, chosen in enumerate(order.split(self.settings.batch)):
            check()
            batch = images[chosen], classes[chosen]
            place = (self.done, step)
            losses.append([member.step(*batch, self.settings.learning_rate, place) for member in self.flat])
        return torch.tensor(losses, dtype=torch.float64)

    def _measure(self, member: Member, training_loss: float | None, logits: Tensor) -> Measure:
        classes = self.images.validation[1]
        return Measure(
            form=member.variant.label,
            seed=self.lane.seed,
            epoch=self.done,
            training_loss=training_loss,
            validation_loss=float(functional.cross_entropy(logits, classes)),
            accuracy=float((logits.argmax(1) == classes).double().mean()),
            gradient_norms=member.gradient_norms(),
        )


def train(run: LaneRun, identity: dict[str, object], path: Path, check: Check) -> Iterator[Epoch]:
    """Give every epoch of a lane, first those that `path` keeps; each is kept before it is given."""
    history = _resumed(run, path, identity)
    yield from history[: run.settings.epochs + 1]
    with threads_set(1), on_cpu(), torch.enable_grad():
        while run.done < run.settings.epochs:
            history.append(run.epoch(check))
            keep(path, Kept(identity, [member.state() for member in run.flat], history))
            yield history[-1]


def _resumed(run: LaneRun, path: Path, identity: dict[str, object]) -> list[Epoch]:
    found = kept(path, identity)
    if found is None:
        return []
    try:
        for member, state in zip(run.flat, found.states, strict=True):
            member.restore(state)
        if not credible(found.history, run.lane, run.singles):
            message = "not the epochs of this lane"
            raise ValueError(message)
    except UNREADABLE as error:
        raise unreadable(path, error) from error
    run.done = len(found.history) - 1
    return list(found.history)
