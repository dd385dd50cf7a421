"""Records of a run -> the report that every file is written from."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import torch

from equivalence.claim import Equivalence
from properties.cases.setting import USUAL, Setting
from properties.laws.registry import Law
from properties.report.document import (
    CellRecord,
    ClaimRecord,
    CounterexampleRecord,
    Environment,
    LawRecord,
    Report,
    TensorRecord,
)
from properties.running.verdict import verdict


@dataclass(frozen=True)
class Entry:
    """One cell's record, with what the report says of its claim and of its law."""

    claim: ClaimRecord
    law: LawRecord
    cell: CellRecord


@dataclass(frozen=True)
class Circumstances:
    """What a report says of the run as a whole."""

    profile: str
    seed: int
    seconds: float
    complete: bool
    threads: int
    setting: Setting = USUAL


def entry(claim: type[Equivalence], law: Law, record: CellRecord) -> Entry:
    """Put a record beside the statements of its claim and law."""
    return Entry(
        claim=ClaimRecord(record.claim, statement(claim), claim.source, claim.__module__, claim.same),
        law=LawRecord(law.name, law.statement),
        cell=record,
    )


def statement(claim: type[Equivalence]) -> str:
    """Give what a claim says: the first line of its docstring."""
    return ((claim.__doc__ or "").strip().splitlines() or [""])[0]


def entry_from(data: Mapping[str, Any]) -> Entry:
    """Read an entry back from its own `asdict`, as it came through another process."""
    found = data["cell"]["counterexample"]
    cell = {**data["cell"], "counterexample": _counterexample_from(found) if found else None}
    return Entry(ClaimRecord(**data["claim"]), LawRecord(**data["law"]), CellRecord(**cell))


def assembled(entries: Iterable[Entry], run: Circumstances) -> Report:
    """Make the report of a run; each claim and law once, in the order in which they came."""
    found = list(_apart(entries))
    return Report(
        profile=run.profile,
        seed=run.seed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=run.seconds,
        complete=run.complete,
        environment=_environment(run),
        claims=list(_judged(found)),
        laws=list({one.law.name: one.law for one in found}.values()),
        cells=[one.cell for one in found],
    )


def _apart(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Number claims of one name, and suites of one claim: each has a row of its own."""
    rows: dict[str, tuple[str, set[str]]] = {}
    for one in entries:
        for number in itertools.count(1):
            name = one.claim.name if number == 1 else f"{one.claim.name} ({number})"
            module, laws = rows.setdefault(name, (one.claim.module, set()))
            if module == one.claim.module and one.law.name not in laws:
                laws.add(one.law.name)
                yield replace(one, claim=replace(one.claim, name=name), cell=replace(one.cell, claim=name))
                break


def _judged(entries: Iterable[Entry]) -> Iterator[ClaimRecord]:
    """Give each claim once, with what its cells together say of it."""
    claims: dict[str, list[Entry]] = {}
    for one in entries:
        claims.setdefault(one.claim.name, []).append(one)
    for cells in claims.values():
        yield replace(cells[0].claim, verdict=verdict([one.cell for one in cells]))


def _counterexample_from(data: Mapping[str, Any]) -> CounterexampleRecord:
    outputs = {
        name: TensorRecord(**data[name]) if data[name] else None
        for name in ("reference_output", "candidate_output")
    }
    values = [TensorRecord(**value) for value in data["values"]]
    return CounterexampleRecord(**{**data, **outputs, "values": values})


def _environment(run: Circumstances) -> Environment:
    return Environment(
        layer_equivalence=version("layer-equivalence"),
        python=platform.python_version(),
        torch=torch.__version__,
        numpy=version("numpy"),
        hypothesis=version("hypothesis"),
        platform=platform.platform(),
        device=str(run.setting.device),
        dtype=run.setting.dtype_name,
        threads=run.threads,
    )
