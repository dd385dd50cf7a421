"""Whether the entries that a form starts with are drawn each for itself, by signs alone.

Two constructions give one difference for every entry, positive or negative with equal chances whatever its
distribution. Over m pairs of constructions, two independent entries agree in sign (or disagree) in all of
them with probability 2^(1 - m), and by Hoeffding their products of signs sum to more than sqrt(2 m t) with
probability at most 2 exp(-t). Entries that are copies, scaled, shifted or negated ones too, agree in all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from properties.oracle.statistics import FALSE_ALARM, index_of

MOST_PAIRED = 384
"""Entries whose every pair is held against Hoeffding's bound; copies are looked for among all entries."""


@dataclass(frozen=True)
class Together:
    """All that a form starts with in many constructions, (constructions, entries), parameter by parameter."""

    values: Tensor
    shapes: Mapping[str, tuple[int, ...]]
    independent: bool
    """Whether the entries are claimed to be independent."""


def together(reference: Together, candidate: Together) -> str:
    """Say which entries hang together in one form and not in the other, or against the claim."""
    if reference.values.shape != candidate.values.shape or not candidate.values.numel():
        return ""
    signs = _signs(candidate.values)
    copies = _copies(signs)
    return _other_copies(_copies(_signs(reference.values)), copies, candidate) or (
        _dependent(signs, candidate) if candidate.independent else ""
    )


def _signs(values: Tensor) -> Tensor:
    """Give the signs of the differences between two halves of the constructions, (pairs, entries)."""
    half = len(values) // 2
    return (values[:half] - values[half : 2 * half]).sign()


def _copies(signs: Tensor) -> Tensor:
    """Give for every entry the first one with the same signs or the opposite ones: itself, mostly."""
    own = torch.arange(signs.shape[1])
    leader = _first_alike(signs)
    found = (leader != own).nonzero().squeeze(1)
    agreeing = (signs[:, found] * signs[:, leader[found]]).sum(0).abs()
    drawn = signs[:, found].abs().sum(0)
    # Constants, and entries of few different draws, agree by chance.
    enough = math.log2(4 * _pairs(len(own)) / FALSE_ALARM)
    alike = (agreeing == drawn) & (drawn == signs[:, leader[found]].abs().sum(0)) & (drawn >= enough)
    return own.index_copy(0, found[alike], leader[found[alike]])


def _first_alike(signs: Tensor) -> Tensor:
    """Give for every column the first one with as large a sum of random weights, whatever its sign."""
    pairs, entries = signs.shape
    weights = torch.randint(2**40, (pairs,), generator=torch.Generator().manual_seed(0)).double()
    # Whole numbers below 2^53: exact, in whatever order they are summed.
    _, group = torch.unique((weights @ signs.double()).abs(), return_inverse=True)
    return torch.full((entries,), entries).scatter_reduce(0, group, torch.arange(entries), "amin")[group]


def _other_copies(expected: Tensor, found: Tensor, candidate: Together) -> str:
    differing = (expected != found).nonzero()
    if not len(differing):
        return ""
    place = int(differing[0])
    whose, other = ("reference", expected) if found[place] == place else ("candidate", found)
    name, twin = _name(place, candidate), _name(int(other[place]), candidate)
    return (
        f"{name} is drawn together with {twin} in the {whose} alone; {len(differing)} of {len(found)} "
        "entries are copies in one form and not in the other"
    )


def _dependent(signs: Tensor, candidate: Together) -> str:
    """Name two entries whose signs agree, or disagree, more often than those of independent ones."""
    places = torch.arange(0, signs.shape[1], math.ceil(signs.shape[1] / MOST_PAIRED))
    chosen = signs[:, places]
    sums = (chosen.T @ chosen).triu(1)
    limit = math.sqrt(2 * len(signs) * math.log(2 * _pairs(len(places)) / FALSE_ALARM))
    strongest = int(sums.abs().argmax())
    one, other = (int(places[axis]) for axis in divmod(strongest, len(places)))
    total = int(sums.flatten()[strongest])
    if abs(total) <= limit:
        return ""
    return (
        f"{_name(other, candidate)} is not independent of {_name(one, candidate)}: their signs agree "
        f"{total:+d} times more than they disagree in {len(signs)} pairs of constructions, where chance "
        f"gives at most {limit:.0f}"
    )


def _pairs(entries: int) -> int:
    return max(1, entries * (entries - 1) // 2)


def _name(place: int, form: Together) -> str:
    """Give an entry its parameter and its index there."""
    for name, shape in form.shapes.items():
        if place < math.prod(shape):
            return f"{name}{index_of(place, shape)}"
        place -= math.prod(shape)
    raise IndexError(place)
