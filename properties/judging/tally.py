"""What the cases of one cell amounted to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.sample import OutsideDomainError
from properties.judging.judge import Verdict
from properties.oracle.exact import Exactness
from properties.ways import IN_CIRCUMSTANCES, ROUNDING, Way


@dataclass
class Tally:
    """What the cases of one cell amounted to."""

    plainest: tuple[str, ...] = ()
    """The circumstances that every case is in."""
    executed: int = 0
    outside: int = 0
    refused: int = 0
    """Those outside because the reference refused them, not because it does not satisfy a law's premise."""
    decided: Counter[Way] = field(default_factory=Counter)
    exactness: Exactness | None = None
    rounding_used: float = 0.0
    told_apart: Counter[str] = field(default_factory=Counter)
    """Control of the law -> cases that told it from the right run."""
    cases: list[Case] = field(default_factory=list)
    worst: tuple[float, Case] | None = None
    """The largest difference, and the case that showed it."""
    notes: Counter[str] = field(default_factory=Counter)
    """What is told of cases that hold -> cases."""
    refusal: OutsideDomainError | None = None
    """Why the first case outside the claim lies there."""

    def count(self, verdict: Verdict) -> None:
        """Add one executed case."""
        self.executed += 1
        besides = verdict.holds and verdict.decided == ROUNDING and verdict.case.under != self.plainest
        self.decided[IN_CIRCUMSTANCES if besides else verdict.decided] += 1
        self.exactness = verdict.exactness or self.exactness
        self.rounding_used = max(self.rounding_used, verdict.rounding_used)
        self.cases.append(verdict.case)
        self.notes.update(verdict.notes)
        largest = verdict.difference.largest if verdict.difference else 0.0
        if largest > (self.worst[0] if self.worst else 0.0):
            self.worst = (largest, verdict.case)

    def discard(self, case: Case, refusal: OutsideDomainError) -> None:
        """Add one case that lies outside the claim; that a reference refuses an empty axis says little."""
        self.outside += 1
        self.refused += isinstance(refusal.__cause__, FormError) and 0 not in case.free_sizes
        self.refusal = self.refusal or refusal
