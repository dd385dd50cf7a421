"""What the scaled initialisers are made of: the fans of a weight, the gain of a nonlinearity."""

from __future__ import annotations

import math

FIXED_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """√(2 / (1 + param²)) for leaky_relu, whose param is 0.01 unless given; a constant for the others.

    Raises ValueError for an unknown nonlinearity. Source: `torch.nn.init.calculate_gain`.
    """
    if nonlinearity == "leaky_relu":
        negative_slope = 0.01 if param is None else param
        return math.sqrt(2 / (1 + negative_slope**2))
    if nonlinearity not in FIXED_GAINS:
        known = ", ".join(sorted([*FIXED_GAINS, "leaky_relu"]))
        raise ValueError(f"nonlinearity must be known, but is {nonlinearity!r}; pass one of {known}")
    return FIXED_GAINS[nonlinearity]


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(out, in, *kernel) -> (fan_in, fan_out) = (in · |kernel|, out · |kernel|).

    Raises ValueError for fewer than two axes. Source: `torch.nn.init`.
    """
    if len(shape) < 2:
        raise ValueError(f"the shape must have two axes or more, but is {shape}; add axes of size 1")
    out_features, in_features, *kernel = shape
    receptive_field = math.prod(kernel)
    return in_features * receptive_field, out_features * receptive_field
