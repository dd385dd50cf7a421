"""The fastest form known of each family, timed: `python -m tests.fast_forms --write docs/fast-forms.md`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from properties.benchmarking.intervals import CONFIDENCE, MARGIN, Interval
from properties.report.files import write_whole
from tests.fastest import groups
from tests.fastest.groups import Group
from tests.fastest.measuring import Measured, measured, peaks, shares
from tests.fastest.words import FAMILIES, OPENING, Family


@dataclass(frozen=True)
class Findings:
    """What was measured of one family."""

    rows: Sequence[Measured]
    memory: Sequence[tuple[str, dict[str, int]]]
    profile: Sequence[tuple[str, float]]
    profiled: str


def find(make: Callable[[], Iterator[Group]], profiled: int) -> Findings:
    """Measure every group of a family, and profile the one at that place."""
    torch.manual_seed(0)
    rows: list[Measured] = []
    memory, profile, size = [], [], ""
    for place, group in enumerate(make()):
        rows += measured(group)
        memory.append((group.size, peaks(group)))
        if place == profiled:
            profile, size = shares(group), group.size
    return Findings(rows, memory, profile, size)


def section(family: Family, found: Findings) -> Iterator[str]:
    """Give what a family's section of the page says."""
    yield from (f"## {family.title}", "", *family.text.strip().splitlines(), "", *summary(found.rows), "")
    yield from (*table(found.rows), "", *memory_line(found.memory))
    spent = ", ".join(f"`{name}` {share:.0%}" for name, share in found.profile)
    yield from ("", f"Where the time goes ({found.profiled}, forward + backward): {spent}.", "")


def summary(rows: Sequence[Measured]) -> Iterator[str]:
    """Count, rival by rival, where the first form is told to be faster, and where not."""
    rivals = dict.fromkeys(name for row in rows for name in row.ratios)
    for rival in rivals:
        beside = [(row, row.ratios[rival]) for row in rows if rival in row.ratios]
        counts = Counter(interval.standing for _, interval in beside)
        told = ", ".join(f"{standing} {count}" for standing, count in counts.items())
        slower = [f"{row.size} ({row.passed})" for row, one in beside if one.standing == "slower"]
        lost = f"; slower at {'; '.join(slower)}" if slower else ""
        worst = max(interval.ratio for _, interval in beside)
        yield f"* beside {rival}: {told} of {len(beside)}; the largest ratio is {worst:.2f}{lost}"


def table(rows: Sequence[Measured]) -> Iterator[str]:
    """Give a row for each size, pass and number of threads, and a column for each rival."""
    rivals = list(dict.fromkeys(name for row in rows for name in row.ratios))
    yield "| size | pass | threads | µs | " + " | ".join(rivals) + " |"
    yield "|---|---|--:|--:|" + "--:|" * len(rivals)
    for row in rows:
        cells = [written(row.ratios.get(rival)) for rival in rivals]
        yield f"| {row.size} | {row.passed} | {row.threads} | {row.microseconds:,.0f} | {' | '.join(cells)} |"


def written(interval: Interval | None) -> str:
    """Give a ratio and its interval; nothing where the rival was not measured."""
    return f"{interval.ratio:.2f} [{interval.low:.2f}, {interval.high:.2f}]" if interval else ""


def memory_line(memory: Sequence[tuple[str, dict[str, int]]]) -> Iterator[str]:
    """Say where the first form needs more memory than a rival of the catalogue, or that it never does."""
    more = []
    for size, by_form in memory:
        first, *others = by_form
        more += [
            f"{size}: {by_form[first]:,} bytes, {rival} {by_form[rival]:,}"
            for rival in others
            if by_form[first] > by_form[rival]
        ]
    yield f"Peak memory of forward + backward beyond inputs, output and gradients, at {len(memory)} sizes:"
    yield "never more than a rival's." if not more else "more than a rival's at " + "; ".join(more) + "."


def pages() -> Iterator[str]:
    """Measure one family after the other, and give the page so far after each."""
    lines = [*OPENING.format(**setting()).splitlines(), ""]
    for family in FAMILIES:
        lines += section(family, find(getattr(groups, family.groups), family.profiled))
        yield "\n".join(lines)


def setting() -> dict[str, str]:
    """Name what the figures belong to."""
    machine = f"{platform.machine()}, {os.cpu_count()} processors, torch {torch.__version__}"
    return {"machine": machine, "confidence": f"{CONFIDENCE:.0%}", "margin": f"{MARGIN:.0%}"}


def main() -> int:
    """Measure every family, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.fast_forms", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", required=True, help="the page")
    path = parser.parse_args().write
    for page in pages():
        # What was measured is kept, whatever ends the run.
        write_whole(page, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
