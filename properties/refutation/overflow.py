"""From which size of the inputs on a candidate leaves the range of its dtype, and the reference does not."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from properties.cases.sample import Values
from properties.dtypes import named
from properties.judging.judge import Judge, Verdict
from properties.oracle.agreement import Difference

STEPS = 24
SMALL = 2.0**-20
"""What is left of the inputs where it is not their size that matters."""


def leaves_range(difference: Difference) -> bool:
    """Whether the candidate gives no number where the reference gives one."""
    if difference.leaf is None:
        return False
    reference, candidate, wrong = difference.leaf
    return bool(torch.isfinite(reference[wrong]).any() and not torch.isfinite(candidate[wrong]).all())


def told(judge: Judge, verdict: Verdict, values: Values) -> str:
    """Say from which |x| on the candidate overflows, or that it gives no number for inputs of any size."""
    names = [name for name in verdict.case.claim.inputs() if name in values]
    size = max((_largest(values[name]) for name in names), default=0.0)
    dtype = named(verdict.regime.dtype)
    if not size or _overflows(judge, verdict, _scaled(values, names, SMALL)):
        return "no number where the reference gives one"
    low, high = SMALL, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        overflows = _overflows(judge, verdict, _scaled(values, names, middle))
        low, high = (low, middle) if overflows else (middle, high)
    return f"overflows from |x| ≈ {high * size:.3g} on in {dtype}, where the reference does not"


def _overflows(judge: Judge, verdict: Verdict, values: Values) -> bool:
    difference = judge.again(verdict, values)
    return difference is not None and leaves_range(difference)


def _scaled(values: Values, names: list[str], factor: float) -> Mapping[str, Tensor]:
    return dict(values) | {name: values[name] * factor for name in names if values[name].is_floating_point()}


def _largest(values: Tensor) -> float:
    real = values.is_floating_point() and values.numel()
    return float(values.abs().max()) if real else 0.0
