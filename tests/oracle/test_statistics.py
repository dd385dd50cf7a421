"""The statistical tests: never a false alarm, and the power that is promised."""

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from equivalence.distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from equivalence.matrix_distribution import Fixed, SphereCoordinate, Thinned
from properties.oracle import statistics
from properties.oracle.closed_form import fixed_places, one_sample
from properties.oracle.statistics import (
    FALSE_ALARM,
    Draws,
    Positions,
    apart_by_chance,
    dkw,
    place_by_place,
    two_samples,
)

TRIALS = 40
COUNT = 65536
BOUND = 0.25
STD = BOUND / math.sqrt(3)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def uniform(seed: int, bound: float = BOUND, count: int = COUNT) -> Draws:
    return Draws((torch.rand(count, generator=generator(seed)) * 2 - 1) * bound, (count,))


def normal(seed: int, std: float = STD, count: int = COUNT) -> Draws:
    return Draws(torch.randn(count, generator=generator(seed)) * std, (count,))


@pytest.mark.parametrize("count", [1, 10, 1000, COUNT])
@pytest.mark.parametrize("seed", range(TRIALS))
def test_right_draws_are_never_refused(count: int, seed: int) -> None:
    assert one_sample(Uniform(-BOUND, BOUND), uniform(seed, count=count)) == ""
    assert one_sample(Normal(0, STD), normal(seed, count=count)) == ""
    assert two_samples(uniform(seed, count=count), uniform(seed + 1000, count=count)) == ""
    assert two_samples(normal(seed, count=count), normal(seed + 1000, count=count)) == ""


@pytest.mark.parametrize("seed", range(TRIALS))
def test_five_percent_of_scale_is_seen(seed: int) -> None:
    for factor in (0.95, 1.05):
        assert one_sample(Uniform(-BOUND, BOUND), uniform(seed, BOUND * factor))
        assert one_sample(Normal(0, STD), normal(seed, STD * factor))


@pytest.mark.parametrize("seed", range(TRIALS))
def test_another_shape_of_equal_variance_is_seen(seed: int) -> None:
    assert one_sample(Uniform(-BOUND, BOUND), normal(seed))
    assert one_sample(Normal(0, STD), uniform(seed))
    assert two_samples(uniform(seed), normal(seed))


@pytest.mark.parametrize("seed", range(TRIALS))
def test_a_shape_is_seen_inside_the_support_alone(seed: int) -> None:
    """An arcsine draw reaches both ends of the support: only the distribution tells it apart."""
    arcsine = (uniform(seed, math.pi).values).cos() * BOUND
    assert "another distribution" in one_sample(Uniform(-BOUND, BOUND), Draws(arcsine, (COUNT,)))


def test_support_is_certain() -> None:
    values = torch.zeros(10)
    values[3] = BOUND * 1.001
    assert "support" in one_sample(Uniform(-BOUND, BOUND), Draws(values, (10,)))
    assert one_sample(Constant(0.3), Draws(torch.full((4,), 0.3), (4,))) == ""
    assert "support" in one_sample(Constant(0.3), Draws(torch.full((4,), 0.31), (4,)))


def test_other_shapes_are_refused_and_empty_ones_pass() -> None:
    empty = Draws(torch.zeros(0), (0, 3))
    assert two_samples(empty, empty) == ""
    assert one_sample(Normal(0, 1), empty) == ""
    assert "shape" in two_samples(empty, Draws(torch.zeros(0), (3, 0)))


def test_the_inequality_is_the_published_one() -> None:
    """Massart's constant: 2 exp(-2 n e^2) at the width returned."""
    for count in (1, 100, COUNT):
        assert 2 * math.exp(-2 * count * dkw(count, FALSE_ALARM) ** 2) == pytest.approx(FALSE_ALARM)


@pytest.mark.parametrize(
    "distribution",
    [
        Uniform(-1, 3),
        Normal(1, 2),
        TruncatedNormal(0.5, 1.5, -1, 2),
        Constant(2.0),
        *(SphereCoordinate(dimension, 2) for dimension in range(1, 8)),
        Thinned(0.3, Normal(1, 2)),
        Fixed((1.0, 0.0, 0.0, 5.0)),
    ],
    ids=str,
)
def test_moments_agree_with_the_distribution_function(distribution: Distribution) -> None:
    """E[x] and E[x^2] by integrating 1 - F and F over a wide grid."""
    grid = torch.linspace(-20, 20, 400001, dtype=torch.float64)
    cdf = distribution.cdf(grid)
    step = (grid[1] - grid[0]).item()
    upper, lower = (1 - cdf)[grid >= 0], cdf[grid < 0]
    mean = (upper.sum() - lower.sum()).item() * step
    second = 2 * ((upper * grid[grid >= 0]).sum() - (lower * grid[grid < 0]).sum()).item() * step
    assert mean == pytest.approx(distribution.mean, abs=1e-3)
    assert second - mean**2 == pytest.approx(distribution.variance, abs=2e-2)


def on_sphere(seed: int, dimension: int, count: int = 512) -> Draws:
    points = torch.randn(count, dimension, generator=generator(seed))
    return Draws(2 * points[:, 0] / points.norm(dim=1), (count,))


def thinned(seed: int, share: float, count: int = COUNT) -> Draws:
    zeros = torch.rand(count, generator=generator(seed + 1000)) < share
    return Draws(normal(seed, count=count).values.masked_fill(zeros, 0), (count,))


@pytest.mark.parametrize("seed", range(TRIALS))
@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 20])
def test_coordinates_of_a_sphere_are_told_from_those_of_another(seed: int, dimension: int) -> None:
    assert one_sample(SphereCoordinate(dimension, 2), on_sphere(seed, dimension)) == ""
    assert one_sample(SphereCoordinate(dimension, 1), on_sphere(seed, dimension))
    assert one_sample(SphereCoordinate(5 * dimension, 2), on_sphere(seed, dimension))


@pytest.mark.parametrize("seed", range(TRIALS))
def test_thinned_draws_are_held_by_their_zeros_and_by_the_others(seed: int) -> None:
    assert one_sample(Thinned(0.5, Normal(0, STD)), thinned(seed, 0.5)) == ""
    assert "are 0" in one_sample(Thinned(0.5, Normal(0, STD)), thinned(seed, 0.55))
    assert "spread" in one_sample(Thinned(0.5, Normal(0, STD * 1.05)), thinned(seed, 0.5))


def test_draws_rounded_over_an_atom_are_right() -> None:
    rounded = Draws(torch.tensor([1.0, -1.0]).repeat(100) * (1 - 2.0**-24), (200,))
    assert one_sample(SphereCoordinate(1, 1), rounded) == ""


def test_constants_are_held_place_by_place() -> None:
    stated = Fixed((1.0, 0.0))
    assert fixed_places(stated, Positions(torch.tensor([[1.0, 0.0]] * 3), (2,))) == ""
    swapped = Positions(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), (2,))
    assert fixed_places(stated, swapped) == "entry [0] is 0, stated as 1"
    assert "2 constants" in fixed_places(stated, Positions(torch.zeros(3, 1), (1,)))


@pytest.mark.parametrize("seed", range(TRIALS))
@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_two_samples_of_bounded_draws_show_five_percent_by_their_ends(seed: int, factor: float) -> None:
    assert "ends" in two_samples(uniform(seed, count=4096), uniform(seed + 1000, BOUND * factor, count=4096))
    assert "ends" in two_samples(uniform(seed + 1000, BOUND * factor, count=4096), uniform(seed, count=4096))


@pytest.mark.parametrize("seed", range(TRIALS))
@pytest.mark.parametrize("factor", [1.5, 1 / 1.5])
def test_half_as_wide_again_is_seen_by_the_ranks_of_a_thousand_pairs(seed: int, factor: float) -> None:
    one, other = normal(seed, count=1024), normal(seed + 1000, STD * factor, count=1024)
    told = statistics._ranked(one.values, other.values)
    assert ("further apart" if factor > 1 else "closer together") in told
    assert two_samples(one, other)


@pytest.mark.parametrize("seed", range(TRIALS))
@pytest.mark.parametrize("by", [0.4, -0.4])
def test_a_shift_is_seen_by_the_ranks_of_a_thousand_pairs(seed: int, by: float) -> None:
    shifted = Draws(normal(seed + 1000, count=1024).values + by * STD, (1024,))
    one = normal(seed, count=1024)
    assert ("higher" if by > 0 else "lower") in statistics._ranked(one.values, shifted.values)
    assert two_samples(one, shifted)


@pytest.mark.parametrize("pairs", [8, 64, 512])
def test_ranks_of_pairs_of_unequal_distributions_differ_no_more_often_than_stated(
    pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    probability, runs = 0.05, 1000
    monkeypatch.setattr(statistics, "FALSE_ALARM", probability)
    generator = torch.Generator().manual_seed(pairs)
    # Every pair has a place, and a scale, of its own.
    places, scales = torch.arange(pairs).double() / pairs, torch.linspace(0.1, 3, pairs).double()
    one, other = (
        places + scales * torch.randn(runs, pairs, generator=generator, dtype=torch.float64) for _ in "ab"
    )
    refused = sum(bool(statistics._ranked(*samples)) for samples in zip(one, other, strict=True))
    # Two tests, one of places and one of scales.
    assert refused <= 2 * probability * runs
    monkeypatch.setattr(statistics, "FALSE_ALARM", 1.0)
    assert any(statistics._ranked(*samples) for samples in zip(one, other, strict=True))


def test_ranks_see_no_difference_in_rounding() -> None:
    atoms = torch.tensor([0.1, -3.0, 1e6, 0.0]).double().repeat(300)
    rounded = atoms * (1 + 2.0**-23)
    assert two_samples(Draws(atoms, (1200,)), Draws(rounded, (1200,))) == ""
    assert two_samples(Draws(rounded, (1200,)), Draws(atoms, (1200,))) == ""


def test_thirty_one_draws_beyond_the_other_sample_are_chance_and_thirty_two_are_not() -> None:
    inside = Draws(torch.linspace(-1, 1, 1000), (1000,))
    for beyond, problem in ((31, False), (32, True)):
        for side in (2.0, -2.0):
            values = inside.values.clone()
            values[:beyond] = side
            assert bool(two_samples(inside, Draws(values, (1000,)))) is problem


@pytest.mark.parametrize("pairs", [8, 64, 512])
def test_pairs_of_unequal_distributions_lie_no_further_apart_than_stated(pairs: int) -> None:
    probability, runs = 0.05, 2000
    limit = apart_by_chance(pairs, probability)
    generator = torch.Generator().manual_seed(pairs)
    # Every pair has a distribution of its own, from U(0, 1) to U(1, 2).
    places = torch.arange(pairs).double() / pairs
    one, other = (places + torch.rand(runs, pairs, generator=generator, dtype=torch.float64) for _ in "ab")
    far = sum(gap(*samples) > limit for samples in zip(one, other, strict=True))
    assert far <= probability * runs
    assert sum(gap(*samples) > limit / 4 for samples in zip(one, other, strict=True)) > 0


def gap(one: Tensor, other: Tensor) -> float:
    everything = torch.cat([one, other]).sort().values
    steps = [
        torch.searchsorted(side.sort().values, everything, right=True) / len(side) for side in (one, other)
    ]
    return float((steps[0] - steps[1]).abs().max())


@dataclass(frozen=True)
class Laplace:
    """A distribution of a user's own: every real number, and no moment of its own is tested."""

    support = (-math.inf, math.inf)
    mean = 0.0
    variance = 2.0

    def cdf(self, values: Tensor) -> Tensor:
        share: Tensor = torch.distributions.Laplace(0.0, 1.0).cdf(values.double())
        return share


def laplace() -> Tensor:
    shares = torch.rand(COUNT, generator=generator(0)).clamp(1e-7)
    values: Tensor = torch.distributions.Laplace(0.0, 1.0).icdf(shares)
    return values


def test_right_draws_of_an_unbounded_distribution_pass() -> None:
    assert one_sample(Laplace(), Draws(laplace(), (COUNT,))) == ""


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_one_draw_that_is_infinite_is_seen_where_every_number_is_possible(value: float) -> None:
    values = laplace()
    values[7] = value
    assert "leave the support" in one_sample(Laplace(), Draws(values, (COUNT,)))


@pytest.mark.parametrize("huge", [1e9, -1e9, 1e30])
def test_one_huge_draw_hides_nothing(huge: float) -> None:
    wrong = uniform(1)
    wrong.values[7] = huge
    assert one_sample(Laplace(), wrong) != ""
    right, wider = (uniform(seed, bound, 512 * 20).values.view(512, 20) for seed, bound in ((0, 1), (1, 5)))
    wider[3] *= huge
    assert place_by_place(Positions(right, (20,)), Positions(wider, (20,))) != ""
    assert two_samples(Draws(right[:, 0], (20,)), Draws(wider[:, 0], (20,))) != ""


NO_NUMBERS = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_draws_that_are_no_finite_numbers_are_told_from_others_and_not_from_each_other(value: float) -> None:
    right, wrong = uniform(0, count=512), uniform(1, count=512)
    wrong.values[:100] = value
    assert "100 draws" in two_samples(right, wrong)
    assert "100 draws" in two_samples(wrong, right)
    assert two_samples(wrong, Draws(wrong.values.flip(0), right.shape)) == ""


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_an_entry_that_is_no_finite_number_is_named(value: float) -> None:
    right = Positions(uniform(0, count=512 * 3).values.view(512, 3), (3,))
    wrong, constant = (Positions(right.values.clone(), (3,)) for _ in "ab")
    wrong.values[:, 1] = value
    constant.values[:, 1] = 1
    assert place_by_place(right, wrong).startswith("another distribution of entry [1]")
    assert place_by_place(constant, wrong).startswith("entry [1] is always")
    assert place_by_place(wrong, wrong) == ""
    assert "entry [1]" in fixed_places(Fixed((0.0, 0.0)), Positions(torch.tensor([[0.0, value]]), (2,)))


def test_the_first_entry_of_another_distribution_is_named_with_its_own_numbers() -> None:
    right = torch.rand(512, 6, generator=generator(0))
    wrong = torch.rand(512, 6, generator=generator(1))
    wrong[:, 2] *= 3
    wrong[:, 4] *= 5
    text = place_by_place(Positions(right, (2, 3)), Positions(wrong, (2, 3)))
    assert text.startswith("another distribution of entry [0, 2]")
    assert f"mean {wrong[:, 2].mean():.3g}, std" in text
    assert place_by_place(Positions(right, (2, 3)), Positions(right.flip(0), (2, 3))) == ""
