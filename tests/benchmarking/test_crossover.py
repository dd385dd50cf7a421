"""Crossovers of curves that are known."""

from collections.abc import Callable

import pytest

from properties.benchmarking.crossover import crossovers, sentence
from properties.benchmarking.document import CrossoverRecord
from tests.benchmarking.synthetic import group

SIZES = [2**power for power in range(11)]
Curve = Callable[[int], float]


def flat(seconds: float) -> Curve:
    return lambda _: seconds


def growing(seconds: float) -> Curve:
    return lambda size: seconds * size


def found(**curves: Curve) -> list[CrossoverRecord]:
    groups = [group({name: curve(size) for name, curve in curves.items()}, size) for size in SIZES]
    return crossovers(groups[::-1])


def test_a_crossover_lies_where_the_curves_meet_and_is_named_by_the_next_size() -> None:
    (one,) = found(reference=growing(1), grouped=flat(40))
    assert one.place == pytest.approx(40)
    assert (one.value, one.winners, one.before) == (64, ["grouped"], ["reference"])
    assert "from batch 64 grouped wins (before: the reference" in sentence(one)


def test_curves_that_never_meet_have_none() -> None:
    assert found(reference=growing(1), grouped=growing(2)) == []


def test_forms_that_cannot_be_told_apart_make_none() -> None:
    assert found(reference=growing(1), one=lambda size: size * (1.05 if size % 3 else 0.97)) == []


def test_a_tie_on_the_way_delays_the_crossover_to_where_the_noise_can_tell() -> None:
    (one,) = found(reference=growing(1), grouped=flat(64))
    assert one.value == 128
    assert one.place == pytest.approx(64)


def test_a_tie_that_ends_as_it_began_is_none() -> None:
    assert found(reference=growing(1), other=lambda size: size * (1.05 if size == 32 else 1.5)) == []


def test_each_change_of_the_lead_is_one_crossover() -> None:
    changes = found(reference=growing(1), cheap=lambda size: 5 + size / 4, parallel=flat(100))
    assert [(one.before, one.winners) for one in changes] == [
        (["reference"], ["cheap"]),
        (["cheap"], ["parallel"]),
    ]
    assert [one.place for one in changes] == pytest.approx([20 / 3, 380], rel=0.1)


def test_winners_that_cannot_be_told_apart_win_together() -> None:
    (one,) = found(reference=growing(1), grouped=flat(40), batched=flat(41))
    assert one.winners == ["grouped", "batched"]
    assert "grouped and batched win (" in sentence(one)


def test_families_and_passes_are_followed_apart() -> None:
    assert crossovers([group({"reference": 1, "other": 2})]) == []
