"""What the reference alone must satisfy, before a difference of its candidate counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.regime import Integers, Regime
from properties.cases.sample import OutsideDomainError, Values
from properties.cases.values import LARGE
from properties.circumstances.registry import modes_of, told_of
from properties.circumstances.under import Under
from properties.judging.noise import beyond_noise
from properties.judging.statement import Statement
from properties.oracle.agreement import Equation, first_difference


@dataclass(frozen=True)
class Premise:
    """What is asked of the reference: its range, what it gives in its mode and its use, and the law's own."""

    statement: Statement

    def require(self, case: Case, regime: Regime, values: Values | None = None) -> None:
        """OutsideDomainError where the reference alone says that a difference of this case is none."""
        if case.values in LARGE and not self.stays_in_range(case, regime, values):
            raise OutsideDomainError("the reference itself leaves the range of the dtype")
        if (mode := self._mode_alone(case)) and self._gives_otherwise(mode, regime, values):
            raise OutsideDomainError(
                f"the forms differ {told_of(mode.under)} alone: the law modes tells of it"
            )
        if Under(case.under).alike and not self._same_without(case, regime, values):
            raise OutsideDomainError(f"the reference gives something else {told_of(case.under)}")
        if not self.statement.law.presumed:
            return

        def state(numbers: Regime) -> Equation:
            return self.statement.law.premise(self.statement.sample(case, numbers, values))

        exact = isinstance(regime, Integers)
        if (first_difference(state(regime)) if exact else beyond_noise(state, regime).difference) is not None:
            raise OutsideDomainError(f"the reference itself does not satisfy {self.statement.law.name}")

    def _mode_alone(self, case: Case) -> Case | None:
        """Give the case in its mode alone; None where it is in no other than was asked for."""
        found, asked = modes_of(case.under), modes_of(self.statement.domain.under)
        return replace(case, under=found) if found and found != asked else None

    def _gives_otherwise(self, case: Case, regime: Regime, values: Values | None) -> bool:
        """Whether the forms give other values: the law modes looks at no gradient of a parameter."""

        def state(numbers: Regime) -> Equation:
            sample = self.statement.sample(case, numbers, values)
            reference, candidate = (
                form(sample.theta, sample.inputs) for form in (sample.reference, sample.candidate)
            )
            return Equation(reference, candidate)

        return beyond_noise(state, regime).difference is not None

    def _same_without(self, case: Case, regime: Regime, values: Values | None) -> bool:
        """Whether the reference gives what it gives in the plainest use."""

        def state(numbers: Regime) -> Equation:
            samples = [self.statement.sample(one, numbers, values) for one in (replace(case, under=()), case)]
            plain, under = (one.reference(one.theta, one.inputs) for one in samples)
            return Equation(plain, under)

        try:
            return beyond_noise(state, regime).difference is None
        except FormError:
            return False

    def stays_in_range(self, case: Case, regime: Regime, values: Values | None = None) -> bool:
        """Whether the reference gives finite numbers."""
        sample = self.statement.sample(case, regime, values)
        with torch.no_grad():
            outputs = sample.reference(sample.theta, sample.inputs)
        return all(bool(torch.isfinite(one).all()) for one in outputs)
