"""The initialisers of `torch.nn.init` that see the weight as a matrix, written in NumPy from their formulas.

Each takes the shape of the weight and the generator to draw from, and returns a float64 array. Empty shapes
are welcome. Source: the documentation of `torch.nn.init`.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from equivalence.layers.initialisers import Array, Shape, normal, zeros


def eye(shape: Shape, _generator: np.random.Generator) -> Array:
    """W_ij = 1 where i = j, else 0; ValueError unless the shape has two axes."""
    _check_axes(shape, 2, 2)
    rows, columns = shape
    return np.eye(rows, columns)


def dirac(shape: Shape, generator: np.random.Generator, groups: int = 1) -> Array:
    """W_oik = 1 where i is the number of o within its group and k the centre of the kernel, else 0.

    Raises ValueError unless the shape has three to five axes and groups divides the first.
    """
    _check_axes(shape, 3, 5)
    if groups < 1 or shape[0] % groups != 0:
        raise ValueError(f"groups must divide shape[0], which is {shape[0]}, but is {groups}; pass a divisor")
    weight = zeros(shape, generator)
    if weight.size == 0:
        return weight
    out_per_group = shape[0] // groups
    centre = tuple(size // 2 for size in shape[2:])
    for group, channel in itertools.product(range(groups), range(min(out_per_group, shape[1]))):
        weight[(group * out_per_group + channel, channel, *centre)] = 1
    return weight


def orthogonal(shape: Shape, generator: np.random.Generator, gain: float = 1.0) -> Array:
    """W = gain · Q, uniform over the (rows, columns) matrices with QQᵀ = I if wide, QᵀQ = I if tall.

    All axes after the first are the columns. Raises ValueError for fewer than two axes.
    """
    _check_axes(shape, 2, math.inf)
    rows, columns = shape[0], math.prod(shape[1:])
    if rows * columns == 0:
        return zeros(shape, generator)
    tall, r = np.linalg.qr(normal((max(rows, columns), min(rows, columns)), generator))
    # Q is unique, hence uniform, only once the diagonal of R is positive.
    tall = tall * np.sign(np.diag(r))
    matrix = tall if rows >= columns else tall.T
    return gain * matrix.reshape(shape)


def sparse(shape: Shape, generator: np.random.Generator, sparsity: float, std: float = 0.01) -> Array:
    """W ~ N(0, std²), with ⌈sparsity · rows⌉ entries of every column set to 0, chosen at random.

    Raises ValueError unless the shape has two axes.
    """
    _check_axes(shape, 2, 2)
    rows, columns = shape
    dead = math.ceil(sparsity * rows)
    weight = normal(shape, generator, 0.0, std)
    for column in range(columns):
        weight[generator.permutation(rows)[:dead], column] = 0
    return weight


def _check_axes(shape: Shape, fewest: int, most: float) -> None:
    if not fewest <= len(shape) <= most:
        raise ValueError(
            f"the shape must have from {fewest} to {most} axes, but is {shape}; add or flatten axes"
        )
