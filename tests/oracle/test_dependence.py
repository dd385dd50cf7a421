"""What hangs together is found, whatever its scale, and what does not is left alone."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from properties.oracle.dependence import Together, together

SHAPES = {"weight": (4, 3), "bias": (4,)}
ENTRIES = 16
TRIALS = 100


def draws(seed: int, constructions: int = 512) -> Tensor:
    return torch.rand(constructions, ENTRIES, generator=torch.Generator().manual_seed(seed))


def found(reference: Tensor, candidate: Tensor, *, independent: bool = True) -> str:
    return together(Together(reference, SHAPES, independent), Together(candidate, SHAPES, independent))


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


def test_a_copy_in_both_forms_is_refused_only_where_entries_are_claimed_independent() -> None:
    one, other = draws(0), draws(1)
    one[:, 5], other[:, 5] = one[:, 4], other[:, 4]
    assert found(one, other, independent=False) == ""
    assert "weight[1, 2] is not independent of weight[1, 1]" in found(one, other)


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


def test_copies_beyond_the_entries_that_are_paired_are_seen() -> None:
    generator = torch.Generator().manual_seed(0)
    right, wrong = (torch.rand(256, 4000, generator=generator) for _ in range(2))
    wrong[:, 3999] = wrong[:, 1]
    shapes = {"weight": (4000,)}
    text = together(Together(right, shapes, independent=True), Together(wrong, shapes, independent=True))
    assert "weight[3999] is drawn together with weight[1]" in text
