"""What a command line asks to be timed, and the run that times it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import torch

from properties.benchmarking.clock import clock_of
from properties.benchmarking.compiling import check_compiler
from properties.benchmarking.crossover import crossovers
from properties.benchmarking.document import Benchmark, Circumstances, GroupRecord, RefusalRecord
from properties.benchmarking.intervals import CONFIDENCE, MARGIN
from properties.benchmarking.measure import Bench, Findings, measure
from properties.benchmarking.memory import NO_ROOM, is_shortage
from properties.benchmarking.peak import measured
from properties.benchmarking.points import Point, case_at, named_points, swept_points
from properties.benchmarking.sizes import NAMES, family_of
from properties.cases.setting import Setting
from properties.reading.claims import load_claim
from properties.running.threads import threads_set

IN_SINGLE = Setting(torch.float32)
Progress = Callable[[int, int, str], None]
"""(points done, points in all, what comes next) -> None."""


@dataclass(frozen=True)
class Request:
    """Claims by name, the sizes, and how they are run."""

    claims: Sequence[str]
    named: bool = True
    """Whether the claims were asked for by name: then one that declares its forms to differ is refused."""
    at: str = ""
    sweep: str = ""
    sizes: tuple[str, ...] = NAMES
    setting: Setting = IN_SINGLE
    compiled: bool = False
    threads: int = 1
    backward: bool = False
    budget: float = 0.5


@dataclass(frozen=True)
class Job:
    """One family at one set of sizes."""

    family: str
    claims: tuple[str, ...]
    point: Point


@dataclass
class Record:
    """What a run has found so far."""

    groups: list[GroupRecord] = field(default_factory=list)
    refusals: list[RefusalRecord] = field(default_factory=list)
    uncounted: dict[str, str] = field(default_factory=dict)
    complete: bool = False


def bench(request: Request, progress: Progress) -> Benchmark:
    """Time everything that is asked for; Ctrl-C keeps what was measured, as an incomplete run."""
    started = time.monotonic()
    record, asked = Record(), jobs(request)
    with threads_set(request.threads):
        if request.compiled:
            check_compiler(request.setting)
        clock = clock_of(request.setting.device, request.threads)
        peak = measured(request.setting, clock)
        how = Bench(
            request.setting,
            clock,
            peak,
            request.budget,
            backward=request.backward,
            compiled=request.compiled,
        )
        with suppress(KeyboardInterrupt):
            _fill(record, request, asked, how, progress)
    return Benchmark(
        circumstances=_circumstances(request, how),
        groups=record.groups,
        crossovers=crossovers(record.groups),
        refusals=record.refusals,
        uncounted=record.uncounted,
        seconds=time.monotonic() - started,
        complete=record.complete,
    )


def jobs(request: Request) -> list[Job]:
    """Give one job for each family and set of sizes; every mistake in the request shows here."""
    found = []
    for family, claims in _families(_measurable(request)).items():
        _, known = family_of(claims[0])
        points = (
            swept_points(known, request.sweep, request.at)
            if request.sweep
            else named_points(known, request.sizes, request.at)
        )
        for point in points:
            for claim in claims:
                case_at(load_claim(claim), point.at)
            found.append(Job(family, tuple(claims), point))
    return found


def _fill(record: Record, request: Request, asked: Sequence[Job], how: Bench, progress: Progress) -> None:
    record.refusals += _declared(request)
    for done, job in enumerate(asked):
        progress(done, len(asked), f"{job.family} {job.point.name}")
        if request.compiled:
            torch.compiler.reset()
        _add(record, job, _findings(job, how))
    progress(len(asked), len(asked), "")
    record.complete = True


def _findings(job: Job, how: Bench) -> Findings:
    """Measure one job; where the memory does not suffice, refuse its claims at this size."""
    cases = {name: case_at(load_claim(name), job.point.at) for name in job.claims}
    try:
        return measure(job.family, cases, job.point, how)
    except (RuntimeError, MemoryError) as error:
        if not is_shortage(error):
            raise
        return Findings(refused=dict.fromkeys(job.claims, NO_ROOM))


def _add(record: Record, job: Job, findings: Findings) -> None:
    record.groups += findings.groups
    record.uncounted.update(findings.uncounted)
    record.refusals += [
        RefusalRecord(claim, job.point.name, reason, declared=False)
        for claim, reason in findings.refused.items()
    ]


def _measurable(request: Request) -> list[str]:
    """Leave out, of a whole catalogue, what says itself that its forms differ."""
    return [name for name in request.claims if request.named or not _difference_declared(name)]


def _declared(request: Request) -> Iterator[RefusalRecord]:
    for name in request.claims:
        if name not in _measurable(request):
            yield RefusalRecord(name, "", f"declared: {_difference_declared(name)}", declared=True)


def _difference_declared(name: str) -> str:
    return load_claim(name).breaks.get("forward", "")


def _families(claims: Sequence[str]) -> Mapping[str, list[str]]:
    families: dict[str, list[str]] = {}
    for claim in claims:
        families.setdefault(family_of(claim)[0], []).append(claim)
    return families


def _circumstances(request: Request, how: Bench) -> Circumstances:
    setting = request.setting
    return Circumstances(
        torch=torch.__version__,
        device=str(setting.device),
        device_name=_device_name(setting.device),
        dtype=setting.dtype_name,
        threads=request.threads,
        compiled=request.compiled,
        clock=how.clock.name,
        multiply_adds_per_second=how.peak.multiply_adds_per_second,
        bytes_per_second=how.peak.bytes_per_second,
        confidence=CONFIDENCE,
        margin=MARGIN,
    )


def _device_name(device: torch.device) -> str:
    return (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else torch.backends.cpu.get_cpu_capability()
    )
