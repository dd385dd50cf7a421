"""(law, claim, case) -> verdict: integers first, then the ladder; and what a run of many cases amounts to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from properties.agreement import (
    Difference,
    Equation,
    first_difference,
    first_difference_beyond_rounding,
)
from properties.case import Case
from properties.domain import Domain
from properties.exact import TRACED_BITS, Exactness, examine
from properties.form import FormError, generator_state, on_cpu
from properties.laws.registry import Law
from properties.regime import Integers, Reals, Regime
from properties.sample import OutsideDomainError, Sample

EXACT, LADDER = "exact", "ladder"
FLOATS = (Reals(torch.float32), Reals(torch.float64))
Comparison = Callable[..., Difference | None]
SINGLE_EVERY = 8
"""One case in so many is run in float32 as well."""


@dataclass(frozen=True)
class Verdict:
    """Whether the equation holds in one case, and how that was decided."""

    case: Case
    decided: str
    difference: Difference | None = None
    exactness: Exactness | None = None
    regime: Integers | None = None
    """The integers that show an exact difference."""

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
        decide = self._by_values if self.law.decided == "values" else self._directly
        try:
            with torch.enable_grad(), generator_state(case.seed), on_cpu():
                return self._answered(case, decide)
        except FormError as error:
            raise OutsideDomainError(str(error)) from error

    def equation(self, case: Case, regime: Regime) -> Equation:
        """State the law for one case, in numbers."""
        return self.law.equate(case.claim, Sample(case, regime, self.domain.data))

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
            self._require_premise(case, FLOATS, first_difference_beyond_rounding)
            return Verdict(case, "directly", raised(error))

    def _by_values(self, case: Case) -> Verdict:
        """Decide by integers, and by reals too where a form chooses by value: integers never lie between."""
        exactness = self.exactness(case)
        if exactness.obstacle:
            return Verdict(case, LADDER, self._on_the_ladder(case), exactness)
        for regime in _integers(case, exactness):
            difference = self._difference(case, [regime], first_difference)
            if difference is not None and self._stayed_exact(case, regime):
                return Verdict(case, EXACT, difference, exactness, regime)
            if difference is not None:
                return Verdict(case, LADDER, self._on_the_ladder(case), exactness)
        if exactness.piecewise and (difference := self._on_the_ladder(case)):
            return Verdict(case, LADDER, difference, exactness)
        return Verdict(case, EXACT, None, exactness)

    def _on_the_ladder(self, case: Case) -> Difference | None:
        return self._difference(case, FLOATS, first_difference_beyond_rounding)

    def _directly(self, case: Case) -> Verdict:
        difference = self._difference(case, [Reals(torch.float64)], first_difference)
        return Verdict(case, self.law.decided, difference)

    def _difference(self, case: Case, regimes: Sequence[Regime], compare: Comparison) -> Difference | None:
        difference = compare(*(self.equation(case, regime) for regime in regimes))
        if difference is not None:
            self._require_premise(case, regimes, compare)
        return difference

    def _require_premise(self, case: Case, regimes: Sequence[Regime], compare: Comparison) -> None:
        """Where the reference alone fails the law's premise, the law says nothing."""
        premise = self.law.premise
        if premise is None:
            return
        samples = [Sample(case, regime, self.domain.data) for regime in regimes]
        if compare(*(premise(case.claim, sample) for sample in samples)) is not None:
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
        return all(size <= largest[name] for name, size in self.domain.sizes(case).items())

    def _examine(self, case: Case, regime: Integers) -> Exactness:
        def sides() -> tuple[object, object]:
            equation = self.law.equate(case.claim, sample)
            return equation.reference, equation.candidate

        sample = Sample(case, regime, self.domain.data)
        return examine(sides, regime.bits, regime.dtype)


def _integers(case: Case, exactness: Exactness) -> list[Integers]:
    """Give float64 for every case, and for every eighth one float32 too, where a few bits are left for it."""
    # Hypothesis prefers round numbers: a remainder of 0 would come three times as often.
    single = case.seed % SINGLE_EVERY == SINGLE_EVERY - 1 and exactness.single_bits > 0
    regimes = [Integers(exactness.bits)]
    return [*regimes, Integers(exactness.single_bits, torch.float32)] if single else regimes


def raised(error: FormError) -> Difference:
    """Describe a candidate that raised where a value was asked for."""
    original = f"{type(error.original).__name__}: {error.original}".splitlines()[0]
    return Difference("raises", "", "returned", f"raised {original}")


@dataclass
class Tally:
    """What the cases of one cell amounted to."""

    executed: int = 0
    outside: int = 0
    decided: Counter[str] = field(default_factory=Counter)
    exactness: Exactness | None = None
    worst: Verdict | None = None
    refusal: str = ""

    def count(self, verdict: Verdict) -> None:
        """Add one executed case."""
        self.executed += 1
        self.decided[verdict.decided] += 1
        self.exactness = verdict.exactness or self.exactness
        if verdict.difference and (
            self.worst is None
            or self.worst.difference is None
            or verdict.difference.largest > self.worst.difference.largest
        ):
            self.worst = verdict

    def discard(self, refusal: OutsideDomainError) -> None:
        """Add one case that lies outside the claim."""
        self.outside += 1
        self.refusal = str(refusal)
