"""Rounds and counts -> the record of one group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from properties.benchmarking.contenders import TRAINING, Contender
from properties.benchmarking.document import REFERENCE, FormRecord, GroupRecord
from properties.benchmarking.intervals import compared, leaders
from properties.benchmarking.peak import Peak
from properties.benchmarking.points import Point
from properties.benchmarking.rounds import Rounds
from properties.cost import Cost


@dataclass(frozen=True)
class Recording:
    """The forms of one family at one set of sizes, what each costs, and what the machine can do."""

    family: str
    point: Point
    forms: Sequence[Contender]
    costs: Mapping[str, Cost]
    """Form -> what it costs; without those that hold an operation that is not counted."""
    peak: Peak

    def group(self, timed: str, rounds: Rounds) -> GroupRecord:
        """Give the record of one pass."""
        point, seconds = self.point, {form.name: rounds.seconds[form.name] for form in self.forms}
        leading = leaders(seconds)
        records = [
            FormRecord(
                form=form.name,
                module=form.written,
                repetitions=rounds.repetitions[form.name],
                leads=form.name in leading,
                **_times(form.name, seconds),
                **self._counts(form.name, timed, float(np.median(seconds[form.name]))),
            )
            for form in self.forms
        ]
        held = len(seconds[REFERENCE])
        return GroupRecord(self.family, point.name, point.at, point.axis, point.value, timed, held, records)

    def _counts(self, name: str, timed: str, seconds: float) -> dict[str, Any]:
        """Give what was counted, and the part of the machine's peak: a backward's bytes are not counted."""
        found = self.costs.get(name)
        if found is None:
            return {"multiply_adds": None, "peak_bytes": None, "part_of_peak": None, "limit": ""}
        if timed == TRAINING:
            both = found.multiply_adds + found.backward_multiply_adds
            peak = found.peak_training_bytes
            return {"multiply_adds": both, "peak_bytes": peak, "part_of_peak": None, "limit": ""}
        moved = found.bytes_read + found.bytes_written
        part, limit = self.peak.part(found.multiply_adds, moved, seconds)
        return {
            "multiply_adds": found.multiply_adds,
            "peak_bytes": found.peak_forward_bytes,
            "part_of_peak": part,
            "limit": limit,
        }


def _times(name: str, seconds: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Give the median and quartiles of a form's seconds, and its ratio to the reference."""
    low, middle, high = np.quantile(seconds[name], [0.25, 0.5, 0.75]).tolist()
    found = compared(seconds[name], seconds[REFERENCE])
    return {
        "seconds": middle,
        "quartiles": [low, high],
        "ratio": found.ratio,
        "low": found.low,
        "high": found.high,
        "standing": REFERENCE if name == REFERENCE else found.standing,
    }
