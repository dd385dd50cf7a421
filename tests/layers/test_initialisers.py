"""The entrywise initialisers and what they are made of, against torch's."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from equivalence.layers import initialisers
from equivalence.layers.gains import FIXED_GAINS, calculate_gain, fans
from equivalence.layers.initialisers import Array

SHAPE = (40, 50, 3)


@pytest.mark.parametrize("nonlinearity", [*FIXED_GAINS, "leaky_relu"])
def test_gains(nonlinearity: str) -> None:
    """Each gain is torch's."""
    theirs: Callable[[str], float] = nn.init.calculate_gain  # type: ignore[assignment]
    assert calculate_gain(nonlinearity) == theirs(nonlinearity)


def test_leaky_gain() -> None:
    """The example of torch's documentation."""
    assert calculate_gain("leaky_relu", 0.2) == 1.3867504905630728


def test_unknown_gain_is_refused() -> None:
    """The message lists what is known."""
    with pytest.raises(ValueError, match="'gelu'; pass one of conv1d"):
        calculate_gain("gelu")


def test_fans() -> None:
    """The kernel counts in both; a vector has none."""
    assert fans((2, 3)) == (3, 2)
    assert fans((2, 3, 4, 5)) == (60, 40)
    with pytest.raises(ValueError, match="two axes"):
        fans((3,))


@pytest.mark.parametrize(
    ("function", "options", "bound"),
    [
        (initialisers.uniform, {"low": -3.0, "high": 3.0}, 3.0),
        (initialisers.trunc_normal, {"low": -0.5, "high": 0.5}, 0.5),
        (initialisers.trunc_normal, {"std": 0.1, "low": 0.1, "high": 0.3}, 0.3),
        (initialisers.xavier_uniform, {"gain": 2.0}, 2 * math.sqrt(6 / 270)),
        (initialisers.kaiming_uniform, {}, math.sqrt(2) * math.sqrt(3 / 150)),
        (initialisers.kaiming_uniform, {"a": math.sqrt(5)}, math.sqrt(1 / 150)),
        (
            initialisers.kaiming_uniform,
            {"mode": "fan_out", "nonlinearity": "tanh"},
            5 / 3 * math.sqrt(3 / 120),
        ),
    ],
)
def test_bounds(function: Callable[..., Array], options: dict[str, Any], bound: float) -> None:
    """The draws fill the interval and stay within."""
    largest = np.abs(function(SHAPE, np.random.default_rng(0), **options)).max()
    assert 0.97 * bound < largest <= bound


@pytest.mark.parametrize(
    ("function", "options", "std"),
    [
        (initialisers.normal, {"mean": 3.0, "std": 2.0}, 2.0),
        (initialisers.trunc_normal, {}, 0.8796),
        (initialisers.xavier_normal, {"gain": 2.0}, 2 * math.sqrt(2 / 270)),
        (initialisers.kaiming_normal, {"a": 1.0}, math.sqrt(1 / 150)),
        (initialisers.kaiming_normal, {"mode": "fan_out", "nonlinearity": "relu"}, math.sqrt(2 / 120)),
    ],
)
def test_standard_deviations(function: Callable[..., Array], options: dict[str, Any], std: float) -> None:
    """The spread is that of the formula, and that of torch."""
    values = function(SHAPE, np.random.default_rng(0), **options)
    torch.manual_seed(0)
    theirs = getattr(nn.init, f"{function.__name__}_")(torch.empty(SHAPE), **options)
    assert values.std() == pytest.approx(std, rel=0.03)
    assert theirs.std().item() == pytest.approx(std, rel=0.03)


def test_constants() -> None:
    """The ones that draw nothing."""
    generator = np.random.default_rng(0)
    assert (initialisers.constant((2, 3), generator, 0.3) == 0.3).all()
    assert (initialisers.ones((2, 3), generator) == 1).all()
    assert (initialisers.zeros((2, 3), generator) == 0).all()


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 3, 0)])
@pytest.mark.parametrize("name", ["uniform", "normal", "trunc_normal", "ones", "zeros"])
@pytest.mark.parametrize("prefix", ["", "xavier_", "kaiming_"])
def test_empty_shapes(prefix: str, name: str, shape: tuple[int, ...]) -> None:
    """An empty weight is no reason to fail."""
    function = getattr(initialisers, prefix + name, initialisers.ones)
    values = function(shape, np.random.default_rng(0))
    assert values.shape == shape
    assert values.dtype == np.float64


def test_refusals() -> None:
    """An empty interval and an unknown mode."""
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="low must be below high"):
        initialisers.trunc_normal((2, 3), generator, low=1.0, high=1.0)
    with pytest.raises(ValueError, match="'fan_both'"):
        initialisers.kaiming_normal((2, 3), generator, mode="fan_both")
