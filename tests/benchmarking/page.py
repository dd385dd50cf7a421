"""The page of benchmarks and its pictures: `python -m tests.benchmarking.page --write docs/benchmarks.md`.

Every figure of the page is of the run that writes it. Pictures are written into `pictures` beside the page.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from equivalence.catalogue import CATALOGUE
from properties.benchmarking import words
from properties.benchmarking.contenders import FORWARD, TRAINING
from properties.benchmarking.crossover import sentence
from properties.benchmarking.document import REFERENCE, Benchmark, FormRecord, GroupRecord
from properties.benchmarking.picture import check_picture, draw
from properties.benchmarking.run import Request, bench
from properties.benchmarking.sizes import FAMILIES, NAMES
from properties.benchmarking.table import circumstances
from properties.report.files import write_whole
from properties.report.live import LiveLine
from properties.report.numbers import plural

SWEPT = ("two-d-fc", "n-d-linear-forms", "masked", "local", "parallel-wide")
"""The families whose sweeps the page shows."""
CONTROL = "init-"
"""Begins the names of claims whose two forms are one and the same layer: only how it starts differs."""
CATALOGUE_PICTURE = "bench-catalogue.png"
INTRODUCTION = """# Benchmarks of equal forms

Written by `make benchmarks-page`, every figure in one run. Only forms that the laws `forward`,
`input_gradient` and `parameter_gradient` hold equal on the very case are timed. After it was timed, every
module computes once more, from new weights and a new input in the same tensors, so that a form that keeps a
result for the next call is refused.

All forms of a family take turns in one process, in a new order in each of many short rounds. A ratio is the
median, over the rounds, of a form's time by the reference's in the same round; the brackets are its 99 %
bootstrap interval. A form is called faster or slower only where the whole interval lies more than {margin}
from 1; else the two **cannot be told apart**, and the page says so instead of a winner. `equivalence bench
--help` tells how to time your own.

{circumstances}
"""
CATALOGUE_TEXT = """
## The whole catalogue

Time by the reference's time. *Italic*: not told apart from the reference. **Bold**: the fastest of its
family, or not told apart from the fastest. Sizes are in `properties/benchmarking/sizes.py`.

![Ratios of every claim]({picture})
"""
READING_TEXT = """
The reference of `n-d-linear` is a Python loop over rows and outputs, the textbook's: its ratios tell what
that loop costs. The machine is shared with other work: an interval as wide as a factor 2 is quoted as it
was measured.
"""
CONTROL_TEXT = """
The claims `{control}…` are a control: both of their forms are one and the same layer, so that any ranking
between them would be a false alarm. Of {comparisons} between them, {alarms} ended in a ranking; the widest
interval reached from {low:.2f} to {high:.2f}.
"""
COST_TEXT = """
## Time, products, memory, and the part of the peak

At the published sizes, forward. Products are multiply-adds, memory is the peak beside parameters, inputs
and outputs. The part of the peak is what a form reaches of this machine's matrix-multiply rate or memory
bandwidth, whichever is larger; above 100 % it works in a cache, or with fewer products than were counted.
"""
SWEEP_TEXT = """
## Along one size

Seconds a call over one size, both in logarithms; a dotted line is where the fastest form changes.
"""


def main() -> None:
    """Run the catalogue and the sweeps, and write the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, required=True, metavar="FILE")
    parser.add_argument("--seconds", type=float, default=0.5, help="time for a claim, size and pass")
    options = parser.parse_args()
    pictures = options.write.parent / "pictures"
    check_picture(pictures / CATALOGUE_PICTURE)
    request = Request(tuple(CATALOGUE), named=False, backward=True, budget=options.seconds)
    catalogue = bench(request, LiveLine().count)
    draw(without_control(catalogue), pictures / CATALOGUE_PICTURE)
    sweeps = {name: swept(name, request) for name in SWEPT}
    for name, found in sweeps.items():
        draw(found, pictures / picture(name))
    write_whole("\n".join(page(catalogue, sweeps)) + "\n", options.write)


def swept(family: str, request: Request) -> Benchmark:
    """Run one family along its own sweep."""
    claims = tuple(name for name in FAMILIES[family].claims if "forward" not in CATALOGUE[name].breaks)
    return bench(replace(request, claims=claims, sweep="own", budget=request.budget / 2), LiveLine().count)


def picture(family: str) -> str:
    return f"bench-{family}.png"


def without_control(found: Benchmark) -> Benchmark:
    groups = [group for group in found.groups if not group.family.startswith(CONTROL)]
    return replace(found, groups=groups)


def page(catalogue: Benchmark, sweeps: dict[str, Benchmark]) -> Iterator[str]:
    """Give the page's lines."""
    told_once = "  \n".join(circumstances(catalogue.circumstances))
    yield INTRODUCTION.format(margin=f"{100 * catalogue.circumstances.margin:.0f} %", circumstances=told_once)
    yield CATALOGUE_TEXT.format(picture=f"pictures/{CATALOGUE_PICTURE}")
    yield from ratios(without_control(catalogue).groups)
    yield READING_TEXT
    yield from (f"* {one.claim} is not timed: {one.reason}" for one in catalogue.refusals)
    yield control(catalogue)
    yield COST_TEXT
    yield from costs(without_control(catalogue).groups)
    yield SWEEP_TEXT
    for name, found in sweeps.items():
        yield f"![{name} along one size](pictures/{picture(name)})\n"
        yield from (f"* {sentence(one)}" for one in found.crossovers)
        yield (
            ""
            if found.crossovers
            else "* the same form is the fastest, or not told apart from it, throughout\n"
        )


def ratios(groups: Sequence[GroupRecord]) -> Iterator[str]:
    """Give one row a form, two columns a size."""
    columns = [(size, timed) for size in NAMES for timed in (FORWARD, TRAINING)]
    yield "| form | " + " | ".join(f"{size}, {timed}" for size, timed in columns) + " |"
    yield "|---|" + "--:|" * len(columns)
    cells = {
        (group.family, form.form, group.size, group.timed): cell(form)
        for group in groups
        for form in group.forms
    }
    for family, name in dict.fromkeys((group.family, form.form) for group in groups for form in group.forms):
        if name != REFERENCE:
            row = [cells.get((family, name, *column), "") for column in columns]
            yield f"| {name} | " + " | ".join(row) + " |"


def cell(form: FormRecord) -> str:
    written = words.ratio(form)
    written = f"*{written}*" if form.standing == "not told apart" else written
    return f"**{written}**" if form.leads else written


def control(catalogue: Benchmark) -> str:
    """Say how often two copies of one layer were ranked."""
    forms = [form for group in catalogue.groups for form in group.forms if form.form.startswith(CONTROL)]
    widest = max(forms, key=lambda form: form.high / form.low)
    return CONTROL_TEXT.format(
        control=CONTROL,
        comparisons=plural(len(forms), "comparison"),
        alarms=sum(form.standing != "not told apart" for form in forms) or "none",
        low=widest.low,
        high=widest.high,
    )


def costs(groups: Sequence[GroupRecord]) -> Iterator[str]:
    """Give one row a form at the published size: its time, and what was counted."""
    yield "| family | form | module | time | products | memory | part of peak |"
    yield "|---|---|---|--:|--:|--:|--:|"
    for group in groups:
        if (group.size, group.timed) == ("published", FORWARD):
            for form in group.forms:
                yield (
                    f"| {group.family} | {form.form} | {form.module} | {words.seconds(form.seconds)} | "
                    f"{words.large(form.multiply_adds)} | {words.large(form.peak_bytes, 'B')} | "
                    f"{words.part(form)} |"
                )


if __name__ == "__main__":
    main()
