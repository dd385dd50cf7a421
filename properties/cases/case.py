"""One point of a claim's domain, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from equivalence.claim import Equivalence
from equivalence.variable import ClaimError, Variable
from properties.cases.setting import USUAL, Setting
from properties.cases.values import NORMAL
from properties.circumstances.registry import written
from properties.oracle.exact import SINGLE_EVERY

Shape = tuple[int, ...]
MANY = 16
"""So many entries of inputs show a look of values: of few, none may lie where a form breaks."""


@dataclass(frozen=True)
class Case:
    """Fields, axes, a seed, a look, circumstances, a setting: all that a run depends on, and no tensor."""

    claim: Equivalence
    axes: Mapping[str, Shape]
    seed: int
    values: str = NORMAL
    """What the values of the inputs look like: a name of LOOKS."""
    under: tuple[str, ...] = ()
    """In what circumstances the forms are used: names of CIRCUMSTANCES."""
    setting: Setting = USUAL
    """In what dtype and on which device they run."""

    def shape(self, variable: Variable) -> Shape:
        """Give the shape of an input in this case."""
        return tuple(size for name in variable.axes.split() for size in self._sizes(name))

    def size(self, name: str) -> int:
        """Give a field of the claim, or what follows from its fields; ClaimError where that is no size."""
        size = getattr(self.claim, name)
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 0:
            message = (
                f"{self.claim!r}: the size of an axis is a natural number for all values of the fields, but "
                f"{name} is {size!r}; take as fields what varies freely, and let the rest follow from it"
            )
            raise ClaimError(message)
        return int(size)

    @property
    def in_single(self) -> bool:
        """Whether a law is tried in float32 in place of float64: the seed says so of every eighth case."""
        # Hypothesis prefers round numbers: a remainder of 0 would come three times as often.
        return self.setting.is_double and self.seed % SINGLE_EVERY == SINGLE_EVERY - 1

    @property
    def single(self) -> Case:
        """The same case, with the nearest seed of those that are tried in float32."""
        return replace(self, seed=self.seed // SINGLE_EVERY * SINGLE_EVERY + SINGLE_EVERY - 1)

    @property
    def double(self) -> Case:
        """The same case, with the next seed of those that are not tried in float32."""
        return replace(self, seed=self.seed + 1) if self.in_single else self

    @property
    def entries(self) -> int:
        """Count the numbers of all inputs."""
        return sum(prod(self.shape(variable)) for variable in self.claim.inputs().values())

    @property
    def has_few_entries(self) -> bool:
        """Whether what is rare may be in none of the numbers of the inputs."""
        return self.entries < MANY

    @property
    def free_sizes(self) -> list[int]:
        """The sizes of all free axes, which the fields say nothing of."""
        return [size for shape in self.axes.values() for size in shape]

    def __str__(self) -> str:
        """Write the case as a reader would: field=value, the free axes, the seed."""
        fields = [f"{name}={value!r}" for name, value in vars(self.claim).items()]
        axes = [f"{name}={shape}" for name, shape in self.axes.items()]
        looks = [f"values={self.values}"] if self.values != NORMAL else []
        under = [f"under={written(self.under)}"] if self.under else []
        return ", ".join([*fields, *axes, f"seed={self.seed}", *looks, *under])

    def _sizes(self, name: str) -> Shape:
        if name.lstrip("*") in self.axes:
            return self.axes[name.lstrip("*")]
        return (int(name) if name.isdigit() else self.size(name),)
