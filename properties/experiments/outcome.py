"""A run as it stands: its experiment and every epoch, and the questions that texts and pictures ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from properties.experiments.images import Source, load
from properties.experiments.member import Member
from properties.experiments.plan import Experiment, Variant
from properties.experiments.records import Comparison, Epoch, Measure


@dataclass
class Outcome:
    """An experiment, the source of its images, and the epochs that it has come to."""

    experiment: Experiment
    source: Source
    epochs: list[Epoch] = field(default_factory=list)

    @property
    def measures(self) -> list[Measure]:
        """Every measure: by variant in the experiment's order, by seed, by epoch."""
        order = [variant.label for variant in self.experiment.variants]
        found = [measure for epoch in self.epochs for measure in epoch.measures]
        return sorted(found, key=lambda one: (order.index(one.form), one.seed, one.epoch))

    @property
    def comparisons(self) -> list[Comparison]:
        """Every comparison, by pair, seed and epoch."""
        found = [epoch.comparison for epoch in self.epochs if epoch.comparison]
        return sorted(found, key=lambda one: (one.candidate, one.seed, one.epoch))

    @property
    def complete(self) -> bool:
        """Whether every lane has come to its last epoch."""
        return len(self.epochs) == self.total

    @property
    def total(self) -> int:
        """The number of epochs of all lanes, the measure before training included."""
        return sum(1 for _ in self.experiment.lanes()) * (self.experiment.settings.epochs + 1)

    def of(self, variant: Variant, epoch: int) -> list[Measure]:
        """Give a variant's measures after one epoch, by seed."""
        return [one for one in self.measures if one.form == variant.label and one.epoch == epoch]


def parameters(variant: Variant, source: Source) -> list[tuple[str, tuple[int, ...]]]:
    """Name a variant's parameters with their shapes, a shared one once."""
    module = Member(variant, 0, torch.float32, load(source.folder)).module
    return [(name, tuple(value.shape)) for name, value in module.named_parameters()]
