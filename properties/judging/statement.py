"""One law of one claim, stated for a case in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.regime import Regime
from properties.cases.sample import Sample, Values
from properties.cases.values import LARGE
from properties.laws.registry import Law
from properties.oracle.agreement import Equation
from properties.oracle.nearness import within_range


@dataclass(frozen=True)
class Statement:
    """(case, numbers) -> equation."""

    domain: Domain
    law: Law

    def sample(self, case: Case, regime: Regime, values: Values | None = None) -> Sample:
        """Fill a case with numbers; OutsideDomainError, FormError where a form cannot be constructed."""
        return Sample(case, regime, self.domain.data, values)

    def equation(self, case: Case, regime: Regime, values: Values | None = None) -> Equation:
        """State the law for one case, in numbers."""
        try:
            equation = self.law.equation(self.sample(case, regime, values))
            # Of usual values too, forms of float16 leave its range.
            beyond = case.values in LARGE or case.setting.dtype == torch.float16
            return within_range(equation) if beyond else equation
        except FormError as error:
            error.regime = regime
            raise
