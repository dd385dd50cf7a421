"""Draws that are right, draws that are wrong in one way, and the test of the law that must tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from equivalence.distribution import Distribution, Normal, TruncatedNormal, Uniform
from properties.oracle.agreement import Equation, first_difference
from properties.oracle.dependence import Together
from properties.oracle.statistics import Draws

Draw = Callable[[torch.Generator], Tensor]
Wrong = Callable[[Tensor, torch.Generator], Tensor]
"""Right draws -> wrong ones."""
WIDER, NARROWER = 1.05, 0.95
FAN, OTHER_FAN = 6, 8
"""The two nearest sizes of a wide case: the smallest change of scale that a wrong fan makes."""
CONSTRUCTIONS, ROWS, COLUMNS = 128, 8, 6
"""Fewer constructions and entries than those of a wide case."""


@dataclass(frozen=True)
class Family:
    """One kind of draws: how they are drawn, what is expected of them, and what can go wrong with them."""

    name: str
    draw: Draw
    right: Callable[[Tensor, torch.Generator], Equation]
    wrongs: Mapping[str, Wrong]

    def refused(self, draws: Tensor, generator: torch.Generator) -> bool:
        """Whether the law tells these draws from right ones."""
        return first_difference(self.right(draws, generator)) is not None


def families() -> list[Family]:
    """Give every kind of draws of the catalogue, at fewer draws than its wide cases have."""
    return [
        _closed_form("U(-1, 1), stated", Uniform(-1, 1), 4096, _normal_for_uniform()),
        _two_samples("U(-1, 1), two samples", 2304),
        _closed_form("N(0, 1), stated", Normal(0, 1), 24576, _uniform_for_normal()),
        *(_truncated(mean, std) for mean, std in ((0, 2), (1, 1))),
        _together(),
    ]


def uniform(count: int, generator: torch.Generator) -> Tensor:
    """Draw from U(-1, 1)."""
    return torch.rand(count, generator=generator) * 2 - 1


def truncated(expected: TruncatedNormal, count: int, generator: torch.Generator) -> Tensor:
    """Draw by the inverse of the distribution function."""
    ends = (torch.tensor([expected.low, expected.high]).double() - expected.centre) / expected.std
    low, high = torch.special.ndtr(ends).tolist()
    share = torch.rand(count, generator=generator, dtype=torch.float64) * (high - low) + low
    values: Tensor = torch.special.ndtri(share) * expected.std + expected.centre
    return values.clamp(expected.low, expected.high).float()


def _scales() -> dict[str, Wrong]:
    return {
        "scale + 5 %": lambda right, _: right * WIDER,
        "scale - 5 %": lambda right, _: right * NARROWER,
        "wrong fan": lambda right, _: right * math.sqrt(FAN / OTHER_FAN),
    }


def _normal_for_uniform() -> dict[str, Wrong]:
    return {
        "normal for uniform": lambda right, generator: (
            torch.randn(len(right), generator=generator) / math.sqrt(3)
        )
    }


def _uniform_for_normal() -> dict[str, Wrong]:
    cut = TruncatedNormal(0, 1, -2, 2)
    return {
        "uniform for normal": lambda right, generator: uniform(len(right), generator) * math.sqrt(3),
        "truncated": lambda right, generator: truncated(cut, len(right), generator),
    }


def _closed_form(name: str, expected: Uniform | Normal, count: int, others: Mapping[str, Wrong]) -> Family:
    def draw(generator: torch.Generator) -> Tensor:
        if isinstance(expected, Uniform):
            return uniform(count, generator)
        return torch.randn(count, generator=generator)

    return Family(name, draw, _stated(expected), {**_scales(), **others})


def _stated(expected: Distribution) -> Callable[[Tensor, torch.Generator], Equation]:
    return lambda draws, _: Equation(expected, Draws(draws, (len(draws),)))


def _two_samples(name: str, count: int) -> Family:
    def against_others(draws: Tensor, generator: torch.Generator) -> Equation:
        shape = (len(draws),)
        return Equation(Draws(uniform(count, generator), shape), Draws(draws, shape))

    return Family(
        name,
        lambda generator: uniform(count, generator),
        against_others,
        {**_scales(), **_normal_for_uniform()},
    )


def _truncated(mean: float, std: float) -> Family:
    expected = TruncatedNormal(mean, std, -2, 3)
    in_stds = TruncatedNormal(mean, std, mean - 2 * std, mean + 3 * std)
    count = 4096

    def another(right: Tensor, generator: torch.Generator) -> Tensor:
        return truncated(in_stds, len(right), generator)

    def even(right: Tensor, generator: torch.Generator) -> Tensor:
        return uniform(len(right), generator) * math.sqrt(3 * expected.variance) + expected.mean

    return Family(
        f"N({mean}, {std}²) in [-2, 3], stated",
        lambda generator: truncated(expected, count, generator),
        _stated(expected),
        {**_scales(), "uniform for normal": even, "truncated": another},
    )


def _together() -> Family:
    """Give a layer's weight and bias, and another layer of the same sizes."""
    shapes = {"first.weight": (ROWS, COLUMNS), "first.bias": (ROWS,), "second.weight": (ROWS, COLUMNS)}
    entries = sum(math.prod(shape) for shape in shapes.values())

    def draw(generator: torch.Generator) -> Tensor:
        return torch.rand(CONSTRUCTIONS, entries, generator=generator) * 2 - 1

    def beside_others(draws: Tensor, generator: torch.Generator) -> Equation:
        return Equation(Together(draw(generator), shapes, True), Together(draws, shapes, True))  # noqa: FBT003

    wrongs = {"one copied column": _copied_column, "equal rows": _equal_rows, "repeated seed": _repeated_seed}
    return Family("a layer's draws together", draw, beside_others, wrongs)


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
