"""Measure the law `initialisation`: `python -m tests.power` prints its page, `--write FILE` writes it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter

import torch

from properties.report.files import write_whole
from tests.power.page import Measured, page
from tests.power.trials import Count, counts
from tests.power.whole import Run, missed, right_claims, runs
from tests.power.wrong import families

TRIALS = 3000
"""Of wrong draws: none missed among so many shows a power of 0.999, at 95 %."""
RIGHT_TRIALS = 100
WORKERS = 2
SLICES = 8
"""Of the catalogue, so that no worker is idle before the end."""

Part = Callable[[], list[Count] | list[Run] | list[str]]


def parts(number: int) -> Iterator[Part]:
    """Give the measurements, the longest first: families of draws, and slices of the catalogue."""
    yield from (partial(_counted, place) for place in range(len(families())))
    for whole in range(number):
        yield partial(missed, whole)
        yield from (partial(_ran, part, whole) for part in range(SLICES))


def measured(number: int) -> Measured:
    """Measure everything, and the whole catalogue as often as asked."""
    with ProcessPoolExecutor(WORKERS, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        done: list[Future[list[Count] | list[Run] | list[str]]] = [
            pool.submit(part) for part in parts(number)
        ]
        found = [one for future in done for one in future.result()]
    return Measured(
        [one for one in found if isinstance(one, Count)],
        [one for one in found if isinstance(one, Run)],
        [one for one in found if isinstance(one, str)],
        number,
    )


def _counted(place: int) -> list[Count]:
    return list(counts(families()[place], RIGHT_TRIALS, TRIALS, seed=place))


def _ran(part: int, number: int) -> list[Run]:
    return list(runs(right_claims()[part::SLICES], number))


def main() -> int:
    """Print the page or write it; 1 where the law is wrong more often than it says."""
    parser = argparse.ArgumentParser(prog="python -m tests.power", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="the page to write")
    parser.add_argument("--runs", type=int, default=1, help="how often the catalogue is constructed (1)")
    given = parser.parse_args()
    start = perf_counter()
    found = measured(given.runs)
    sys.stderr.write(f"measured in {perf_counter() - start:.1f} s, after the imports\n")
    if given.write:
        write_whole(page(found), given.write)
    else:
        sys.stdout.write(page(found))
    return int(not found.as_said)


if __name__ == "__main__":
    sys.exit(main())
