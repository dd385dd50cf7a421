"""Draws of whole matrices, (constructions, rows, columns): orthogonal ones, sparse ones, and constants."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from equivalence.distribution import Constant, Normal
from equivalence.matrix_distribution import Fixed, SphereCoordinate, Thinned
from properties.oracle.statistics import Draws, Positions
from tests.power.family import WIDER, Family, Side, Wrong, other_scales

ORTHOGONAL = (72, 6, 4)
SPARSE = (512, 8, 6)
ZEROS, OTHERS = 3584, 25088
"""One zero in 8: half as many normal draws do not show 5 % of scale."""
STD = 2.0
EYE = (128, 6, 4)
CONSTANT = 3.0


def orthogonal() -> Family:
    """Q uniform with QᵀQ = I: a column has the norm 1, an entry is that of a point on a sphere."""
    closed_form = SphereCoordinate(ORTHOGONAL[1], 1)
    wrongs: dict[str, Wrong] = {
        **other_scales(),
        "normal entries": lambda _, generator: _normal(generator) / math.sqrt(ORTHOGONAL[1]),
        "one copied row": _copied_row,
    }
    return Family(
        "orthogonal matrices",
        "init-orthogonal",
        _orthonormal,
        lambda generator: {**_of_orthogonal(_orthonormal(generator)), "closed form": closed_form},
        _of_orthogonal,
        wrongs,
    )


def sparse() -> Family:
    """One entry in 8 is 0, the others N(0, STD²), in any order."""
    wrongs: dict[str, Wrong] = {
        **other_scales(),
        "uniform for normal": _uniform_but_zeros,
        "twice the zeros": lambda right, _: right[: 4 * ZEROS],
    }
    return Family(
        "sparse matrices, stated",
        "init-sparse",
        _zeros_and_normal,
        lambda _: {"closed form": Thinned(ZEROS / (ZEROS + OTHERS), Normal(0, STD))},
        lambda draws: {"closed form": _one_for_each(draws)},
        wrongs,
    )


def zeros_of_sparse() -> Family:
    """One entry of every column is 0, in a row of its own."""
    ones = torch.ones(SPARSE)
    wrongs: dict[str, Wrong] = {
        "zeros in one row": lambda _, generator: _thinned(ones[:, :, :1], generator).expand(SPARSE),
    }
    return Family(
        "sparse matrices, where the zeros are",
        "init-sparse",
        lambda generator: _thinned(ones, generator),
        lambda generator: _zeros(_thinned(ones, generator)),
        _zeros,
        wrongs,
    )


def constants() -> Family:
    """Every entry is the same number."""
    return Family(
        f"the constant {CONSTANT:g}, stated",
        "init-constant",
        lambda _: torch.full((512,), CONSTANT),
        lambda _: {"closed form": Constant(CONSTANT)},
        lambda draws: {"closed form": _one_for_each(draws)},
        {"another constant": lambda right, _: right * WIDER, "one entry off": _one_entry_off},
    )


def eye() -> Family:
    """1 on the diagonal, 0 elsewhere, in every construction."""
    matrix = torch.eye(*EYE[1:])
    closed_form = Fixed(tuple(matrix.flatten().tolist()))
    return Family(
        "the identity matrix, stated",
        "init-eye",
        lambda _: matrix.expand(EYE),
        lambda _: {"closed form": closed_form},
        lambda draws: {"closed form": Positions(draws.flatten(1), EYE[1:])},
        {"one entry off": _one_entry_off, "ones a row lower": lambda right, _: right.roll(1, 1)},
    )


def _normal(generator: torch.Generator) -> Tensor:
    return torch.randn(ORTHOGONAL, generator=generator)


def _orthonormal(generator: torch.Generator) -> Tensor:
    """QR of normal draws; Q is uniform once the diagonal of R is positive."""
    q, r = torch.linalg.qr(_normal(generator))
    matrices: Tensor = q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)
    return matrices


def _of_orthogonal(draws: Tensor) -> Side:
    return {
        "norm of a column": _one_for_each(draws[:, :, -1].norm(dim=1)),
        "closed form": _one_for_each(draws[:, 0, 0]),
    }


def _thinned(values: Tensor, generator: torch.Generator) -> Tensor:
    """Put a zero into every column, in a row drawn for it."""
    constructions, rows, columns = values.shape
    return values.scatter(1, torch.randint(rows, (constructions, 1, columns), generator=generator), 0.0)


def _zeros_and_normal(generator: torch.Generator) -> Tensor:
    draws = torch.zeros(ZEROS + OTHERS)
    draws[ZEROS:].normal_(0, STD, generator=generator)
    return draws


def _uniform_but_zeros(right: Tensor, generator: torch.Generator) -> Tensor:
    """Few of them: they end where normal draws do not."""
    bound, few = math.sqrt(3) * STD, right[::8].clone()
    few[few != 0] = torch.empty(int(few.count_nonzero())).uniform_(-bound, bound, generator=generator)
    return few


def _zeros(draws: Tensor) -> Side:
    lines = {"a row": draws[:, -1], "a column": draws[:, :, -1]}
    return {f"zeros of {name}": _one_for_each((line == 0).sum(1).double()) for name, line in lines.items()}


def _one_for_each(values: Tensor) -> Draws:
    return Draws(values, ())


def _copied_row(right: Tensor, _: torch.Generator) -> Tensor:
    wrong = right.clone()
    wrong[:, -1] = wrong[:, 0]
    return wrong


def _one_entry_off(right: Tensor, generator: torch.Generator) -> Tensor:
    """In one construction, by a twentieth."""
    wrong = right.flatten().clone()
    wrong[int(torch.randint(len(wrong), (1,), generator=generator))] += WIDER - 1
    return wrong.view(right.shape)
