"""Card -> pictures, with matplotlib."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from properties.benchmarking.picture import COLOURS, FAINT, INK, MARKS, check_picture
from properties.report.files import write_whole
from tests.report_card import summary
from tests.report_card.card import Card
from tests.report_card.finding import FUNCTION_LAWS
from tests.report_card.page import EVERY, RATIO_GOAL

MEASURES = {"training": "forward and backward", "passes": "needed passes"}
"""What the time of a case is divided by, as Grown names it and as a reader does."""


def draw(card: Card, folder: Path) -> list[Path]:
    """Write every picture as SVG; ReportError where matplotlib is missing."""
    written = []
    for name, picture in PICTURES.items():
        path = folder / f"report-card-{name}.svg"
        check_picture(path)
        write_whole(svg(picture(card)), path)
        written.append(path)
    return written


def svg(figure: Any) -> str:
    """Give a picture as text, the same for the same figure."""
    from matplotlib import rc_context  # noqa: PLC0415  (an extra)

    text = io.StringIO()
    # Neither names nor a date that are new in every run.
    with rc_context({"svg.hashsalt": "report-card"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def figure_of(width: float, height: float) -> Any:
    """Give an empty picture, in inches."""
    from matplotlib.figure import Figure  # noqa: PLC0415  (an extra)

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_facecolor("white")
    return figure


def _growth(card: Card) -> Any:
    """Draw a panel for each layer and measure: a curve for each law, with its quartiles."""
    layers = list(dict.fromkeys(one.claim for one in card.grown))
    figure = figure_of(9.6, 1.2 + 2.5 * len(layers))
    panels = figure.subplots(len(layers), 2, sharex=True, sharey=True, squeeze=False)
    for row, layer in zip(panels, layers, strict=True):
        for axes, measure in zip(row, MEASURES, strict=True):
            _curves(axes, [one for one in card.grown if one.claim == layer], measure)
            axes.set_title(f"{layer}: time of a case / {MEASURES[measure]}", fontsize=9)
    panels[0][0].legend(fontsize=7)
    figure.supxlabel("entries of the largest tensor", fontsize=9)
    return figure


def _curves(axes: Any, rows: list[Any], measure: str) -> None:
    for place, law in enumerate(dict.fromkeys(one.law for one in rows)):
        found = [one for one in rows if one.law == law]
        entries = [one.entries for one in found]
        spreads = [getattr(one, measure) for one in found]
        colour = COLOURS[place]
        middle = [one.middle for one in spreads]
        axes.plot(entries, middle, color=colour, marker=MARKS[place], markersize=4, linewidth=1.2, label=law)
        low, high = ([one[end] for one in spreads] for end in (0, 2))
        axes.fill_between(entries, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.axhline(RATIO_GOAL, color=INK, linewidth=0.8, linestyle=":")
    axes.set(xscale="log", yscale="log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(visible=True, color=FAINT, linewidth=0.4)


def _claims(card: Card) -> Any:
    """Draw the fastest wall time over the number of claims, and reach up to the slowest."""
    figure = figure_of(6.4, 3.4)
    axes = figure.subplots()
    for place, jobs in enumerate(dict.fromkeys(one.jobs for one in card.scaled)):
        found = [one for one in card.scaled if one.jobs == jobs]
        low = [min(one.seconds) for one in found]
        reach = [max(one.seconds) - least for one, least in zip(found, low, strict=True)]
        axes.errorbar(
            [one.claims for one in found],
            low,
            yerr=[[0] * len(low), reach],
            color=COLOURS[place],
            marker=MARKS[place],
            markersize=4,
            capsize=2,
            label=f"--jobs {jobs}",
        )
    axes.set(xlabel="claims", ylabel="seconds", ylim=(0, None))
    axes.set_xticks(sorted({one.claims for one in card.scaled}))
    axes.grid(visible=True, color=FAINT, linewidth=0.4)
    axes.legend(fontsize=8)
    return figure


def _found(card: Card) -> Any:
    """Draw a bar for each way: of all mutants, and of those of the function and its derivatives."""
    figure = figure_of(7.2, 2.9)
    axes = figure.subplots()
    groups = {
        "function and derivatives": summary.of_laws(card.tried, FUNCTION_LAWS),
        "all mutants": card.tried,
    }
    for place, (name, trials) in enumerate(groups.items()):
        shares = [100 * summary.share(summary.of_way(trials, way)) for way in EVERY]
        rows = [row + 0.36 * place - 0.18 for row in range(len(EVERY))]
        bars = axes.barh(rows, shares, height=0.34, color=COLOURS[place], label=name)
        axes.bar_label(bars, fmt="%.0f %%", fontsize=8, padding=2)
    axes.set_yticks(range(len(EVERY)), EVERY, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="mutants found, %", xlim=(0, 112))
    figure.legend(fontsize=8, loc="outside upper right", ncols=2)
    return figure


PICTURES: dict[str, Callable[[Card], Any]] = {"found": _found, "growth": _growth, "claims": _claims}
"""Every picture by what it shows."""
