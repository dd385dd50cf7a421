"""In which manner an equation fails: what a smaller case must keep, or it shows something else."""

from __future__ import annotations

from typing import NamedTuple

import torch

from properties.judging.judge import Verdict
from properties.oracle.agreement import RAISES, Difference


class Manner(NamedTuple):
    """What must be the same of two failures for one to stand for the other."""

    kind: str
    """Of the difference: value, shape, dtype, …"""
    raised: str = ""
    """The type of the exception, where a value was asked for."""
    reference_finite: bool = True
    """Whether every number is, of the tensor that differs."""
    candidate_finite: bool = True
    """Whether the first number that differs is."""
    dtype: str = ""
    """What the equation was decided in; empty where that cannot change."""

    @property
    def rank(self) -> int:
        """Say how little it tells a reader; 0 for what both forms compute in float64, and differently."""
        if self.kind == RAISES:
            return 3
        if not (self.reference_finite and self.candidate_finite):
            return 2
        return 1 if self.dtype == str(torch.float32) else 0


def manner(difference: Difference) -> Manner:
    """Give the manner in which the sides of an equation differ."""
    raised = difference.candidate.partition(":")[0] if difference.kind == RAISES else ""
    plain = Manner(difference.kind, raised)
    if difference.leaf is None:
        return plain
    reference, candidate, wrong = difference.leaf
    return plain._replace(
        reference_finite=bool(torch.isfinite(reference).all()),
        candidate_finite=bool(torch.isfinite(candidate[wrong][0])),
    )


def manner_of(verdict: Verdict) -> Manner:
    """Give the manner in which a case fails."""
    assert verdict.difference is not None  # noqa: S101  (a verdict that holds fails in no manner)
    changes = verdict.case.setting.is_double
    return manner(verdict.difference)._replace(dtype=str(verdict.regime.dtype) if changes else "")
