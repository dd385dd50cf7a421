"""How a case is decided, one object a way, and what it takes to decide a law.

Records and failure files hold the words of these objects; whoever reads them looks the object up and asks it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Way:
    """How one case was decided."""

    word: str
    """In records and failure files."""
    mark: str
    """Of a cell that holds, in tables."""
    note: str
    """What decided so many cases, and what its word is worth; {miss} and {false_alarm} are filled in."""
    told: str
    """The same in a few words, for a report."""
    refuted: str
    """How a case was decided that it refutes; {dtype} is that of the numbers."""
    numbers: str
    """The kind of values that it runs on."""
    single: bool = False
    """Whether now and then it runs in float32."""
    many_runs: bool = False
    """Whether a case takes thousands of runs: few are decided so, and no smaller values are tried."""
    replays_values: bool = True
    """Whether the values that were drawn show a failure again, and not only its case."""
    plain: bool = True
    """Whether cases are decided so; else they are only counted so, for the circumstances they are in."""


EXACT = Way(
    "exact",
    mark="=",
    note="exact integers, bitwise (relu, max, comparisons: per sign region drawn){miss}",
    told="on integers small enough that every step is exact",
    refuted="exact integers in {dtype}",
    numbers="whole numbers",
    single=True,
)
ROUNDING = Way(
    "rounding",
    mark="~",
    note="the rounding model: differences beside the noise of the forms themselves",
    told="beside the noise of the forms themselves, run again with every operation disturbed",
    refuted="beyond rounding in {dtype}",
    numbers="reals",
    single=True,
)
IN_CIRCUMSTANCES = Way(
    "circumstances",
    mark="~",
    note="the same, in other circumstances than the plainest",
    told="beside that noise, in other circumstances than the plainest",
    refuted=ROUNDING.refuted,
    numbers="reals",
    single=True,
    plain=False,
)
"""How cases are counted that hold, up to rounding, in other circumstances than the plainest."""
DIRECTLY = Way(
    "directly",
    mark="=",
    note="counts, shapes, refusals, zeros and reached outputs, compared as they are",
    told="bit by bit, as the equation stands",
    refuted="bitwise",
    numbers="reals",
)
DISTRIBUTIONS = Way(
    "distributions",
    mark="%",
    note="many runs of forms that draw at random, false alarm <= {false_alarm} a test",
    told="by tests of many runs of forms that draw at random",
    refuted="distributions",
    numbers="reals",
    many_runs=True,
)
STATISTICS = Way(
    "statistics",
    mark="%",
    note="fresh parameters, false alarm <= {false_alarm} a test",
    told="by tests of fresh parameters",
    refuted="statistics",
    numbers="fresh parameters",
    replays_values=False,
)
WAYS: Mapping[str, Way] = {
    way.word: way for way in (EXACT, DIRECTLY, ROUNDING, IN_CIRCUMSTANCES, DISTRIBUTIONS, STATISTICS)
}
"""Every way by its word."""


def mark(words: Mapping[str, int]) -> str:
    """Return the mark of a cell that holds: how its plainest cases were decided says how much it is worth."""
    ways = [WAYS[word] for word in words]
    first = next((way for way in ways if way.plain), IN_CIRCUMSTANCES)
    return ROUNDING.mark if ROUNDING in ways else first.mark


Word = Literal["values", "directly", "statistics", "reals", "noise"]


@dataclass(frozen=True)
class Decided:
    """How a law is decided, and which cases that takes."""

    word: Word
    """As `@law(decided=…)` has it."""
    ways: Sequence[Way]
    """The ways in which a case may be decided, the usual one first."""
    told_by_values: bool = False
    """Whether it says something of all values that an input may have: they are drawn of every look."""
    single: bool = False
    """Whether every eighth case on reals runs in float32."""
    as_a_whole: bool = False
    """Whether what shows in tensors as a whole counts alone: a law of many runs, whose noise takes long to
    ask for. Its cells begin with a wide case for each variant."""
    culprit: bool = False
    """Whether a failure is told by the operation that loses the digits."""
    wide: bool = False
    """Whether only wide cases tell anything: a cell begins with one for each option, and Hypothesis, which
    shrinks towards small ones, shrinks none."""
    share: int = 1
    """One case is drawn where a profile has so many."""
    most: int | None = None
    """So many cases are drawn at most, beside those that a cell begins with."""
    sought: int = 1000
    """In so many cases, at most, is a declared break looked for that those of the profile have not shown."""

    def examples(self, of_the_profile: int, asked: int | None) -> int:
        """Return how many cases are drawn, of a profile's many or of as many as a user asks for."""
        wanted = asked or max(1, of_the_profile // self.share)
        return wanted if self.most is None else min(wanted, self.most)


BY_VALUES = Decided("values", (EXACT, ROUNDING, DIRECTLY, DISTRIBUTIONS), told_by_values=True, single=True)
"""On integers, bitwise, and where these are not exact on reals up to rounding."""
AS_IT_STANDS = Decided("directly", (DIRECTLY, DISTRIBUTIONS))
"""Bitwise: the equation is exact by itself."""
BY_STATISTICS = Decided("statistics", (STATISTICS, DIRECTLY), wide=True, most=1, sought=100)
"""By draws of fresh parameters: each case is many constructions."""
BY_REALS = Decided("reals", (ROUNDING, DIRECTLY, DISTRIBUTIONS), as_a_whole=True, share=4)
"""On reals at once, up to rounding: each case runs both forms many times over."""
BY_NOISE = Decided("noise", (ROUNDING, DIRECTLY, DISTRIBUTIONS), told_by_values=True, culprit=True)
"""By how much each side rounds."""
DECIDED: Mapping[str, Decided] = {
    one.word: one for one in (BY_VALUES, AS_IT_STANDS, BY_STATISTICS, BY_REALS, BY_NOISE)
}
"""Every way to decide a law by its word."""
