"""What a script is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from properties.cases.case import Case
from properties.cases.regime import Regime
from properties.cases.sample import Values
from properties.refutation.counterexample import Refuted


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

    @classmethod
    def of(cls, refuted: Refuted) -> Finding:
        """Take the smallest values that show a refutation."""
        values, difference = refuted.smallest
        verdict = refuted.verdict
        return cls(verdict.case, refuted.judge.law.name, values, verdict.regime, str(difference))
