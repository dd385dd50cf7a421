"""Draws that are right, draws that are wrong in one way, and the test of the law that must tell."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from equivalence.distribution import Distribution, Normal, TruncatedNormal, Uniform
from properties.oracle.dependence import Together, signs_of
from properties.oracle.statistics import Draws
from tests.power import matrices
from tests.power.family import Draw, Family, Side, Wrong, other_scales

FAN, OTHER_FAN = 6, 8
"""The two nearest sizes of a wide case: the smallest change of scale that a wrong fan makes."""
FEW, MANY = 2304, 24576
"""Draws in one trial: ends are seen in few, the scale of normal draws takes many."""
CONSTRUCTIONS, ROWS, COLUMNS = 128, 6, 4
SHAPES = {"first.weight": (ROWS, COLUMNS), "first.bias": (ROWS,), "second.weight": (ROWS, COLUMNS)}
ENTRIES = sum(math.prod(shape) for shape in SHAPES.values())


def families() -> list[Family]:
    """Give every kind of draws of the catalogue, at no more draws than its first wide cases have."""
    return [
        _uniform_stated(),
        _two_samples(),
        _normal_stated(),
        *(_truncated_stated(mean, std) for mean, std in ((0, 2), (1, 1))),
        matrices.orthogonal(),
        matrices.sparse(),
        matrices.zeros_of_sparse(),
        matrices.constants(),
        matrices.eye(),
        _together(),
    ]


def uniform(count: int, generator: torch.Generator) -> Tensor:
    """Draw from U(-1, 1)."""
    return torch.rand(count, generator=generator) * 2 - 1


def truncated(expected: TruncatedNormal, count: int, generator: torch.Generator) -> Tensor:
    """Draw by the inverse of the distribution function."""
    low, high = (
        math.erf((end - expected.centre) / expected.std / math.sqrt(2))
        for end in (expected.low, expected.high)
    )
    values = torch.empty(count).uniform_(low, high, generator=generator).erfinv_()
    return values.mul_(math.sqrt(2) * expected.std).add_(expected.centre).clamp_(expected.low, expected.high)


def _uniform_stated() -> Family:
    return _stated(
        "U(-1, 1), stated",
        "init-uniform",
        Uniform(-1, 1),
        lambda generator: uniform(FEW, generator),
        {**_scales(), "normal for uniform": _normal_for_uniform},
    )


def _two_samples() -> Family:
    def entries(draws: Tensor) -> Side:
        return {"entries": Draws(draws, draws.shape)}

    return Family(
        "U(-1, 1), two samples",
        "two-d-fc",
        lambda generator: uniform(FEW, generator),
        lambda generator: entries(uniform(FEW, generator)),
        entries,
        {**_scales(), "normal for uniform": _normal_for_uniform},
    )


def _normal_stated() -> Family:
    return _stated(
        "N(0, 1), stated",
        "init-normal",
        Normal(0, 1),
        lambda generator: torch.randn(MANY, generator=generator),
        {**_scales(), "uniform for normal": _uniform_for_normal, "truncated": _cut},
    )


def _truncated_stated(mean: float, std: float) -> Family:
    expected = TruncatedNormal(mean, std, -2, 3)
    in_stds = TruncatedNormal(mean, std, mean - 2 * std, mean + 3 * std)
    half = math.sqrt(3 * expected.variance)
    wrongs: dict[str, Wrong] = {
        **_scales(),
        "uniform for normal": lambda right, generator: uniform(len(right), generator) * half + expected.mean,
        "truncated in stds": lambda right, generator: truncated(in_stds, len(right), generator),
    }
    return _stated(
        f"N({mean}, {std}²) in [-2, 3], stated",
        "init-trunc-normal",
        expected,
        lambda generator: truncated(expected, FEW, generator),
        wrongs,
    )


def _stated(name: str, claim: str, expected: Distribution, draw: Draw, wrongs: Mapping[str, Wrong]) -> Family:
    return Family(
        name,
        claim,
        draw,
        lambda _: {"closed form": expected},
        lambda draws: {"closed form": Draws(draws, draws.shape)},
        wrongs,
    )


def _scales() -> dict[str, Wrong]:
    wrong_fan = math.sqrt(FAN / OTHER_FAN)
    return {**other_scales(), "wrong fan": lambda right, _: right * wrong_fan}


def _normal_for_uniform(right: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(len(right), generator=generator) / math.sqrt(3)


def _uniform_for_normal(_: Tensor, generator: torch.Generator) -> Tensor:
    return uniform(FEW, generator) * math.sqrt(3)


def _cut(_: Tensor, generator: torch.Generator) -> Tensor:
    return truncated(TruncatedNormal(0, 1, -2, 2), FEW, generator)


def _together() -> Family:
    """Give a layer's weight and bias, and another layer of the same sizes."""

    def draw(generator: torch.Generator) -> Tensor:
        return torch.rand(CONSTRUCTIONS, ENTRIES, generator=generator)

    def found(draws: Tensor) -> Side:
        return {"together": Together(signs_of(draws), SHAPES, independent=True)}

    wrongs = {"one copied column": _copied_column, "equal rows": _equal_rows, "repeated seed": _repeated_seed}
    return Family(
        "a layer's draws together",
        "n-d-linear",
        draw,
        lambda generator: found(draw(generator)),
        found,
        wrongs,
    )


def _copied_column(right: Tensor, _: torch.Generator) -> Tensor:
    wrong = right.clone()
    weight = wrong[:, : ROWS * COLUMNS].view(-1, ROWS, COLUMNS)
    weight[:, :, -1] = weight[:, :, 0]
    return wrong


def _equal_rows(right: Tensor, _: torch.Generator) -> Tensor:
    wrong = right.clone()
    weight = wrong[:, : ROWS * COLUMNS].view(-1, ROWS, COLUMNS)
    weight[:] = weight[:, :1].clone()
    return wrong


def _repeated_seed(right: Tensor, _: torch.Generator) -> Tensor:
    """The second layer starts as the first, on a scale of its own."""
    wrong = right.clone()
    wrong[:, -ROWS * COLUMNS :] = wrong[:, : ROWS * COLUMNS] / 3
    return wrong
