"""What a benchmark found, as plain data: tables, pictures and JSON are made from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from properties.benchmarking.memory import NO_ROOM
from properties.report.files import write_whole

SCHEMA_VERSION = 1
REFERENCE = "reference"


@dataclass(frozen=True)
class FormRecord:
    """One form in one group."""

    form: str
    """`reference`, or the name of the claim whose candidate it is."""
    module: str
    seconds: float
    """The median over the rounds, of one call."""
    quartiles: Sequence[float]
    repetitions: int
    ratio: float
    low: float
    high: float
    """The ratio to the reference and its interval; 1 for the reference itself."""
    standing: str
    leads: bool
    """Whether it is the fastest, or cannot be told apart from the fastest."""
    multiply_adds: int | None
    """None where an operation is not counted."""
    peak_bytes: int | None
    part_of_peak: float | None
    """Of this machine's matrix-multiply rate, or of its memory bandwidth, the larger; of a forward only."""
    limit: str
    """compute or memory, whichever that part is of; empty where there is none."""


@dataclass(frozen=True)
class GroupRecord:
    """The forms of one family at one set of sizes, in one pass."""

    family: str
    size: str
    at: str
    axis: str
    """The swept axis; empty where the sizes are of no sweep."""
    value: int
    timed: str
    """forward, or forward + backward."""
    rounds: int
    forms: Sequence[FormRecord]


@dataclass(frozen=True)
class RefusalRecord:
    """A claim that was not timed, and why."""

    claim: str
    size: str
    reason: str
    declared: bool
    """Whether the claim itself says that its forms differ, and was not asked for by name."""

    @property
    def too_large(self) -> bool:
        """Whether the memory did not suffice, which says nothing about the forms."""
        return self.reason == NO_ROOM


@dataclass(frozen=True)
class CrossoverRecord:
    """From which size of a sweep on another form is the fastest."""

    family: str
    timed: str
    axis: str
    value: int
    """The first size at which the former winners are told apart as slower."""
    place: float
    """Where the two curves meet, between this size and the one before."""
    winners: Sequence[str]
    before: Sequence[str]


@dataclass(frozen=True)
class Circumstances:
    """What the timings depend on."""

    torch: str
    device: str
    device_name: str
    dtype: str
    threads: int
    compiled: bool
    clock: str
    """processor time, elapsed time, or events on the device."""
    multiply_adds_per_second: float
    bytes_per_second: float
    confidence: float
    margin: float


@dataclass(frozen=True)
class Benchmark:
    """A whole run."""

    circumstances: Circumstances
    groups: Sequence[GroupRecord]
    crossovers: Sequence[CrossoverRecord]
    refusals: Sequence[RefusalRecord]
    uncounted: Mapping[str, str]
    """Form -> the operation whose multiply-adds are not known."""
    seconds: float
    complete: bool
    schema_version: int = SCHEMA_VERSION


def write_json(benchmark: Benchmark, path: Path) -> None:
    """Write a run as JSON; ReportError where the file cannot be written."""
    write_whole(json.dumps(asdict(benchmark), indent=1, allow_nan=False) + "\n", path)
