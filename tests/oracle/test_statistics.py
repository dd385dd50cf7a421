"""The statistical tests: never a false alarm, and the power that is promised."""

import math

import pytest
import torch

from equivalence.distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from properties.oracle.statistics import FALSE_ALARM, Draws, dkw, one_sample, two_samples

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
    [Uniform(-1, 3), Normal(1, 2), TruncatedNormal(0.5, 1.5, -1, 2), Constant(2.0)],
    ids=lambda distribution: type(distribution).__name__,
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
