"""A benchmark as text for a terminal, at most 110 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from properties.benchmarking import words
from properties.benchmarking.crossover import curves, sentence
from properties.benchmarking.document import (
    REFERENCE,
    Benchmark,
    Circumstances,
    FormRecord,
    GroupRecord,
    RefusalRecord,
)
from properties.benchmarking.sweep_table import sweep_lines
from properties.benchmarking.words import WIDTH, cut

NAME, RATIO, STANDING = 25, 23, 14
HEADING = (
    f"  {'form':<{NAME}} {'time':>8}  {'ratio [99 %]':<{RATIO}} {'':<{STANDING}} "
    f"{'products':>8} {'memory':>8}  of peak"
)


def lines(benchmark: Benchmark) -> Iterator[str]:
    """Give the run's circumstances, a table for each group, crossovers, refusals, and the rule of ranking."""
    yield from circumstances(benchmark.circumstances)
    tables = [group for group in benchmark.groups if not group.axis]
    if tables:
        yield from ("", HEADING)
    for group in tables:
        yield from _table(group)
    for curve in curves(benchmark.groups):
        yield from sweep_lines(curve)
    yield ""
    yield from map(sentence, benchmark.crossovers)
    yield from _refusals(benchmark.refusals)
    for form, operation in benchmark.uncounted.items():
        yield f"{form}: products and memory are not counted, since {operation} is not known to the counter"
    if tables:
        yield from _rule(benchmark.circumstances)


def circumstances(found: Circumstances) -> Iterator[str]:
    """Say what the timings depend on, and what the machine can do at most."""
    compiled = ", compiled" if found.compiled else ""
    threads = "1 thread" if found.threads == 1 else f"{found.threads} threads"
    yield (
        f"torch {found.torch}, {found.dtype} on {found.device} ({found.device_name}), {threads}{compiled}, "
        f"{found.clock}"
    )
    yield (
        f"peak of this machine: {words.large(found.multiply_adds_per_second)} multiply-adds/s, "
        f"{words.large(found.bytes_per_second, 'B')}/s"
    )


def above(benchmark: Benchmark, bound: float) -> list[str]:
    """Name every form but the reference whose whole interval lies above a bound, where it lies highest."""
    highest: dict[str, tuple[FormRecord, GroupRecord]] = {}
    for group in benchmark.groups:
        for form in filter(_compared, group.forms):
            if form.low > max(bound, highest[form.form][0].low if form.form in highest else 0):
                highest[form.form] = form, group
    return [
        f"{name} at {group.size}, {group.timed}: {words.ratio(form)} lies wholly above {bound:g}"
        for name, (form, group) in highest.items()
    ]


def _compared(form: FormRecord) -> bool:
    return form.form != REFERENCE


def _table(group: GroupRecord) -> Iterator[str]:
    yield cut(
        f"{group.family} beside {_reference(group).module}, {group.size}, {group.timed}, "
        f"{group.rounds} rounds: {group.at}",
        WIDTH,
    )
    yield from map(_row, group.forms)


def _row(form: FormRecord) -> str:
    standing = "" if form.form == REFERENCE else form.standing
    name = f"{'*' if form.leads else ' '} {cut(form.form, NAME):<{NAME}}"
    return (
        f"{name} {words.seconds(form.seconds):>8}  {words.ratio(form):<{RATIO}} "
        f"{standing:<{STANDING}} {words.large(form.multiply_adds):>8} "
        f"{words.large(form.peak_bytes, 'B'):>8}  {words.part(form)}"
    ).rstrip()


def _reference(group: GroupRecord) -> FormRecord:
    return next(form for form in group.forms if form.form == REFERENCE)


def _refusals(refusals: Sequence[RefusalRecord]) -> Iterator[str]:
    for refusal in refusals:
        place = f" at {refusal.size}" if refusal.size else ""
        yield f"{refusal.claim}{place} is not timed: {refusal.reason}"


def _rule(found: Circumstances) -> Iterator[str]:
    yield "* fastest, or not told apart from it. Products are multiply-adds; memory is the peak, beside"
    yield "parameters, inputs and outputs; `of peak` is what a forward reaches of this machine's peak (above"
    yield "100 % in a cache)."
    yield (
        f"Faster or slower: the whole {100 * found.confidence:.0f} % interval of the ratio lies more than "
        f"{100 * found.margin:.0f} % from 1, by which"
    )
    yield "two copies of one and the same layer may differ."
