"""Count how often the law is wrong: about right draws, and about wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from tests.power.family import Family

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Count:
    """How many trials there were, and in how many the law was wrong."""

    family: str
    wrong: str
    """What is wrong with the draws; empty for right ones."""
    trials: int
    mistaken: int

    @property
    def bound(self) -> float:
        """The largest rate that gives as few mistakes with a probability of 1 - CONFIDENCE or more."""
        low, high = 0.0, 1.0
        for _ in range(40):
            middle = (low + high) / 2
            at_most = _binomial_at_most(self.mistaken, self.trials, middle)
            low, high = (middle, high) if at_most > 1 - CONFIDENCE else (low, middle)
        return high


@torch.inference_mode()
def counts(family: Family, right: int, wrong: int, seed: int) -> Iterator[Count]:
    """Try right draws, then every way to be wrong on the same ones, held against the same others."""
    generator = torch.Generator().manual_seed(seed)
    alarms = sum(family.refused(family.draw(generator), family.expected(generator)) for _ in range(right))
    yield Count(family.name, "", right, alarms)
    missed = dict.fromkeys(family.wrongs, 0)
    for _ in range(wrong):
        draws, expected = family.draw(generator), family.expected(generator)
        for name, spoil in family.wrongs.items():
            missed[name] += not family.refused(spoil(draws, generator), expected)
    yield from (Count(family.name, name, wrong, number) for name, number in missed.items())


def _binomial_at_most(most: int, trials: int, rate: float) -> float:
    """P(X <= most) for X ~ Binomial(trials, rate), 0 < rate < 1."""
    term = (1 - rate) ** trials
    total = term
    for number in range(most):
        term *= (trials - number) / (number + 1) * rate / (1 - rate)
        total += term
    return total
