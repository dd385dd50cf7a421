"""Whether the epochs that a file keeps can be those of a lane: its forms, its seed, and numbers in range."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from properties.experiments.member import Member
from properties.experiments.plan import Lane
from properties.experiments.records import Comparison, Double, Epoch, Measure


def credible(history: Sequence[Epoch], lane: Lane, members: Sequence[Member]) -> bool:
    """Say whether a history has every epoch of the lane from 0 on; `members` is one of each variant."""
    return bool(history) and all(
        epoch.lane == lane.name
        and len(epoch.measures) == len(members)
        and all(_is_of(one, member, number) for one, member in zip(epoch.measures, members, strict=True))
        and _is_between(epoch.comparison, lane, members, number)
        for number, epoch in enumerate(history)
    )


def _is_of(measure: Measure, member: Member, epoch: int) -> bool:
    before = epoch == 0
    return (
        _same((measure.form, measure.seed, measure.epoch), (member.variant.label, member.seed, epoch))
        and (measure.training_loss is None if before else _size(measure.training_loss))
        and _size(measure.validation_loss)
        and _size(measure.accuracy)
        and measure.accuracy <= 1
        and _sizes(measure.gradient_norms, () if before else member.parameters)
    )


def _is_between(found: Comparison | None, lane: Lane, members: Sequence[Member], epoch: int) -> bool:
    if found is None or len(members) == 1:
        return found is None and len(members) == 1
    reference, candidate = members
    expected = reference.variant.label, candidate.variant.label, lane.seed, epoch
    return (
        _same((found.reference, found.candidate, found.seed, found.epoch), expected)
        and _size(found.loss)
        and _size(found.logits)
        and _sizes(found.parameters, dict(candidate.module.named_parameters()))
        and _is_ladder(found.double, asked=lane.group.ladder)
    )


def _is_ladder(found: Double | None, *, asked: bool) -> bool:
    if found is None or not asked:
        return found is None and not asked
    return _size(found.logits) and _size(found.allowance) and isinstance(found.same, bool)


def _same(found: tuple[object, ...], expected: tuple[object, ...]) -> bool:
    # With the types: JSON's true and 1.0 equal 1.
    return found == expected and [*map(type, found)] == [*map(type, expected)]


def _sizes(found: object, names: Collection[str]) -> bool:
    return isinstance(found, dict) and found.keys() == set(names) and all(map(_size, found.values()))


def _size(value: object) -> bool:
    """Whether it is 0 or more, or the nan of a run that diverged."""
    return isinstance(value, float) and not value < 0
