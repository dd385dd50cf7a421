"""What the values of a case's inputs look like: where rewrites differ that agree near N(0, 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from equivalence.variable import ClaimError

Change = Callable[[Tensor, torch.Generator, torch.dtype], Tensor]


@dataclass(frozen=True)
class Look:
    """One way in which the values of an input look."""

    told: str
    """What a reader is told of the values."""
    change: Change
    """(values drawn as usual, generator, dtype of the run) -> values that look like this, in that dtype."""
    scales: bool = False
    """Whether it is a change of scale alone, which shows nothing of forms that run on integers."""


def _same(drawn: Tensor, _: torch.Generator, dtype: torch.dtype) -> Tensor:
    return drawn.to(dtype)


def _times(factor: float, most: float = math.inf) -> Change:
    return lambda drawn, _, dtype: (drawn * factor).clamp(-most, most).to(dtype)


def _limit(drawn: Tensor, _: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Scale to just below the largest number: N(0, 1) stays below 10."""
    return drawn.to(dtype) * (torch.finfo(dtype).max / 16)


def _zeros(drawn: Tensor, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Set every other entry to 0 or -0, and all entries of the first row."""
    changed = drawn.to(dtype) * torch.randint(0, 2, drawn.shape, generator=generator)
    if changed.ndim and changed.numel():
        changed.view(-1, changed.shape[-1])[0] *= 0
    return changed


def _ties(drawn: Tensor, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Draw from -1, 0 and 1."""
    return torch.randint(-1, 2, drawn.shape, generator=generator).to(dtype)


def _equal(drawn: Tensor, _: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Repeat the first entry of each row."""
    return (drawn[..., :1].expand(drawn.shape).clone() if drawn.ndim else drawn).to(dtype)


NORMAL = "normal"
LIMIT = "limit"
"""Beyond what a claim is refuted for: what differs there is told."""
LOOKS: Mapping[str, Look] = {
    NORMAL: Look("near N(0, 1)", _same),
    "zeros": Look("with exact zeros and a row of them", _zeros),
    "ties": Look("-1, 0 and 1 alone", _ties),
    "equal": Look("equal along each row", _equal),
    "small": Look("of size 1e-3", _times(1e-3), scales=True),
    "hundreds": Look("of size 100", _times(100.0), scales=True),
    "thousands": Look("up to 1e4", _times(2500.0, 1e4), scales=True),
    LIMIT: Look("just below overflow", _limit, scales=True),
}
"""By name, the plainest first."""
LARGE = ("hundreds", "thousands", LIMIT)
"""Where two forms may both leave the range of a dtype, which is no difference between them."""


def look(name: str) -> Look:
    """Return one look by its name; ClaimError for another."""
    if name not in LOOKS:
        raise ClaimError(f"the values of a case are one of {', '.join(LOOKS)}, but got {name!r}")
    return LOOKS[name]
