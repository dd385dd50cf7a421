"""What this suite and the usual ways say of pairs with hard numerics, right ones and wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from properties.cases.sample import OutsideDomainError
from properties.running.profiles import EXPLORE_EXAMPLES
from tests.numerics.trying import SIDES, tried
from tests.report_card.finding import PRODUCT, Effort, spread_out
from tests.report_card.ways import Way, fast_gradcheck, one_size, one_size_in_double

WAYS: dict[str, Way] = {
    "one size, assert_close, float32": one_size,
    "one size, assert_close, float64": one_size_in_double,
    "gradcheck, fast mode": fast_gradcheck,
}
"""The usual ways at one size."""
EVERY = (PRODUCT, *WAYS)
SLOW = ("RNNStepByStep", "GRUStepByStep", "LSTMStepByStep")
"""Pairs of hundreds of operations a run: this suite runs one case of each law."""


@dataclass(frozen=True)
class Judged:
    """One pair under one way: how many runs rejected it, of how many that could be made."""

    side: str
    pair: str
    way: str
    runs: int
    rejected: int
    cases: int
    """Of all runs together."""


def judged(effort: Effort, pairs: list[str] | None = None) -> Iterator[list[Judged]]:
    """Judge every pair in every way, pair by pair."""
    names = [f"{side} {name}" for side, of_side in SIDES.items() for name in of_side]
    chosen = [name for name in names if pairs is None or name.split()[1] in pairs]
    yield from spread_out(partial(judged_pair, effort), chosen)


def judged_pair(effort: Effort, named: str) -> list[Judged]:
    """Judge one pair, named with its side."""
    side, name = named.split()
    return [_by_suite(effort, side, name), *(_by_way(effort, side, name, way) for way in WAYS)]


def _by_suite(effort: Effort, side: str, name: str) -> Judged:
    examples = EXPLORE_EXAMPLES if side == "wrong" else 1 if name in SLOW else effort.pair_examples
    outcome = tried(side, name, range(effort.pair_seeds), examples)
    rejected = min(outcome.refuted, outcome.seeds)
    return Judged(side, name, PRODUCT, outcome.seeds, rejected, outcome.cases)


def _by_way(effort: Effort, side: str, name: str, way: str) -> Judged:
    verdicts = []
    for number in range(effort.pair_seeds):
        try:
            verdicts.append(WAYS[way](SIDES[side][name], number))
        except OutsideDomainError:
            continue
    return Judged(side, name, way, len(verdicts), sum(verdicts), len(verdicts))
