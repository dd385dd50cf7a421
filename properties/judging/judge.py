"""(law, claim, case) -> verdict: on exact integers first, then on reals by the rounding model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.regime import Integers, Regime
from properties.cases.sample import OutsideDomainError, Values
from properties.cases.values import LIMIT, NORMAL
from properties.circumstances.registry import told_of
from properties.circumstances.under import Under
from properties.dtypes import named
from properties.judging.culprit import culprit
from properties.judging.distributions import difference_of_distributions, drew_alike, either_draws
from properties.judging.isolation import own_state, told_changes
from properties.judging.noise import Judged, beyond_noise, less_precise
from properties.judging.numbers import DOUBLE, SINGLE, integers, of_distributions, usual
from properties.judging.premise import Premise
from properties.judging.statement import Statement
from properties.judging.tracing import Tracing
from properties.laws.registry import Law
from properties.oracle.agreement import RAISES, Difference, Equation, first_difference
from properties.oracle.exact import Exactness
from properties.oracle.nearness import first_far_apart
from properties.report.text import one_line
from properties.ways import BY_NOISE, BY_REALS, BY_VALUES, DIRECTLY, DISTRIBUTIONS, EXACT, ROUNDING, Way


@dataclass(frozen=True)
class Verdict:
    """Whether the equation holds in one case, and how that was decided."""

    case: Case
    decided: Way
    regime: Regime
    """The numbers it was decided on."""
    difference: Difference | None = None
    exactness: Exactness | None = None
    rounding_used: float = 0.0
    """By the rounding model: the largest part of the allowed rounding that was used; 1 is the limit."""
    notes: Sequence[str] = ()
    """What a reader is told of a case that holds: a narrower dtype inside, digits that are lost."""

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
        self.statement = Statement(domain, law)
        self.tracing = Tracing(self.statement)
        self.premise = Premise(self.statement)

    def verdict(self, case: Case) -> Verdict:
        """Decide one case; OutsideDomainError where the reference refuses it."""
        ways = {BY_VALUES: self._by_values, BY_REALS: self._by_reals, BY_NOISE: self._by_noise}
        decide = ways.get(self.law.decided, self._directly)
        try:
            with own_state(case) as changed:
                verdict = self._answered(case, decide)
                if self._may_be_drawn(verdict):
                    verdict = self._as_distributions(verdict)
            if changed:
                verdict = replace(verdict, notes=(*verdict.notes, *told_changes(self.domain, case, changed)))
            return self._told(verdict) if case.values == LIMIT else verdict
        except FormError as error:
            raise OutsideDomainError(str(error)) from error

    def _told(self, verdict: Verdict) -> Verdict:
        """Tell what differs just below overflow, and refute nothing by it, but for what usual values show."""
        if verdict.difference is not None and verdict.difference.kind == RAISES:
            usual = self.verdict(replace(verdict.case, values=NORMAL))
            if not usual.holds:
                return usual
        return _noted(verdict)

    def retried(self, verdict: Verdict, values: Values) -> Verdict:
        """Decide a case once more, in the same way, on other values; OutsideDomainError as `verdict`."""
        try:
            with own_state(verdict.case):
                difference = self._difference_again(verdict, values)
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

    def at_a_glance(self, verdict: Verdict, values: Values) -> Difference | None:
        """Say how a case decided by rounding differs in half of its digits, without asking for its noise."""
        if verdict.decided != ROUNDING or self.law.decided == BY_NOISE:
            return None
        with own_state(verdict.case), suppress(FormError, OutsideDomainError):
            return first_far_apart(self.statement.equation(verdict.case, verdict.regime, values))
        return None

    def values(self, verdict: Verdict) -> Values:
        """Give the numbers that a verdict was decided on, by name; none where there is no form."""
        sample = None
        with own_state(verdict.case), suppress(FormError):
            sample = self.statement.sample(verdict.case, verdict.regime, {})
            self.law.equation(sample)
        return sample.drawn if sample else {}

    def unnamed_buffers(self) -> list[str]:
        """Name the candidate's buffers that `carry` does not, in a typical case that it accepts."""
        with torch.no_grad(), own_state(self.domain.typical), suppress(FormError):
            sample = self.statement.sample(self.domain.typical, usual(self.domain.typical))
            carried = sample.candidate.carried(sample.theta)
            return [name for name in sample.candidate.buffers if name not in carried]
        return []

    def culprit(self, verdict: Verdict, values: Values) -> str:
        """Say where the candidate loses its precision; empty where no one operation explains it."""
        with own_state(verdict.case):
            return culprit(
                lambda numbers: self.statement.equation(verdict.case, numbers, values), verdict.regime
            )

    def _answered(self, case: Case, decide: Callable[[Case], Verdict]) -> Verdict:
        """Decide one case, and take a candidate that raises as a difference."""
        try:
            return decide(case)
        except FormError as error:
            if error.side == "reference":
                raise
            if self._may_be_refused(case):
                return Verdict(
                    case, DIRECTLY, error.regime or usual(case), notes=(_told_of_refusal(case, error),)
                )
            self._require_premise_beside_none(case)
            return Verdict(case, DIRECTLY, error.regime or usual(case), raised(error))

    def _require_premise_beside_none(self, case: Case) -> None:
        """Ask the reference for the premise beside a candidate that raises, also where it is constructed."""
        try:
            self.premise.require(case, usual(case))
        except FormError as error:
            if error.side == "reference":
                raise

    def _by_values(self, case: Case) -> Verdict:
        """Decide by integers, and by reals too where a form chooses by value: integers never lie between."""
        if case.under != self.domain.under or Under(case.under).computes_otherwise:
            # Whole numbers show what a form computes; circumstances, how it is used.
            return self._by_reals(case)
        exactness = self.tracing.exactness(case)
        if exactness.obstacle:
            return self._by_reals(case, exactness)
        regimes = integers(case, exactness)
        for regime in regimes:
            difference = self._difference(case, regime)
            if difference is not None and self.tracing.stayed_exact(case, regime):
                return self._in_double(Verdict(case, EXACT, regime, difference, exactness))
            if difference is not None:
                return self._by_rounding(case, (regime, usual(case)), exactness)
        beside = exactness.piecewise or not (case.setting.is_double or exactness.suffices)
        if beside and not (verdict := self._by_reals(case, exactness)).holds:
            return verdict
        return Verdict(case, EXACT, regimes[0], None, exactness)

    def _in_double(self, refuted: Verdict) -> Verdict:
        """Decide what differs in float32 by float64 too: a slip in float32 alone is of another kind."""
        if refuted.regime.dtype == refuted.case.setting.dtype or refuted.exactness is None:
            return refuted
        double = Integers(refuted.exactness.bits)
        difference = self._difference(refuted.case, double)
        if difference is None or not self.tracing.stayed_exact(refuted.case, double):
            return refuted
        return replace(refuted, regime=double, difference=difference)

    def _by_reals(self, case: Case, exactness: Exactness | None = None) -> Verdict:
        """Decide in the dtype of the setting; of float64, every eighth case of a function law in float32."""
        asked = case.in_single or (case.setting.is_double and Under(case.under).single)
        regime = SINGLE if asked and self.law.decided.single else usual(case)
        return self._by_rounding(case, (regime,), exactness)

    def _by_rounding(
        self, case: Case, regimes: Sequence[Regime], exactness: Exactness | None = None
    ) -> Verdict:
        """Decide on each kind of numbers in turn, up to the rounding of the forms themselves."""
        *firsts, last = regimes
        for regime in firsts:
            verdict = self._rounded(case, regime, exactness)
            if not verdict.holds:
                return self._by_double(verdict)
        verdict = self._rounded(case, last, exactness)
        return verdict if verdict.holds else self._by_double(verdict)

    def _rounded(self, case: Case, regime: Regime, exactness: Exactness | None) -> Verdict:
        judged = self._beyond_noise(case, regime)
        if judged.difference is not None:
            self.premise.require(case, regime)
        # That autocast computes in bfloat16 is no news of a form.
        notes = () if Under(case.under).narrows else judged.notes
        return Verdict(case, ROUNDING, regime, judged.difference, exactness, judged.used, notes)

    def _by_double(self, refuted: Verdict) -> Verdict:
        """Decide what differs in float32 in float64 too, as `_in_double` does."""
        if refuted.regime.dtype == refuted.case.setting.dtype:
            return refuted
        difference = self._beyond_noise(refuted.case, DOUBLE).difference
        return refuted if difference is None else replace(refuted, regime=DOUBLE, difference=difference)

    def _beyond_noise(self, case: Case, regime: Regime, values: Values | None = None) -> Judged:
        """Say how a case differs by more than rounding, and what rounding does to it."""
        # A law of many runs is about what shows in its tensors as a whole; to ask for their noise takes long.
        whole = self.law.decided.as_a_whole
        return beyond_noise(
            lambda numbers: self.statement.equation(case, numbers, values), regime, whole=whole
        )

    def _by_noise(self, case: Case) -> Verdict:
        """Decide how much the candidate rounds beside the reference."""
        regime = usual(case)
        difference = less_precise(lambda numbers: self.statement.equation(case, numbers), regime)
        return Verdict(case, ROUNDING, regime, difference)

    def _directly(self, case: Case) -> Verdict:
        regime = usual(case)
        return Verdict(case, self.law.decided.ways[0], regime, self._difference(case, regime))

    def _difference_again(self, verdict: Verdict, values: Values) -> Difference | None:
        if verdict.decided == DISTRIBUTIONS:
            return self._as_distributions(verdict, values).difference
        if self.law.decided == BY_NOISE:
            return less_precise(
                lambda numbers: self.statement.equation(verdict.case, numbers, values), verdict.regime
            )
        if verdict.decided != ROUNDING:
            return self._difference(verdict.case, verdict.regime, values)
        difference = self._beyond_noise(verdict.case, verdict.regime, values).difference
        if difference is not None:
            self.premise.require(verdict.case, verdict.regime, values)
        return difference

    def _difference(self, case: Case, regime: Regime, values: Values | None = None) -> Difference | None:
        difference = first_difference(self.statement.equation(case, regime, values))
        if difference is not None:
            self.premise.require(case, regime, values)
        return difference

    def _may_be_refused(self, case: Case) -> bool:
        """Whether a circumstance of the case is one that nobody asked a form to be used in."""
        return Under(name for name in case.under if name not in self.domain.under).optional

    def _may_be_drawn(self, verdict: Verdict) -> bool:
        """Whether a difference of numbers may come from the order in which the forms draw random ones."""
        leaf = verdict.difference.leaf if verdict.difference else None
        if leaf is None or DISTRIBUTIONS not in self.law.decided.ways or drew_alike(leaf):
            return False
        return either_draws(self.law, self.statement.sample(verdict.case, verdict.regime))

    def _as_distributions(self, verdict: Verdict, values: Values | None = None) -> Verdict:
        """Compare two random forms as distributions: they differ draw by draw."""
        regime = verdict.regime if verdict.case.setting.is_double else of_distributions(verdict.case)

        def state(draws: tuple[int, int]) -> Equation:
            sample = self.statement.sample(verdict.case, regime, values)
            sample.reference.draws, sample.candidate.draws = draws
            return self.law.equation(sample)

        difference = difference_of_distributions(state, verdict.case.seed)
        return replace(verdict, decided=DISTRIBUTIONS, regime=regime, difference=difference)


def _noted(verdict: Verdict) -> Verdict:
    """Tell what differs just below overflow, and refute nothing by it."""
    if verdict.holds:
        return verdict
    dtype = named(verdict.regime.dtype)
    note = f"differs just below overflow of {dtype}, which is told and refutes nothing: {verdict.difference}"
    return replace(verdict, difference=None, notes=(*verdict.notes, note))


def _told_of_refusal(case: Case, error: FormError) -> str:
    lacking = told_of(name for name in case.under if Under([name]).optional)
    return f"the candidate cannot be used {lacking}, which refutes nothing: {_opening(error)}"


def raised(error: FormError) -> Difference:
    """Describe a candidate that raised where a value was asked for."""
    return Difference(RAISES, "", "returned", f"raised {_opening(error)}")


def _opening(error: FormError) -> str:
    # A message may open with an empty line, as that of safetensors does.
    first = f"{type(error.original).__name__}: {str(error.original).strip()}".splitlines()[0]
    return one_line(first)
