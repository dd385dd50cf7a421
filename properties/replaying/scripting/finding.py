"""What a script is about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from properties.cases.case import Case
from properties.cases.regime import Integers, Regime
from properties.cases.sample import Values
from properties.laws import all_laws
from properties.oracle.agreement import Difference
from properties.oracle.rounding import CLOSE
from properties.refutation.counterexample import Refuted
from properties.ways import AS_IT_STANDS


@dataclass(frozen=True)
class Finding:
    """One case of one claim under one law, with the numbers that it was decided on."""

    case: Case
    law: str
    values: Values
    regime: Regime
    difference: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of what it was found with; those of now where none are given."""
    units: float | None = None
    """Up to how many units in the last place a script calls numbers equal; those of the dtype where none."""

    @classmethod
    def of(cls, refuted: Refuted) -> Finding:
        """Take the smallest values that show a refutation."""
        values, difference = refuted.smallest
        verdict = refuted.verdict
        return cls(
            verdict.case,
            refuted.judge.law.name,
            values,
            verdict.regime,
            str(difference),
            units=units_of(difference),
        )

    @property
    def allowed(self) -> float:
        """Return the units in the last place, beside a tensor's largest number, that are no difference."""
        if isinstance(self.regime, Integers) or all_laws()[self.law].decided == AS_IT_STANDS:
            return 0.0
        return torch.finfo(self.regime.dtype).eps ** -0.5 if self.units is None else self.units


def units_of(difference: Difference) -> float | None:
    """Return the middle, in digits, between a difference and what rounding explains of it; None if unknown.

    In units in the last place of the tensor's largest number.
    """
    leaf = difference.leaf
    if leaf is None or not difference.times:
        return None
    finfo = torch.finfo(leaf.reference.dtype)
    numbers = torch.cat([one.abs().nan_to_num(0.0, 0.0, 0.0).flatten() for one in leaf[:2]])
    units = difference.largest / max(float(numbers.max()), finfo.tiny) / finfo.eps
    return max(CLOSE, units / math.sqrt(difference.times))
