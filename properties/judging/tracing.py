"""How many bits the integers of a case may have, so that the law's numbers stay exact."""

from __future__ import annotations

from contextlib import suppress

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.regime import Integers, Traced
from properties.cases.sample import OutsideDomainError, build
from properties.judging.numbers import traced_integers
from properties.judging.statement import Statement
from properties.oracle.exact import Exactness, Trace, examine


class Tracing:
    """Traces cases, and keeps what was found."""

    def __init__(self, statement: Statement) -> None:
        """Take the law of a claim."""
        self.statement = statement
        self._found: dict[tuple[object, ...], tuple[Case, Exactness]] = {}

    def exactness(self, case: Case) -> Exactness:
        """Trace the largest case of this kind once; every smaller one stays below its bounds.

        Where a narrow dtype leaves the largest no bits, each is traced by itself.
        """
        options = (*self.statement.domain.options(case), case.setting)
        traced, found = self._found.get(options, (None, None))
        if traced is None or found is None or not self._covers(traced, case):
            traced, found = self._of_widest(case)
            self._found[options] = (traced, found)
        if found.bits < 1 and not case.setting.is_double:
            return self._examine(case, traced_integers(case))
        return found

    def stayed_exact(self, case: Case, regime: Integers) -> bool:
        """Trace the very case that differs: rounding must not look like a difference of meaning."""
        found = self._examine(case, regime)
        return not found.obstacle and found.bits >= regime.bits

    def _of_widest(self, case: Case) -> tuple[Case, Exactness]:
        """Trace the largest case with this one's options, if the reference accepts it, else this one."""
        largest = self.statement.domain.largest(case)
        if self._covers(largest, case):
            with suppress(OutsideDomainError, FormError):
                return largest, self._examine(largest, traced_integers(case))
        return case, self._examine(case, traced_integers(case))

    def _covers(self, traced: Case, case: Case) -> bool:
        largest = self.statement.domain.sizes(traced)
        try:
            sizes = self.statement.domain.sizes(case)
        except Exception:
            # What follows from the fields need be a size only where the reference accepts them.
            build(case.claim, "reference", case.seed)
            raise
        return all(size <= largest[name] for name, size in sizes.items())

    def _examine(self, case: Case, regime: Integers) -> Exactness:
        def sides() -> tuple[object, object]:
            equation = self.statement.law.equation(sample)
            return equation.reference, equation.candidate

        trace = Trace(regime.bits, regime.dtype)
        sample = self.statement.sample(case, Traced(regime, trace))
        return examine(sides, trace)
