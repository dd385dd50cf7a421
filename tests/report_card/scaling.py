"""Wall time of `equivalence verify` as the number of claims grows, with one process and with two."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from equivalence.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
LAWS = ("forward", "input_gradient", "parameter_gradient")
COUNTS = (1, 5, 10, 22, len(CATALOGUE))
JOBS = (1, 2)
REPEATS = 2


@dataclass(frozen=True)
class Scaled:
    """The wall time of verifying so many claims in so many processes."""

    claims: int
    jobs: int
    seconds: tuple[float, ...]


def scaled(counts: Sequence[int], repeats: int) -> Iterator[Scaled]:
    """Verify the first claims of the catalogue, so many at a time, in a process started for it."""
    for count in counts:
        seconds: dict[int, list[float]] = {jobs: [] for jobs in JOBS}
        for _ in range(repeats):
            for jobs, taken in seconds.items():
                taken.append(_verify(list(CATALOGUE)[:count], jobs))
        yield from (Scaled(count, jobs, tuple(taken)) for jobs, taken in seconds.items())


def _verify(names: Sequence[str], jobs: int) -> float:
    """Give the seconds of one command, its start included; CalledProcessError where it finds a fault."""
    laws = [word for law in LAWS for word in ("--law", law)]
    command = [sys.executable, "-m", "properties", "verify", *names, *laws, "--jobs", str(jobs)]
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603  (our own command)
    return time.perf_counter() - started
