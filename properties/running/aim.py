"""Which failures count in a run of Hypothesis, which shrinks what fails into whatever else fails."""

from __future__ import annotations

from dataclasses import dataclass

from properties.refutation.counterexample import Refuted
from properties.refutation.manner import Manner, manner_of


@dataclass
class Aim:
    """The first failure that counts says in which manner all others fail; a lesser one is put off.

    A failure that does not count passes, each time that its case is tried: Hypothesis takes for flaky what
    fails and then passes, and no case does both between two calls of `reset`.
    """

    rank: int = 0
    """A failure of a higher rank is put off until nothing better was found."""
    manner: Manner | None = None
    put_off: Refuted | None = None

    @property
    def found(self) -> bool:
        """Whether a failure counts already, or did in an earlier run and is looked for again."""
        return self.manner is not None or self.rank > 0

    def reset(self, rank: int) -> None:
        """Begin a run in which failures up to this rank count."""
        self.rank, self.manner, self.put_off = rank, None, None

    def takes(self, error: Exception) -> bool:
        """Whether an exception counts."""
        if not isinstance(error, Refuted):
            return self._counts(Manner("error", type(error).__name__))
        found = manner_of(error.verdict)
        if self.manner is None and found.rank > self.rank:
            self._put_off(error, found.rank)
            return False
        return self._counts(found)

    def _counts(self, found: Manner) -> bool:
        self.manner = self.manner or found
        return found == self.manner

    def _put_off(self, refuted: Refuted, rank: int) -> None:
        if self.put_off is None or rank < manner_of(self.put_off.verdict).rank:
            self.put_off = refuted
