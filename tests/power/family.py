"""One kind of draws that the law is asked about: right ones, and the ways to be wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from properties.oracle.agreement import Equation, first_difference

Draw = Callable[[torch.Generator], Tensor]
Wrong = Callable[[Tensor, torch.Generator], Tensor]
"""Right draws -> wrong ones."""
Side = Mapping[str, Any]
"""One side of the law's equation, or a part of it, under the names that the law gives."""
WIDER, NARROWER = 1.05, 0.95


@dataclass(frozen=True)
class Family:
    """One kind of draws: how they are drawn, what is expected of them, and what can go wrong with them."""

    name: str
    claim: str
    """The claim of the catalogue that has such draws, and at least as many in its first wide case."""
    draw: Draw
    expected: Callable[[torch.Generator], Side]
    """What the draws are held against: a closed form, or draws of the reference's."""
    found: Callable[[Tensor], Side]
    """What the law looks at in the draws."""
    wrongs: Mapping[str, Wrong]

    def refused(self, draws: Tensor, expected: Side) -> bool:
        """Whether the law tells these draws from right ones."""
        return first_difference(Equation(expected, self.found(draws))) is not None


def other_scales() -> dict[str, Wrong]:
    """Give the two changes of scale that the law is to see."""
    return {"scale + 5 %": lambda right, _: right * WIDER, "scale - 5 %": lambda right, _: right * NARROWER}
