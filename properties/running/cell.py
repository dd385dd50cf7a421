"""One claim under one law: the test that draws its cases, and what it found."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import wraps
from itertools import cycle, islice
from typing import Any

from hypothesis import example, given, reject, seed, settings
from hypothesis.errors import HypothesisException

from properties.cases.case import Case
from properties.cases.definition import located
from properties.cases.domain import Domain
from properties.cases.fields import LARGE
from properties.cases.sample import InapplicableError, OutsideDomainError
from properties.cases.strategies import Cases, Kinds, cases
from properties.cases.values import LOOKS, NORMAL
from properties.circumstances.registry import CIRCUMSTANCES, told_of
from properties.judging.judge import Judge, Verdict
from properties.judging.numbers import SINGLE
from properties.judging.power import TURNS, require_power
from properties.judging.tally import Tally
from properties.laws.registry import Law
from properties.refutation.counterexample import Refuted, written
from properties.refutation.failure import described, write
from properties.refutation.manner import manner_of
from properties.running.aim import Aim
from properties.running.corners import BLOCKS, EXPLORED_BLOCKS, Corners, with_size
from properties.running.printed import cut_what_is_printed
from properties.running.profiles import profile
from properties.running.refusals import MostlyRefusedError, mostly_refused, told
from properties.running.rooms import say

CORNERED = 10
"""Where so many cases are drawn, sizes 0 and 1 are tried too.

So the laws decided by statistics go without, which only wide cases tell anything, and the training laws of
the gate, whose every case is many runs of both forms.
"""
MOST_AS_DISTRIBUTIONS = 3
"""Cases of few entries, and cases of more, that are decided as distributions: each is thousands of runs."""
ROWS = 5
"""The free axes of the wide cases of a law that is decided by reals."""


@dataclass(frozen=True)
class Plan:
    """How many cases are drawn, and from which seed."""

    profile: str = "gate"
    examples: int | None = None
    seed: int = 0
    failures: str | None = None
    """The folder that keeps what is found; None keeps nothing."""
    widely: bool = False
    """Whether a declared break is looked for that the usual cases have not shown."""

    def settings(self, law: Law) -> settings:
        """Give Hypothesis' settings for one law."""
        chosen = profile(self.profile)
        wanted = law.decided.examples(chosen.max_examples, self.examples)
        return settings(chosen, max_examples=law.decided.sought if self.widely else wanted)


class _Stop(BaseException):
    """Ends a run of Hypothesis at once: it neither replays nor shrinks what is no Exception."""


@dataclass
class Cell:
    """One claim under one law."""

    domain: Domain
    law: Law
    tally: Tally = field(default_factory=Tally)
    found_inapplicable: str = ""
    """Why the law does not apply, where only a run of the reference shows it."""
    alike_as_distributions: Counter[bool] = field(default_factory=Counter)
    """Whether a case has few entries -> how many were decided as distributions and hold."""
    refuted: bool = False
    """Whether a case was."""
    shown: set[int] = field(default_factory=set)
    """The variants of the law whose power has been shown."""

    def __post_init__(self) -> None:
        """Make the judge that decides the cases."""
        self.judge = Judge(self.domain, self.law)
        self.tally.plainest = self.domain.under

    @property
    def inapplicable(self) -> str:
        """Why the law cannot apply to the claim; empty where it can."""
        return (
            self.found_inapplicable
            or self.law.silent_in(self.domain.setting)
            or self.law.needs(self.domain.exemplar)
            or self._without_gradients
        )

    @property
    def _without_gradients(self) -> str:
        """Why no gradient shows in the circumstances that every case is under; empty where one can."""
        hidden = told_of(name for name in self.domain.under if CIRCUMSTANCES[name].shown == "values")
        return f"no gradient is looked at {hidden}" if hidden and self.law.gradients else ""

    @property
    def declared(self) -> str:
        """Why the claim is known to fail the law; empty where it is not."""
        return self.domain.claim.breaks.get(self.law.name, "")

    @property
    def beyond(self) -> str:
        """That the law looks beyond what the claim calls the same; empty where it does not."""
        return self.law.beyond(self.domain.claim)

    def check(self, case: Any) -> None:
        """Decide one case: discard it outside the domain, raise Refuted where the equation fails."""
        if not self._lies_inside(case):
            reject()

    def test(self, plan: Plan) -> Callable[[], None]:
        """Make the test: Hypothesis draws cases and checks each, and where all agree, more are tried."""
        aim = Aim()
        drawn = self._drawing(plan, aim)

        @wraps(drawn)
        def test() -> None:
            self._run(drawn, aim)
            if self.found_inapplicable:
                return
            if self._mostly_refused(self.tally.executed):
                raise MostlyRefusedError(told(self.domain, self.law.name, self.tally))
            if plan.settings(self.law).max_examples >= CORNERED:
                self.try_corners(Corners(self.domain, plan.seed), exploring=plan.profile == "explore")
            if self.declared:
                self._run(self._drawing(replace(plan, widely=True), aim), aim)

        return test

    def _lies_inside(self, case: Case) -> bool:
        """Decide one case, and say whether it lies inside the domain; Refuted where the equation fails."""
        if self._has_enough_distributions_like(case):
            return True
        cut_what_is_printed()
        say(self.law.name, told_of(case.under), written(case))
        try:
            with located(self.domain.claim):
                verdict = self.judge.verdict(case)
        except OutsideDomainError as refusal:
            self.tally.discard(case, refusal)
            return False
        self.tally.count(verdict)
        if not verdict.holds:
            self.refuted = True
            raise Refuted(self.judge, verdict, self.tally)
        if verdict.decided.many_runs:
            self.alike_as_distributions[case.has_few_entries] += 1
        self._require_power(case)
        return True

    def _has_enough_distributions_like(self, case: Case) -> bool:
        # Hypothesis asks a refuted cell for smaller cases: each is decided.
        asked = self.alike_as_distributions and not self.refuted
        return bool(asked) and self.alike_as_distributions[case.has_few_entries] >= MOST_AS_DISTRIBUTIONS

    def try_corners(self, corners: Corners, *, exploring: bool = False) -> None:
        """Decide the sizes, looks of values, float32 and circumstances that no case drawn had."""
        found = []
        looks = LOOKS if self.law.decided.told_by_values else [NORMAL]
        uses = self.domain.circumstances(self.law.shown, exploring=exploring)
        cases = [
            *corners.uncovered(self.tally.cases, looks),
            *(corners.in_single(self.tally.cases) if self.law.decided.single else ()),
            *corners.unused(self.tally.cases, uses),
            *corners.around_blocks(self._blocks(exploring=exploring)),
        ]
        for case in cases:
            try:
                self._lies_inside(case)
            except Refuted as refuted:
                found.append(refuted.verdict)
        if found:
            plainest = min(found, key=lambda verdict: manner_of(verdict).rank)
            raise Refuted(self.judge, self._smallest(plainest), self.tally)

    def _blocks(self, *, exploring: bool) -> Sequence[int]:
        """Say which sizes around blocks are tried, of a law in which the way of computing shows."""
        if self.law.shown is None:
            return ()
        return EXPLORED_BLOCKS if exploring else BLOCKS

    def _run(self, drawn: Callable[[], None], aim: Aim) -> None:
        """Draw cases for the plainest failure, and once more for a lesser one where it is all there was."""
        aim.reset(0)
        with suppress(_Stop):
            drawn()
        if (lesser := aim.put_off) is not None:
            aim.reset(manner_of(lesser.verdict).rank)
            drawn()
            # New seeds may not show it again.
            raise Refuted(self.judge, self._smallest(lesser.verdict), self.tally)

    def _drawing(self, plan: Plan, aim: Aim) -> Callable[[], None]:
        """Make the Hypothesis test in which those failures count that the aim takes."""
        chosen = plan.settings(self.law)
        keep = None if self.declared or self.beyond else plan.failures
        firsts = list(self.examples())

        def check(case: Any) -> None:
            nonlocal keep
            try:
                self.check(case)
            except InapplicableError as error:
                self.found_inapplicable = " ".join(str(error).split())
                raise _Stop from None
            except HypothesisException:
                if not aim.found and self._mostly_refused(chosen.max_examples):
                    raise _Stop from None
                raise
            except Exception as error:
                if keep is not None and isinstance(error, Refuted):
                    # Whatever ends the run before the case has shrunk, it was found.
                    with suppress(OSError):
                        write(described(error), keep)
                    keep = None
                if not aim.takes(error):
                    return
                if not isinstance(error, Refuted):
                    raise
                # Hypothesis shrinks what it drew, but for the wide cases of statistics.
                shrinks = not self.law.decided.wide and case not in firsts
                smaller = self._in_plainer_use if shrinks else self._smallest
                raise Refuted(self.judge, smaller(error.verdict), self.tally) from None

        check.__name__ = check.__qualname__ = f"{self.domain.name}_{self.law.name}"
        check.__doc__ = self.law.statement
        test = given(case=self.drawn(plan))(check)
        for case in firsts:
            test = example(case=case)(test)
        test = chosen(test)
        return test if plan.profile == "explore" else seed(self._number(plan))(test)

    def drawn(self, plan: Plan) -> Cases:
        """Draw wide cases for statistics, small ones else, and both where a break is looked for."""
        # The gate tries each circumstance once, after its cases: they would take the place of plain ones.
        shown = self.law.shown if plan.profile == "explore" else None
        kinds = Kinds(self.law.decided.told_by_values, shown)
        if plan.widely:
            return cases(self.domain, kinds=kinds) | cases(self.domain, wide=True, kinds=kinds)
        return cases(self.domain, wide=self.law.decided.wide, kinds=kinds)

    def examples(self) -> Iterator[Case]:
        """Give the wide cases that every run begins with: one for each option, and one for each variant."""
        if self.law.decided.wide:
            yield from self.domain.wide()
        elif self.law.decided.as_a_whole:
            yield from reversed(list(self._variants()))

    def _variants(self) -> Iterator[Case]:
        """Give a wide case of several rows for each variant: the gradient of a single row is of rank one."""
        axes = {name: self.domain.axis(name, (ROWS,)) for name in self.domain.axes}
        wide = list(self.domain.wide())
        for number, case in enumerate(islice(cycle(wide), max(len(wide), self.law.variants))):
            seed = self.domain.pins.get("seed", number)
            yield replace(case, axes=axes, seed=seed)

    def _require_power(self, case: Case) -> None:
        """Tell the controls of the law apart in the first case of each variant that has anything to tell."""
        variant = case.seed % self.law.variants
        if self.law.controls is None or variant in self.shown:
            return
        # A pinned seed leaves one variant: its draws take the turns that the others would have taken.
        turns = TURNS if "seed" in self.domain.pins and self.law.variants > 1 else 1
        for turn in range(turns):
            draw = replace(case, seed=case.seed + turn * self.law.variants)
            if told := require_power(self.judge, draw):
                self.shown.add(variant)
                self.tally.told_apart.update(name for name, seen in told.items() if seen)

    def _smallest(self, verdict: Verdict) -> Verdict:
        """Give the verdict on the smallest case that fails too: Hypothesis shrinks only what it drew."""
        verdict = self._in_plainer_use(verdict)
        smallest = (self._also_fails(case, verdict) for case in self.domain.smaller(verdict.case))
        return next(filter(None, smallest), None) or self._least(verdict)

    def _least(self, verdict: Verdict) -> Verdict:
        """Give the verdict on the least size, of each that is larger than usual, from which on it fails."""
        for name in (*self.domain.sized, *self.domain.axes):
            if self.domain.sizes(verdict.case)[name] > LARGE:
                verdict = self._halved(verdict, name)
        return verdict

    def _halved(self, failing: Verdict, name: str) -> Verdict:
        """Halve the way from 1 to a size that fails, until it fails while one less holds."""
        holds, fails = 1, self.domain.sizes(failing.case)[name]
        while holds + 1 < fails:
            middle = (holds + fails) // 2
            found = self._also_fails(with_size(self.domain, failing.case, name, middle), failing)
            holds, fails = (holds, middle) if found else (middle, fails)
            failing = found or failing
        return failing

    def _in_plainer_use(self, verdict: Verdict) -> Verdict:
        """Give the verdict in as few circumstances as it fails in: the others do not matter."""
        for case in self._plainer(verdict):
            if found := self._also_fails(case, verdict):
                return self._in_plainer_use(found)
        return verdict

    def _plainer(self, verdict: Verdict) -> Iterator[Case]:
        """Give a case in none of the circumstances that are not asked for, then in each set with one less."""
        case, asked = verdict.case, self.domain.under
        others = [name for name in case.under if name not in asked]
        fewer = dict.fromkeys([asked, *(tuple(one for one in case.under if one != name) for name in others)])
        # One may have done no more than choose float32.
        chooses = case.setting.is_double and verdict.regime.dtype == SINGLE.dtype
        for under in fewer if others else ():
            plainer = replace(case, under=under)
            yield plainer.single if chooses and "seed" not in self.domain.pins else plainer

    def _also_fails(self, case: Case, verdict: Verdict) -> Verdict | None:
        """Give the verdict on a case that fails in the same manner; None where it does not."""
        with suppress(OutsideDomainError):
            found = self.judge.verdict(case)
            if not found.holds and manner_of(found) == manner_of(verdict):
                return found
        return None

    def _mostly_refused(self, wanted: int) -> bool:
        """Whether the reference refuses most cases, and not what a law with a premise makes of them."""
        return not self.law.presumed and mostly_refused(self.tally, wanted)

    def _number(self, plan: Plan) -> int:
        widely = ":widely" if plan.widely else ""
        return zlib.crc32(f"{self.domain.name}:{self.law.name}:{plan.seed}{widely}".encode())
