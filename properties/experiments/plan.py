"""What is trained: forms from which weights, in which groups, with which settings. Names and numbers only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """One form in training: `side` of a claim at fixed fields, from its own weights or from carried ones."""

    label: str
    claim: str
    at: str
    side: str
    carried: bool = False
    """Whether it starts from φ(θ), θ the fresh weights of the claim's reference under the same seed."""


@dataclass(frozen=True)
class Group:
    """Variants that see the same batches and the same dropout; the first is the other's reference."""

    variants: tuple[Variant, ...]
    ladder: bool = False
    """Whether the two are trained in float64 as well, and held against each other after every epoch."""

    @property
    def members(self) -> int:
        """The number of modules that are trained."""
        return len(self.variants) * (2 if self.ladder else 1)


@dataclass(frozen=True)
class Settings:
    """Plain SGD on the cross entropy."""

    learning_rate: float
    batch: int
    epochs: int


@dataclass(frozen=True)
class Lane:
    """A group under one seed: what one process trains, and one file keeps."""

    group: Group
    seed: int

    @property
    def name(self) -> str:
        """Return the name of its file: the last variant's label in plain letters, and the seed."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.group.variants[-1].label.lower()).strip("-")
        return f"{plain}-seed-{self.seed}"


@dataclass(frozen=True)
class Experiment:
    """Groups of variants on one set of images; the first variant is what all are held against."""

    name: str
    title: str
    story: str
    """What a reader of the picture needs to know of the forms."""
    images: str
    groups: tuple[Group, ...]
    settings: Settings
    seeds: int
    layer: str = ""
    """The layer whose gradients are drawn as well: its parameters' names begin with this."""

    @property
    def variants(self) -> list[Variant]:
        """Every variant, in the order of the groups."""
        return [variant for group in self.groups for variant in group.variants]

    def lanes(self) -> Iterator[Lane]:
        """Give every group under every seed, those with the most members first: they take longest."""
        for group in sorted(self.groups, key=lambda group: -group.members):
            for seed in range(self.seeds):
                yield Lane(group, seed)
