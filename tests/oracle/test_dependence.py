"""What hangs together is found, whatever its scale, and what does not is left alone."""

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from properties.laws.constructions import FEWEST_CONSTRUCTIONS, MOST_CONSTRUCTIONS, MOST_STORED
from properties.oracle.dependence import REMEDY, Together, repeated, signs_of, together

Shapes = Mapping[str, tuple[int, ...]]
SHAPES = {"weight": (4, 3), "bias": (4,)}
ENTRIES = 16
TRIALS = 100


def draws(seed: int, constructions: int = 512) -> Tensor:
    return torch.rand(constructions, ENTRIES, generator=torch.Generator().manual_seed(seed))


def found(reference: Tensor, candidate: Tensor, *, independent: bool = True) -> str:
    return told(reference, candidate, SHAPES, independent=independent)


def told(reference: Tensor, candidate: Tensor, shapes: Shapes, *, independent: bool) -> str:
    return together(*(Together(signs_of(side), shapes, independent) for side in (reference, candidate)))


@pytest.mark.parametrize("constructions", [0, 1, 2, 32, 64, 128, 512])
def test_independent_draws_are_never_refused(constructions: int) -> None:
    for seed in range(TRIALS):
        assert found(draws(seed, constructions), draws(seed + 1000, constructions)) == ""


@pytest.mark.parametrize(
    "copied",
    [lambda entry: entry, lambda entry: -entry, lambda entry: entry / 3, lambda entry: entry.exp()],
    ids=["equal", "negated", "scaled", "bent"],
)
def test_one_copy_is_seen_and_named(copied: Callable[[Tensor], Tensor]) -> None:
    for seed in range(TRIALS):
        wrong = draws(seed)
        wrong[:, 13] = copied(wrong[:, 2])
        for independent in (True, False):
            text = found(draws(seed + 1000), wrong, independent=independent)
            assert text.startswith(
                "bias[1] is drawn together with weight[0, 2] in the candidate alone; 1 of 16"
            )
        assert "in the reference alone" in found(wrong, draws(seed + 1000))


@pytest.mark.parametrize("independent", [True, False])
def test_copies_in_both_forms_are_right_whatever_is_claimed(independent: bool) -> None:  # noqa: FBT001
    for seed in range(TRIALS):
        one, other = draws(seed), draws(seed + 1000)
        one[:, 5], other[:, 5] = one[:, 4], -2 * other[:, 4]
        assert found(one, other, independent=independent) == ""
        assert repeated(one, other).nonzero().flatten().tolist() == [5]


def test_what_one_form_copies_is_not_repeated() -> None:
    one, other = draws(0), draws(1)
    other[:, 5] = other[:, 4]
    assert not repeated(one, other).any()
    assert not repeated(other, one).any()


def test_copies_of_other_entries_are_seen() -> None:
    one, other = draws(0), draws(1)
    one[:, 5], other[:, 5] = one[:, 4], other[:, 3]
    for independent in (True, False):
        text = found(one, other, independent=independent)
        assert text.startswith("weight[1, 2] is drawn together with weight[1, 0] in the candidate alone")


@pytest.mark.parametrize("noise", [1e-4, 1e-3, 1e-2, 0.1])
def test_near_copies_in_both_forms_are_right_where_no_independence_is_claimed(noise: float) -> None:
    for seed in range(TRIALS):
        sides = draws(seed), draws(seed + 1000)
        for side in sides:
            side[:, 8:] = side[:, :8] + noise * side[:, 8:]
        assert found(*sides, independent=False) == ""
        # Nearer ones are copies as far as 256 signs tell.
        assert noise < 0.01 or REMEDY in found(*sides)


def test_near_copies_that_are_seldom_drawn_are_right() -> None:
    """Where most pairs of constructions are constant in one form or in the other, few can part."""
    for seed in range(TRIALS):
        sides = draws(seed), draws(seed + 1000)
        for side in sides:
            side[:, 8:] = side[:, :8] + 3e-3 * side[:, 8:]
            side.masked_fill_(side[:, 15:] < 1 / 2, 0)
        assert found(*sides, independent=False) == ""


def test_entries_that_move_one_at_a_time_are_no_copies() -> None:
    """No two of their signs ever disagree: where one moves, the other is constant."""
    one, other = draws(2), draws(3)
    one[:, 5] = one[:, 4]
    coin = torch.rand(512, 1, generator=torch.Generator().manual_seed(4)) < 1 / 2
    other[:, 4:5] *= coin
    other[:, 5:6] *= ~coin
    text = found(other, one, independent=False)
    assert text.startswith("weight[1, 2] is drawn together with weight[1, 1] in the candidate alone")


def test_constants_part_from_nothing_and_are_for_other_tests() -> None:
    one, other = draws(0), draws(1)
    one[:, 5] = one[:, 4]
    other[:, 4:6] = 1
    assert found(one, other) == ""
    assert found(one, other, independent=False) == ""
    assert found(other, one, independent=False) == ""


def test_a_constant_parts_from_an_entry_that_moves() -> None:
    one, other = draws(0), draws(1)
    one[:, 5] = one[:, 4]
    other[:, 5] = 1
    assert "in the reference alone" in found(one, other, independent=False)
    assert "in the candidate alone" in found(other, one, independent=False)


def test_a_copy_with_noise_is_not_independent() -> None:
    wrong = draws(0)
    wrong[:, 7] = wrong[:, 6] + wrong[:, 7] / 4
    assert "weight[2, 1] is not independent of weight[2, 0]" in found(draws(1), wrong)


def test_constants_and_few_different_draws_are_no_copies() -> None:
    constant, seldom = draws(0), draws(0)
    constant[:, :4] = 1
    seldom[:, :4] = 0
    seldom[:10, :4] = 1
    for right in (constant, seldom):
        assert found(draws(1), right) == ""


def large(entries: int, constructions: int, *, independent: bool) -> str:
    """Copy one of many entries, and look for it."""
    generator = torch.Generator().manual_seed(0)
    right, wrong = (torch.rand(constructions, entries, generator=generator) for _ in range(2))
    wrong[:, -1] = wrong[:, 1]
    shapes = {"weight": (entries,)}
    return told(right, wrong, shapes, independent=independent)


@pytest.mark.parametrize(
    ("entries", "independent", "seen"),
    [
        (4000, True, True),
        (8500, True, True),
        (10000, True, False),
        (3500, False, True),
        (6000, False, False),
    ],
)
def test_copies_among_many_entries_are_seen_up_to_the_size_stated(
    entries: int,
    independent: bool,  # noqa: FBT001
    seen: bool,  # noqa: FBT001
) -> None:
    constructions = max(FEWEST_CONSTRUCTIONS, min(MOST_CONSTRUCTIONS, MOST_STORED // entries))
    text = large(entries, constructions, independent=independent)
    assert (f"weight[{entries - 1}] is drawn together with weight[1]" in text) is seen
