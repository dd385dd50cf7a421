"""From a failing case to the text that a reader understands without knowing how the test works."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from properties.agreement import first_difference
from properties.case import Case
from properties.judge import Judge, Tally, Verdict
from properties.regime import Integers
from properties.sample import Sample

MOST_ENTRIES = 40
"""Tensors larger than this are described, not printed."""


class Refuted(AssertionError):  # noqa: N818  (the word for it)
    """A law that a claim fails, with the case that shows it."""

    def __init__(self, judge: Judge, verdict: Verdict, tally: Tally) -> None:
        """Keep the case; the text is made when it is asked for."""
        super().__init__()
        self.judge = judge
        self.verdict = verdict
        self.tally = tally

    def __str__(self) -> str:
        """Name the claim and the law, the case, its values, and how to see it again."""
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """Give the text line by line."""
        verdict, regime = self._readable()
        name, law = self.judge.domain.name, self.judge.law
        declared = self.judge.domain.claim.breaks.get(law.name)
        yield f"{name} is refuted by {law.name}" + (f", as declared ({declared})" if declared else "")
        yield f"  law            {law.statement}"
        yield f"  smallest case  {verdict.case}"
        if regime is not None:
            yield from _values(Sample(verdict.case, regime, self.judge.domain.data))
        yield f"  difference     {verdict.difference} [{_decided(verdict)}]"
        yield from self._worst()
        replay = f"{_place(verdict.case)} --law {law.name} --at {pins(verdict.case)}"
        yield f"  replay         equivalence verify {replay}"

    def _worst(self) -> Iterator[str]:
        worst = self.tally.worst
        if worst and worst.difference and worst.difference.largest:
            yield f"  worst seen     |difference| {worst.difference.largest:.6g} at {worst.case}"

    def _readable(self) -> tuple[Verdict, Integers | None]:
        """Draw the same case from the smallest integers that still show a difference."""
        regime = self.verdict.regime
        if regime is None:
            return self.verdict, None
        for bits in range(regime.bits):
            small = replace(regime, bits=bits)
            difference = first_difference(self.judge.equation(self.verdict.case, small))
            if difference is not None:
                return replace(self.verdict, difference=difference), small
        return self.verdict, regime


def pins(case: Case) -> str:
    """Write a case as the value of --at."""
    fields = {name: getattr(value, "rows", value) for name, value in vars(case.claim).items()}
    axes = {name: "x".join(map(str, shape)) for name, shape in case.axes.items()}
    parts = [f"{name}={value}" for name, value in {**fields, **axes, "seed": case.seed}.items()]
    return f"'{','.join(parts)}'"


def _place(case: Case) -> str:
    """Name the claim as the command line finds it: by module, or by file where that cannot be imported."""
    claim = type(case.claim)
    file = Path(getattr(sys.modules.get(claim.__module__), "__file__", None) or "")
    importable = "." in claim.__module__ or file.stem == claim.__module__
    return f"{claim.__module__ if importable else file}:{claim.__qualname__}"


def _values(sample: Sample) -> Iterator[str]:
    named = dict(zip(sample.claim.inputs(), sample.inputs, strict=True)) | dict(sample.theta)
    for name, value in named.items():
        yield f"    {name:<12} {_shown(value)}"


def _shown(value: Tensor) -> str:
    if value.numel() > MOST_ENTRIES:
        return f"{tuple(value.shape)}, {value.numel()} entries"
    return str([_number(entry) for entry in value.reshape(-1).tolist()] if value.ndim < 2 else _nested(value))  # noqa: PLR2004


def _nested(value: Tensor) -> object:
    return [_nested(row) for row in value] if value.ndim else _number(value.item())


def _number(entry: float) -> float | int:
    return int(entry) if float(entry).is_integer() else entry


def _decided(verdict: Verdict) -> str:
    if verdict.regime is not None:
        return f"exact integers in {verdict.regime.dtype}".replace("torch.", "").removesuffix(" in float64")
    return "bitwise" if verdict.decided == "directly" else verdict.decided
