"""The report as plain data: what every file that is written of a run (JSON, HTML, JUnit) is made from.

Everything here is text, numbers, lists and dictionaries: `dataclasses.asdict` gives the JSON document that
schema.json describes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class TensorRecord:
    """A tensor by name: its entries in row-major order, or none where there are too many to show."""

    name: str
    shape: Sequence[int]
    dtype: str
    entries: Sequence[float | int | bool | str]
    """Numbers; "inf", "-inf" and "nan" as words. Empty when `omitted`."""
    omitted: bool = False
    wrong: Sequence[int] = ()
    """Flat places of the entries that differ from the other side."""
    notable: Mapping[str, float | int | bool | str] = field(default_factory=dict)
    """Where entries are omitted: place -> entry of some that differ, or that are not 0."""
    more: int = 0
    """So many like these are left out."""


@dataclass(frozen=True)
class CounterexampleRecord:
    """The smallest case in which a law fails, and what it shows."""

    kind: str
    """another function; the same function, less precise; raises; shape; dtype; state; …"""
    declared: str
    """Why the claim is known to fail; empty where the failure is news."""
    case: str
    """As a reader writes it: in_features=1, batch=(), seed=0."""
    where: str
    reference: str
    candidate: str
    different: int
    total: int
    difference: str
    """The place, both sides and how many differ, in one sentence."""
    decided: str
    values: Sequence[TensorRecord]
    """Inputs, parameters, cotangents, masks."""
    reference_output: TensorRecord | None
    candidate_output: TensorRecord | None
    wiring: Sequence[str]
    """Which entries the wrong output reads, and which it should read, a sentence each."""
    worst: str
    """The largest difference seen, and where; empty where the smallest case is all there is."""
    replay: str
    """The command line that shows it again."""
    file: str = ""
    """The replay file as `equivalence replay` takes it; empty where none was written."""
    beyond: str = ""
    """That the law looks beyond what the claim calls the same; empty where it does not."""


@dataclass(frozen=True)
class CellRecord:
    """One claim under one law."""

    claim: str
    law: str
    status: str
    """holds, refuted (as declared, or not), not claimed, does not apply, declared break not found, error."""
    reason: str
    """Why the law does not apply, why the claim is declared to break it, or what it is beyond; else empty."""
    executed: int
    outside: int
    """Cases that the reference refused."""
    decided: Mapping[str, int]
    """exact, rounding, directly, distributions or statistics -> cases."""
    miss_probability: float | None
    """For exact cells: at most so likely does one case miss a false polynomial identity."""
    worst_ratio: float | None
    """For cells decided up to rounding: the largest part of the allowed rounding used; 1 is the limit."""
    seconds: float
    sizes: Mapping[str, Mapping[str, int]]
    """Field or free axis -> size or option as a word -> cases."""
    corners: Mapping[str, int]
    """zero, one, equal, prime, non-contiguous -> cases."""
    counterexample: CounterexampleRecord | None = None
    obstacle: str = ""
    """Why cases were decided up to rounding; empty for exact ones."""
    text: str = ""
    """What went wrong, as the terminal shows it."""
    controls: Mapping[str, int] = field(default_factory=dict)
    """Wrong run -> cases that told it from the right one."""
    notes: Sequence[str] = ()
    """What is told of cases that hold: a narrower dtype inside, digits that are lost, buffers left alone."""


@dataclass(frozen=True)
class ClaimRecord:
    """A claim that was checked."""

    name: str
    statement: str
    source: str
    module: str
    same: str = "layer"
    """How much is claimed: function, module or layer."""
    verdict: str = ""
    """What the run says of it in one sentence."""


@dataclass(frozen=True)
class LawRecord:
    """A law that was checked."""

    name: str
    statement: str


@dataclass(frozen=True)
class Environment:
    """What the run ran on."""

    layer_equivalence: str
    python: str
    torch: str
    numpy: str
    hypothesis: str
    platform: str
    device: str
    dtype: str
    threads: int


@dataclass(frozen=True)
class Report:
    """A whole run."""

    profile: str
    seed: int
    created: str
    """ISO 8601, UTC."""
    seconds: float
    complete: bool
    """Whether every claim asked for was checked: not so after an interruption."""
    environment: Environment
    claims: Sequence[ClaimRecord]
    laws: Sequence[LawRecord]
    cells: Sequence[CellRecord]
    schema: int = field(default=SCHEMA_VERSION)
