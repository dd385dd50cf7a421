"""The entrywise initialisers of `torch.nn.init`, written in NumPy from their formulas.

Each takes the shape of the weight and the generator to draw from, and returns a float64 array. Empty shapes
are welcome. Source: the documentation of `torch.nn.init`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from equivalence.layers.gains import calculate_gain, fans

Shape = tuple[int, ...]
Array = NDArray[np.float64]


def uniform(shape: Shape, generator: np.random.Generator, low: float = 0.0, high: float = 1.0) -> Array:
    """W ~ U(low, high)."""
    return generator.uniform(low, high, shape)


def normal(shape: Shape, generator: np.random.Generator, mean: float = 0.0, std: float = 1.0) -> Array:
    """W ~ N(mean, std²)."""
    return generator.normal(mean, std, shape)


def trunc_normal(  # noqa: PLR0913 (the four numbers of the law)
    shape: Shape,
    generator: np.random.Generator,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    low: float = -2.0,
    high: float = 2.0,
) -> Array:
    """W ~ N(mean, std²) given low ≤ W ≤ high: what falls outside is drawn again.

    low and high are absolute, not multiples of std. Slow where they hold little of the mass. Raises
    ValueError unless low < high.
    """
    if not low < high:
        raise ValueError(f"low must be below high, but they are {low} and {high}; widen the interval")
    weight = normal(shape, generator, mean, std)
    while (outside := (weight < low) | (weight > high)).any():
        weight[outside] = generator.normal(mean, std, outside.sum())
    return weight


def constant(shape: Shape, _generator: np.random.Generator, value: float) -> Array:
    """W = value."""
    return np.full(shape, value, dtype=np.float64)


def ones(shape: Shape, generator: np.random.Generator) -> Array:
    """W = 1."""
    return constant(shape, generator, 1.0)


def zeros(shape: Shape, generator: np.random.Generator) -> Array:
    """W = 0."""
    return constant(shape, generator, 0.0)


def xavier_uniform(shape: Shape, generator: np.random.Generator, gain: float = 1.0) -> Array:
    """W ~ U(-bound, bound), bound = gain · √(6 / (fan_in + fan_out))."""
    bound = gain * math.sqrt(6 / _divisor(sum(fans(shape))))
    return uniform(shape, generator, -bound, bound)


def xavier_normal(shape: Shape, generator: np.random.Generator, gain: float = 1.0) -> Array:
    """W ~ N(0, std²), std = gain · √(2 / (fan_in + fan_out))."""
    std = gain * math.sqrt(2 / _divisor(sum(fans(shape))))
    return normal(shape, generator, 0.0, std)


def kaiming_uniform(
    shape: Shape,
    generator: np.random.Generator,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
) -> Array:
    """W ~ U(-bound, bound), bound = gain · √(3 / fan), gain = calculate_gain(nonlinearity, a).

    Raises ValueError when mode is neither "fan_in" nor "fan_out".
    """
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / _divisor(_fan(shape, mode)))
    return uniform(shape, generator, -bound, bound)


def kaiming_normal(
    shape: Shape,
    generator: np.random.Generator,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
) -> Array:
    """W ~ N(0, std²), std = gain / √fan, gain = calculate_gain(nonlinearity, a).

    Raises ValueError when mode is neither "fan_in" nor "fan_out".
    """
    std = calculate_gain(nonlinearity, a) / math.sqrt(_divisor(_fan(shape, mode)))
    return normal(shape, generator, 0.0, std)


def _fan(shape: Shape, mode: str) -> int:
    if mode not in {"fan_in", "fan_out"}:
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', but is {mode!r}; pass one of the two")
    fan_in, fan_out = fans(shape)
    return fan_in if mode == "fan_in" else fan_out


def _divisor(fan: int) -> int:
    # A fan of zero belongs to an empty weight, which any scale serves.
    return max(fan, 1)
