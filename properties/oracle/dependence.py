"""Whether the entries that a form starts with are drawn each for itself, by signs alone.

Two constructions give one difference for every entry, positive or negative with equal chances whatever its
distribution. Entries that are copies, scaled, shifted or negated ones too, agree in sign (or disagree) in all
of m pairs of constructions. Every test rejects a true statement with probability at most FALSE_ALARM:

* other copies, whatever the dependence: say that two entries part in a pair of constructions where they do
  not keep to the one sign that they have in the form that copies them. Pair i of the reference and pair i of
  the candidate are exchangeable, and independent of the other pairs: given that one of the two parts, which
  one is a fair coin. So all of d partings lie in one form with probability 2^-d: 2 forms, 2 signs and
  n (n - 1) / 2 pairs of entries share FALSE_ALARM. Near copies, in both forms, part in both or seldom.
* other copies of entries that are claimed independent: two of them agree in all of m pairs with probability
  2^(1 - m), so that copies need no more than one parting in the other form.
* dependence: by Hoeffding the products of the signs of independent entries sum to more than sqrt(2 m t) with
  probability at most 2 exp(-t). An entry that both forms copy from another is left out: it is no draw.

So n entries show copies where m >= log2(2 n^2 / FALSE_ALARM), and twice that where they are not claimed
independent, as half of the pairs part by chance. The law constructs a large module so seldom, 2 m = 2^20 / n
times, that copies are not seen from about 9,000 entries on, or 4,500.
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
MOST_CAST = 2**13
"""Entries whose signs are cast to float64 at once."""
REMEDY = "say fresh_entries_independent = False where both forms draw so"


@dataclass(frozen=True)
class Together:
    """All that a form starts with in many constructions, parameter by parameter."""

    signs: Tensor
    """(pairs, entries), of the differences between two constructions."""
    shapes: Mapping[str, tuple[int, ...]]
    independent: bool
    """Whether the entries are claimed to be independent."""


def together(reference: Together, candidate: Together) -> str:
    """Say which entries hang together in one form and not in the other, or against the claim."""
    if reference.signs.shape != candidate.signs.shape or not candidate.signs.numel():
        return ""
    sides = _Sides(reference.signs, candidate.signs)
    problem = _other_copies(sides, candidate) or (
        _dependent(sides, candidate) if candidate.independent else ""
    )
    return f"{problem}; {REMEDY}" if problem and candidate.independent else problem


def repeated(reference: Tensor, candidate: Tensor) -> Tensor:
    """Say of each entry (a column) whether both forms draw it as a copy of one before it."""
    return _Sides(signs_of(reference), signs_of(candidate)).repeated


def signs_of(values: Tensor) -> Tensor:
    """Give the signs of the differences between two halves of the constructions, int8 (pairs, entries)."""
    half = len(values) // 2
    one, other = values[:half], values[half : 2 * half]
    return (one > other).view(torch.int8) - (one < other).view(torch.int8)


class _Sides:
    """The signs of both forms, (pairs, entries), and which entries are copies in them."""

    def __init__(self, reference: Tensor, candidate: Tensor) -> None:
        self.reference, self.candidate = reference, candidate
        self.own = torch.arange(candidate.shape[1])
        first, other = _first_copied(candidate), _first_copied(reference)
        in_candidate = first != self.own
        self.twins = torch.where(in_candidate, first, other)
        """For every entry the one that it copies in either form: itself, mostly."""
        in_candidate |= _alike(candidate, torch.where(in_candidate, self.own, other))
        in_reference = _alike(reference, self.twins)
        copied = self.twins != self.own
        self.repeated = copied & in_reference & in_candidate
        self.in_reference_alone = self.own[copied & in_reference & ~in_candidate]
        self.in_candidate_alone = self.own[copied & in_candidate & ~in_reference]


def _first_copied(signs: Tensor) -> Tensor:
    """Give for every entry the first one with the same signs or the opposite ones: itself, mostly."""
    leader, own = _first_alike(signs), torch.arange(signs.shape[1])
    # Unlike columns may have equal sums: they are rare, and told apart here.
    return torch.where(_alike(signs, leader), leader, own)


def _alike(signs: Tensor, twins: Tensor) -> Tensor:
    """Whether each entry and another one, its twin, have the same signs or the opposite ones, and enough."""
    alike = torch.zeros(len(twins), dtype=torch.bool)
    # Mostly, an entry is its own twin.
    places = (twins != torch.arange(len(twins))).nonzero().squeeze(1)
    if len(places):
        own, other = signs.index_select(1, places), signs.index_select(1, twins[places])
        agreeing = (own == other).all(0) | (own == -other).all(0)
        # Constants, and entries of few different draws, agree by chance.
        alike[places] = agreeing & (own.count_nonzero(0) >= _enough(len(twins)))
    return alike


def _enough(entries: int) -> float:
    """d with 2 forms, 2 signs, n (n - 1) / 2 pairs of entries: 4 pairs 2^-d = FALSE_ALARM."""
    return math.log2(4 * _pairs(entries) / FALSE_ALARM)


def _first_alike(signs: Tensor) -> Tensor:
    """Give for every column the first one with as large a sum of random weights, whatever its sign."""
    pairs, entries = signs.shape
    weights = torch.randint(2**40, (pairs,), generator=torch.Generator().manual_seed(0)).double()
    # Whole numbers below 2^53: exact, in whatever order they are summed. A slice at a time is cast.
    sums = torch.cat([weights @ one.double() for one in signs.split(MOST_CAST, dim=1)])
    _, group = torch.unique(sums.abs(), return_inverse=True)
    return torch.full((entries,), entries).scatter_reduce(0, group, torch.arange(entries), "amin")[group]


def _other_copies(sides: _Sides, candidate: Together) -> str:
    places = torch.cat([sides.in_reference_alone, sides.in_candidate_alone])
    if not len(places):
        return ""
    needed = 1 if candidate.independent else _enough(len(sides.own))
    places = places[_partings(sides) >= needed].sort().values
    if not len(places):
        return ""
    place = int(places[0])
    whose = "reference" if place in sides.in_reference_alone else "candidate"
    name, twin = _name(place, candidate), _name(int(sides.twins[place]), candidate)
    return (
        f"{name} is drawn together with {twin} in the {whose} alone; {len(places)} of {len(sides.own)} "
        "entries are copies in one form and not in the other"
    )


def _partings(sides: _Sides) -> Tensor:
    """Count where copies of one form do not keep, in the other one, to the one sign that they have."""
    return torch.cat(
        [
            _parted(sides.reference, sides.candidate, sides.in_reference_alone, sides.twins),
            _parted(sides.candidate, sides.reference, sides.in_candidate_alone, sides.twins),
        ]
    )


def _parted(copied: Tensor, apart: Tensor, places: Tensor, twins: Tensor) -> Tensor:
    """Count for some entries; one that moves alone has parted, and where neither moves, both kept to it."""
    if not len(places):
        return places
    sign = (copied[:, places] * copied[:, twins[places]]).sum(0).sign().to(torch.int8)
    return (apart[:, places] != sign * apart[:, twins[places]]).sum(0)


def _dependent(sides: _Sides, candidate: Together) -> str:
    """Name two entries whose signs agree, or disagree, more often than those of independent ones."""
    signs, single = sides.candidate, (~sides.repeated).nonzero().squeeze(1)
    places = single[:: math.ceil(len(single) / MOST_PAIRED)]
    chosen = signs[:, places].float()
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
