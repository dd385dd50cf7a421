"""(law, claim, case) -> verdict: integers first, then the ladder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import torch

from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.form import FormError, generator_state, on_cpu
from properties.cases.regime import Integers, Reals, Regime, Traced
from properties.cases.sample import OutsideDomainError, Sample, Values, build
from properties.laws.registry import Law
from properties.oracle.agreement import (
    Difference,
    Equation,
    first_difference,
    first_difference_beyond_rounding,
    rounding_used,
)
from properties.oracle.exact import SINGLE_EVERY, TRACED_BITS, Exactness, Trace, examine

EXACT, LADDER, DIRECTLY = "exact", "ladder", "directly"
DOUBLE = Reals(torch.float64)
FLOATS = (Reals(torch.float32), DOUBLE)


@dataclass(frozen=True)
class Verdict:
    """Whether the equation holds in one case, and how that was decided."""

    case: Case
    decided: str
    regimes: tuple[Regime, ...]
    """The numbers it was decided on: one kind for a bitwise comparison, two for the ladder."""
    difference: Difference | None = None
    exactness: Exactness | None = None
    rounding_used: float = 0.0
    """On the ladder: the largest part of the allowed rounding that was used."""

    @property
    def holds(self) -> bool:
        """Whether no difference was found."""
        return self.difference is None


class Judge:
    """Decides one law of one claim, case by case."""

    def __init__(self, domain: Domain, law: Law) -> None:
        """Take the claim's domain and a law that applies to it."""
        self.domain = domain
        self.law = law
        self._traced: dict[tuple[object, ...], tuple[Case, Exactness]] = {}

    def verdict(self, case: Case) -> Verdict:
        """Decide one case; OutsideDomainError where the reference refuses it."""
        ways = {"values": self._by_values, "reals": self._on_the_ladder}
        decide = ways.get(self.law.decided, self._directly)
        try:
            with own_state(case):
                return self._answered(case, decide)
        except FormError as error:
            raise OutsideDomainError(str(error)) from error

    def retried(self, verdict: Verdict, values: Values) -> Verdict:
        """Decide a case once more, in the same way, on other values; OutsideDomainError as `verdict`."""
        try:
            with own_state(verdict.case):
                difference = self._difference(verdict.case, verdict.regimes, values)
        except FormError as error:
            if error.side == "reference":
                raise OutsideDomainError(str(error)) from error
            difference = raised(error)
        return replace(verdict, difference=difference)

    def again(self, verdict: Verdict, values: Values) -> Difference | None:
        """Say how a case fails on other values; None where it does not, or lies outside the claim."""
        try:
            return self.retried(verdict, values).difference
        except OutsideDomainError:
            return None

    def values(self, verdict: Verdict) -> Values:
        """Give the numbers that a verdict was decided on, by name."""
        sample = Sample(verdict.case, verdict.regimes[-1], self.domain.data, {})
        with own_state(verdict.case), suppress(FormError):
            self.law.equate(verdict.case.claim, sample)
        return sample.drawn

    def equation(self, case: Case, regime: Regime, values: Values | None = None) -> Equation:
        """State the law for one case, in numbers."""
        try:
            return self.law.equate(case.claim, Sample(case, regime, self.domain.data, values))
        except FormError as error:
            error.regime = regime
            raise

    def exactness(self, case: Case) -> Exactness:
        """Trace the largest case of this kind once; every smaller one stays below its bounds."""
        options = self.domain.options(case)
        traced, found = self._traced.get(options, (None, None))
        if traced is None or found is None or not self._covers(traced, case):
            traced = self._widest(case)
            found = self._examine(traced, Integers(TRACED_BITS))
            self._traced[options] = (traced, found)
        return found

    def _answered(self, case: Case, decide: Callable[[Case], Verdict]) -> Verdict:
        """Decide one case, and take a candidate that raises as a difference."""
        try:
            return decide(case)
        except FormError as error:
            if error.side == "reference":
                raise
            self._require_premise(case, FLOATS)
            return Verdict(case, DIRECTLY, (error.regime or DOUBLE,), raised(error))

    def _by_values(self, case: Case) -> Verdict:
        """Decide by integers, and by reals too where a form chooses by value: integers never lie between."""
        exactness = self.exactness(case)
        if exactness.obstacle:
            return self._on_the_ladder(case, exactness)
        regimes = _integers(case, exactness)
        for regime in regimes:
            difference = self._difference(case, (regime,))
            if difference is not None and self._stayed_exact(case, regime):
                return self._in_double(Verdict(case, EXACT, (regime,), difference, exactness))
            if difference is not None:
                return self._on_the_ladder(case, exactness)
        if exactness.piecewise and not (verdict := self._on_the_ladder(case, exactness)).holds:
            return verdict
        return Verdict(case, EXACT, regimes[:1], None, exactness)

    def _in_double(self, refuted: Verdict) -> Verdict:
        """Decide what differs in float32 by float64 too: a slip in float32 alone is of another kind."""
        if refuted.regimes[0].dtype == torch.float64 or refuted.exactness is None:
            return refuted
        double = Integers(refuted.exactness.bits)
        difference = self._difference(refuted.case, (double,))
        if difference is None or not self._stayed_exact(refuted.case, double):
            return refuted
        return replace(refuted, regimes=(double,), difference=difference)

    def _on_the_ladder(self, case: Case, exactness: Exactness | None = None) -> Verdict:
        equations = [self.equation(case, regime) for regime in FLOATS]
        difference = first_difference_beyond_rounding(*equations)
        if difference is not None:
            self._require_premise(case, FLOATS)
        return Verdict(case, LADDER, FLOATS, difference, exactness, rounding_used(*equations))

    def _directly(self, case: Case) -> Verdict:
        return Verdict(case, self.law.decided, (DOUBLE,), self._difference(case, (DOUBLE,)))

    def _difference(
        self, case: Case, regimes: Sequence[Regime], values: Values | None = None
    ) -> Difference | None:
        difference = _compare([self.equation(case, regime, values) for regime in regimes])
        if difference is not None:
            self._require_premise(case, regimes, values)
        return difference

    def _require_premise(self, case: Case, regimes: Sequence[Regime], values: Values | None = None) -> None:
        """Where the reference alone fails the law's premise, the law says nothing."""
        premise = self.law.premise
        if premise is None:
            return
        samples = [Sample(case, regime, self.domain.data, values) for regime in regimes]
        if _compare([premise(case.claim, sample) for sample in samples]) is not None:
            message = f"the reference itself does not satisfy {self.law.name}"
            raise OutsideDomainError(message)

    def _stayed_exact(self, case: Case, regime: Integers) -> bool:
        """Trace the very case that differs: rounding must not look like a difference of meaning."""
        found = self._examine(case, regime)
        room = found.bits if regime.dtype == torch.float64 else found.single_bits
        return not found.obstacle and room >= regime.bits

    def _widest(self, case: Case) -> Case:
        """Give the largest case with this one's options, if the reference accepts it, else this one."""
        largest = self.domain.largest(case)
        try:
            self.equation(largest, Integers(1))
        except (OutsideDomainError, FormError):
            return case
        return largest if self._covers(largest, case) else case

    def _covers(self, traced: Case, case: Case) -> bool:
        largest = self.domain.sizes(traced)
        try:
            sizes = self.domain.sizes(case)
        except Exception:
            # What follows from the fields need be a size only where the reference accepts them.
            build(case.claim, "reference", case.seed)
            raise
        return all(size <= largest[name] for name, size in sizes.items())

    def _examine(self, case: Case, regime: Integers) -> Exactness:
        def sides() -> tuple[object, object]:
            equation = self.law.equate(case.claim, sample)
            return equation.reference, equation.candidate

        trace = Trace(regime.bits, regime.dtype)
        sample = Sample(case, Traced(regime, trace), self.domain.data)
        return examine(sides, trace)


def _compare(equations: Sequence[Equation]) -> Difference | None:
    """Compare bitwise what was run on one kind of numbers, and up to rounding what was run on two."""
    if len(equations) == 1:
        return first_difference(equations[0])
    return first_difference_beyond_rounding(*equations)


@contextmanager
def own_state(case: Case) -> Iterator[None]:
    """Run a case with gradients, on the CPU, and with a random state of its own."""
    with torch.enable_grad(), generator_state(case.seed), on_cpu():
        yield


def _integers(case: Case, exactness: Exactness) -> tuple[Integers, ...]:
    """Give float64, and for every eighth case float32 in its place, or beside it where few bits are left."""
    double = Integers(exactness.bits)
    # Hypothesis prefers round numbers: a remainder of 0 would come three times as often.
    if case.seed % SINGLE_EVERY != SINGLE_EVERY - 1 or exactness.single_bits <= 0:
        return (double,)
    single = Integers(exactness.single_bits, torch.float32)
    return (single,) if exactness.single_suffices else (double, single)


def raised(error: FormError) -> Difference:
    """Describe a candidate that raised where a value was asked for."""
    original = f"{type(error.original).__name__}: {error.original}".splitlines()[0]
    return Difference("raises", "", "returned", f"raised {original}")
