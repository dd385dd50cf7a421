"""A failing case -> the smallest numbers that still show the failure.

Delta debugging (Zeller and Hildebrandt, 2002) over the entries of all tensors at once: first as many as can
be to 0, in ever smaller parts, then each of the rest to the simplest number that will do. Every step
decides the same equation in the same way, so what comes out fails as surely as what went in. Where the sides
differ in half of their digits, the steps go by that, and only what comes out is held against its noise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import torch
from torch import Tensor

from properties.cases.case import Case
from properties.cases.sample import Values, drawn_inputs
from properties.judging.judge import Judge, Verdict
from properties.oracle.agreement import Difference
from properties.refutation.manner import manner

MOST_EVALUATIONS = 2000
MOST_SECONDS = 4.0
"""The second budget is for slow forms: the first alone would make every run the same."""
SIMPLE = (1.0, -1.0, 2.0, -2.0, 3.0, -3.0)
DECIMALS = (0, 1, 2, 3)


@dataclass
class Search:
    """The best values so far, and what is left of the budget."""

    case: Case
    fails: Callable[[Values], Difference | None]
    values: dict[str, Tensor]
    difference: Difference
    evaluations: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self.evaluations >= MOST_EVALUATIONS or time.monotonic() - self.started > MOST_SECONDS

    def accept(self, values: Mapping[str, Tensor]) -> bool:
        """Take these values if they fail in the same way."""
        if self.spent:
            return False
        self.evaluations += 1
        values = _clamped(self.case, values)
        difference = self.fails(values)
        if difference is None or manner(difference) != manner(self.difference):
            return False
        self.values, self.difference = values, difference
        return True

    def finished(self) -> Self:
        """Search until nothing more can be made smaller, or the budget is used up."""
        before: list[tuple[float, ...]] = []
        while (now := _entries(self.values)) != before and not self.spent:
            before = now
            _zero(self)
            _simplify(self)
        return self


def minimised(judge: Judge, verdict: Verdict) -> tuple[dict[str, Tensor], Difference]:
    """Give the smallest values found that fail as the verdict does, and how they fail."""
    assert verdict.difference is not None  # noqa: S101  (a verdict that holds shows nothing to minimise)
    values = dict(judge.values(verdict))
    if glimpsed := judge.at_a_glance(verdict, values):
        quick = Search(verdict.case, partial(judge.at_a_glance, verdict), values, glimpsed).finished()
        confirmed = judge.again(verdict, quick.values)
        if confirmed is not None and manner(confirmed) == manner(verdict.difference):
            return quick.values, confirmed
    difference = judge.again(verdict, values)
    if difference is None:
        return values, verdict.difference
    search = Search(verdict.case, partial(judge.again, verdict), values, difference).finished()
    return search.values, search.difference


def _zero(search: Search) -> None:
    """Set as many entries to 0 as can be, part by part: all, halves, quarters, single ones."""
    part = max(1, len(_nonzero(search.values)))
    while part and not search.spent:
        for places in _parts(search, part):
            search.accept(_with(search.values, dict.fromkeys(places, 0.0)))
        part //= 2


def _parts(search: Search, size: int) -> Iterator[list[tuple[str, int]]]:
    places = _nonzero(search.values)
    yield from (places[start : start + size] for start in range(0, len(places), size))


def _simplify(search: Search) -> None:
    """Set each entry that is left to the first simpler number that still shows the failure."""
    places = _nonzero(search.values)
    search.accept(_with(search.values, dict.fromkeys(places, 1.0)))
    for name, place in _nonzero(search.values):
        for number in _simpler(float(search.values[name].reshape(-1)[place])):
            if search.spent or search.accept(_with(search.values, {(name, place): number})):
                break


def _simpler(number: float) -> Iterator[float]:
    """Give numbers simpler than this one, the simplest first."""
    tried = [one for one in SIMPLE if abs(one) <= abs(number) or not number.is_integer()]
    tried += [round(number, digits) for digits in DECIMALS]
    if number.is_integer():
        tried += [float(int(number / divisor)) for divisor in (1 << 8, 16, 4, 2)]
    for one in dict.fromkeys(tried):
        if one == number:
            return
        if one:
            yield one


def _with(values: Values, changed: Mapping[tuple[str, int], float]) -> dict[str, Tensor]:
    copies = {name: value.clone(memory_format=torch.contiguous_format) for name, value in values.items()}
    for (name, place), number in changed.items():
        copies[name].view(-1)[place] = number
    return copies


def _clamped(case: Case, values: Values) -> dict[str, Tensor]:
    """Bring every input back to what it stands for: an index below its bound stays one."""
    inside = {
        name: variable.clamp(values[name], case.size)
        for name, variable in drawn_inputs(case)
        if name in values
    }
    return {**values, **inside}


def _nonzero(values: Values) -> list[tuple[str, int]]:
    return [
        (name, place)
        for name, value in values.items()
        for place in value.reshape(-1).nonzero().squeeze(1).tolist()
    ]


def _entries(values: Values) -> list[tuple[float, ...]]:
    return [tuple(value.reshape(-1).tolist()) for value in values.values()]
