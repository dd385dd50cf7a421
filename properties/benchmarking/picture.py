"""A benchmark as a picture: times along a swept size, or the ratios of a whole catalogue."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from properties.benchmarking.crossover import curves
from properties.benchmarking.document import REFERENCE, Benchmark, CrossoverRecord, FormRecord, GroupRecord
from properties.benchmarking.sizes import NAMES
from properties.report.extras import library
from properties.report.files import ReportError

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F3C8D", "#A5AA99")
INK, FAINT = "#222222", "#bbbbbb"
MARKS = "osD^vPX*"
SUFFIXES = (".svg", ".png")
ROW = 0.21
"""Inches of a row of ratios."""
WIDE = 300
"""Ratios that lie further apart than this leave no room for more than the powers of 10."""


def check_picture(path: Path) -> None:
    """Raise ReportError where a picture could not be drawn, before anything is timed for it."""
    if path.suffix not in SUFFIXES:
        message = f"a picture is a {' or a '.join(SUFFIXES)} file, but got {path.name!r}; give it such a name"
        raise ReportError(message)
    _figure(1, 1)


def draw(benchmark: Benchmark, path: Path) -> None:
    """Draw a run into a file; ReportError where matplotlib is missing, or nothing was timed."""
    check_picture(path)
    if not benchmark.groups:
        message = "a picture needs a form that was timed, but there is none; see the refusals"
        raise ReportError(message)
    swept = [group for group in benchmark.groups if group.axis]
    _save(_sweeps(swept, benchmark.crossovers) if swept else _ratios(benchmark.groups), path)


def _figure(width: float, height: float) -> Any:
    return library("matplotlib.figure", "a picture", "pictures").Figure(
        figsize=(width, height), layout="constrained"
    )


def _sweeps(groups: Sequence[GroupRecord], crossovers: Sequence[CrossoverRecord]) -> Any:
    """Draw one panel for each family and pass, seconds over size, both in logarithms."""
    found = curves(groups)
    columns = min(2, len(found))
    rows = -(-len(found) // columns)
    figure = _figure(5.6 * columns, 4.6 * rows)
    for place, curve in enumerate(found):
        axes = figure.add_subplot(rows, columns, place + 1)
        first = curve[0]
        _curves(axes, curve)
        _crossings(
            axes, [one for one in crossovers if (one.family, one.timed) == (first.family, first.timed)]
        )
    return figure


def _curves(axes: Any, curve: Sequence[GroupRecord]) -> None:
    first = curve[0]
    for place, name in enumerate(_forms(curve)):
        found = [(group.value, form) for group in curve for form in group.forms if form.form == name]
        colour = INK if name == REFERENCE else COLOURS[(place - 1) % len(COLOURS)]
        values = [value for value, _ in found]
        axes.plot(
            values,
            [form.seconds for _, form in found],
            color=colour,
            linestyle="--" if name == REFERENCE else "-",
            marker=MARKS[place % len(MARKS)],
            markersize=4,
            linewidth=1.3,
            label=f"{name} ({found[0][1].module})" if name == REFERENCE else name,
        )
        low, high = ([form.quartiles[end] for _, form in found] for end in (0, 1))
        axes.fill_between(values, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(yscale="log", xlabel=first.axis, ylabel="time of a call")
    _plain_sizes(axes, [group.value for group in curve])
    axes.set_title(f"{first.family}: {first.timed}", fontsize=10)
    axes.grid(visible=True, color=FAINT, linewidth=0.4)
    axes.legend(fontsize=7, loc="upper left")


def _crossings(axes: Any, crossovers: Sequence[CrossoverRecord]) -> None:
    """Mark where the fastest form changes, and say from where on which wins, beside the mark."""
    low, high = axes.get_xlim()
    for place, one in enumerate(crossovers):
        right = one.place > (low * high) ** 0.5
        axes.axvline(one.place, color=INK, linewidth=0.9, linestyle=":")
        axes.annotate(
            "\n".join([f"from {one.axis} {one.value}", *one.winners, "win" if one.winners[1:] else "wins"]),
            xy=(one.place, 0.03 + 0.18 * (place % 2)),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if right else 4, 0),
            textcoords="offset points",
            horizontalalignment="right" if right else "left",
            fontsize=7,
        )


def _forms(groups: Sequence[GroupRecord]) -> list[str]:
    return list(dict.fromkeys(form.form for group in groups for form in group.forms))


def _ratios(groups: Sequence[GroupRecord]) -> Any:
    """Draw a column for each size, a row for each claim: its ratio to the reference, with the interval."""
    claims = [name for name in _forms(groups) if name != REFERENCE]
    sizes = list(dict.fromkeys(group.size for group in groups))
    sizes.sort(key=lambda size: NAMES.index(size) if size in NAMES else len(NAMES))
    figure = _figure(3.2 + 2.6 * len(sizes), 1.4 + ROW * len(claims))
    every = figure.subplots(1, len(sizes), sharey=True, sharex=True, squeeze=False)[0]
    for axes, size in zip(every, sizes, strict=True):
        for shift, timed in enumerate(dict.fromkeys(group.timed for group in groups)):
            _column(axes, list(_found(groups, claims, size, timed)), timed, shift)
        axes.set_title(size, fontsize=10)
        axes.set_xscale("log")
        axes.axvline(1, color=INK, linewidth=0.9)
        axes.grid(visible=True, axis="x", color=FAINT, linewidth=0.4)
    _plain_ratios(every[0])
    every[0].set_yticks(range(len(claims)), claims, fontsize=8)
    every[0].set_ylim(len(claims) - 0.4, -0.6)
    figure.supxlabel("time / time of the reference (hollow: cannot be told apart from it)", fontsize=9)
    figure.legend(*every[0].get_legend_handles_labels(), loc="outside upper left", ncols=2, fontsize=8)
    return figure


def _plain_ratios(axes: Any) -> None:
    """Write 0.5, 1, 2, 5 under a logarithmic axis; where it spans decades, these alone."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415  (an extra)

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if high / low > WIDE else (1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _plain_sizes(axes: Any, values: Sequence[int]) -> None:
    """Write 64 instead of a power of 2, and 20 µs instead of a power of 10."""
    from matplotlib.ticker import EngFormatter, NullFormatter  # noqa: PLC0415  (an extra)

    axes.set_xscale("log", base=2)
    axes.set_xticks(values, [f"{value:g}" for value in values], fontsize=8)
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _found(
    groups: Sequence[GroupRecord], claims: Sequence[str], size: str, timed: str
) -> Iterator[tuple[int, FormRecord]]:
    for group in groups:
        if (group.size, group.timed) == (size, timed):
            yield from ((claims.index(form.form), form) for form in group.forms if form.form != REFERENCE)


def _column(axes: Any, found: Sequence[tuple[int, FormRecord]], timed: str, shift: int) -> None:
    """Draw the forms of one pass; a hollow mark cannot be told apart from the reference."""
    rows = [row + 0.28 * shift - 0.14 for row, _ in found]
    ratios = [form.ratio for _, form in found]
    axes.errorbar(
        ratios,
        rows,
        xerr=[[form.ratio - form.low for _, form in found], [form.high - form.ratio for _, form in found]],
        fmt="none",
        ecolor=COLOURS[shift],
        elinewidth=1.2,
    )
    told = [form.standing in ("faster", "slower") for _, form in found]
    fills = [COLOURS[shift] if one else "white" for one in told]
    axes.scatter(ratios, rows, s=16, edgecolors=COLOURS[shift], facecolors=fills, zorder=3)
    axes.plot([], [], "o", color=COLOURS[shift], markersize=4, label=timed)


def _save(figure: Any, path: Path) -> None:
    """Write a picture whole or not at all."""
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(beside, dpi=120)
        beside.replace(path)
    except OSError as error:
        message = f"a picture needs a folder that can be written, but {path}: {error.strerror}; give another"
        raise ReportError(message) from error
    finally:
        with suppress(OSError):
            beside.unlink()
