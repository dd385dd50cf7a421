"""What the values of a case's inputs look like: where rewrites differ that agree near N(0, 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from equivalence.variable import ClaimError

MOST = 1e4
"""The largest value that refutes a claim."""
UNITS = (1.0, 0.5, 0.125)
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
    of_integers: Change | None = None
    """The same for values that are integers, where that is another change."""


def _same(drawn: Tensor, _: torch.Generator, dtype: torch.dtype) -> Tensor:
    return drawn.to(dtype)


def _thousands(drawn: Tensor, _: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Scale to 1e4 at most, and let the first row lie close to -1e4: as low as what is masked by a number."""
    changed = (drawn * (MOST / 4)).clamp(-MOST, MOST).to(dtype)
    if changed.ndim and changed.numel():
        first = changed.view(-1, changed.shape[-1])[0]
        first.copy_((drawn.reshape(-1, drawn.shape[-1])[0].abs() - MOST).clamp(-MOST, MOST))
    return changed


def _times(factor: float) -> Change:
    return lambda drawn, _, dtype: (drawn * factor).to(dtype)


def _limit(drawn: Tensor, _: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Scale to just below the largest number: N(0, 1) stays below 10."""
    return drawn.to(dtype) * (torch.finfo(dtype).max / 16)


def _zeros(drawn: Tensor, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Set every other entry to 0 or -0, and all entries of the first row."""
    changed = drawn.to(dtype) * torch.randint(0, 2, drawn.shape, generator=generator)
    if changed.ndim and changed.numel():
        changed.view(-1, changed.shape[-1])[0] *= 0
    return changed


def _signs(drawn: Tensor, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Draw from -1, 0 and 1."""
    return torch.randint(-1, 2, drawn.shape, generator=generator).to(dtype)


def _ties(drawn: Tensor, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Draw from -3 to 3, in each row times 1, 1/2 or 1/8: halves, which are rounded up, down or to even."""
    whole = torch.randint(-3, 4, drawn.shape, generator=generator).to(dtype)
    units = torch.tensor(UNITS, dtype=dtype)[torch.randint(len(UNITS), drawn.shape[:-1], generator=generator)]
    return whole * (units.unsqueeze(-1) if drawn.ndim else units)


def _equal(drawn: Tensor, _: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Repeat the first entry of each row."""
    return (drawn[..., :1].expand(drawn.shape).clone() if drawn.ndim else drawn).to(dtype)


NORMAL = "normal"
LIMIT = "limit"
"""Beyond what a claim is refuted for: what differs there is told."""
LOOKS: Mapping[str, Look] = {
    NORMAL: Look("near N(0, 1)", _same),
    "zeros": Look("with exact zeros and a row of them", _zeros),
    "ties": Look("small multiples of 1, 1/2 or 1/8", _ties, of_integers=_signs),
    "equal": Look("equal along each row", _equal),
    "small": Look("of size 1e-3", _times(1e-3), scales=True),
    "hundreds": Look("of size 100", _times(100.0), scales=True),
    "thousands": Look("up to 1e4", _thousands, scales=True),
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
