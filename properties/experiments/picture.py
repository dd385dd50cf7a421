"""The curves as a picture: accuracy and loss by epoch, the mean over the seeds and its spread."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from properties.experiments.curves import INK, Curve, drift_curves, gradient_curves, validation_curves
from properties.experiments.outcome import Outcome
from properties.report.extras import library
from properties.report.files import write_bytes
from properties.report.numbers import plural

PICTURE = "curves.png"
FAINT = "#d9d9d9"
WIDTH, HEIGHT, DOTS = 3.7, 3.2, 140
"""Inches of a panel, dots an inch."""
COLUMNS = 2
LEFT, NAMES, ABOVE, BELOW = 0.6, 3.3, 1.25, 0.75
"""Inches left of a panel for the numbers, right of it for the names, above and below it."""
WIDE = 3
"""Times the least: beyond this a loss is drawn on a logarithmic axis."""
LABEL_GAP = 0.06
"""Of the height: two names stand no closer."""


def write_picture(outcome: Outcome, folder: Path) -> Path:
    """Draw the curves, and name the file; ReportError without matplotlib or where it cannot be written."""
    write_bytes(drawn(outcome), folder / PICTURE)
    return folder / PICTURE


def drawn(outcome: Outcome) -> bytes:
    """Return the picture as PNG; ReportError where matplotlib is missing."""
    buffer = io.BytesIO()
    figure(outcome).savefig(buffer, format="png")
    return buffer.getvalue()


def figure(outcome: Outcome) -> Any:
    """Return matplotlib's figure of the curves; ReportError where matplotlib is missing."""
    panels = _panels(outcome)
    rows = -(-len(panels) // COLUMNS)
    width = (LEFT + WIDTH + NAMES) * COLUMNS
    height = ABOVE + rows * (HEIGHT + BELOW)
    # No pyplot: a figure of its own leaves the user's figures and settings as they are.
    page = _library("matplotlib.figure").Figure(figsize=(width, height), dpi=DOTS)
    left = LEFT / width
    style = {"x": left / 2, "color": INK, "va": "top"}
    page.text(y=1 - 0.2 / height, s=outcome.experiment.title, fontsize=14, fontweight="bold", **style)
    page.text(y=1 - 0.55 / height, s=outcome.experiment.story, fontsize=10, **style)
    page.text(y=0.3 / height, s=_footing(outcome), fontsize=10, **style)
    place = {"left": left, "right": 1 - NAMES / width, "wspace": (LEFT + NAMES) / WIDTH}
    page.subplots_adjust(**place, bottom=BELOW / height, top=1 - ABOVE / height, hspace=BELOW / HEIGHT)
    for axes, (title, curves) in zip(page.subplots(rows, COLUMNS).flat, panels.items(), strict=True):
        _draw(axes, title, [curve for curve in curves if curve.points])
    return page


def _panels(outcome: Outcome) -> dict[str, list[Curve]]:
    panels = {
        "accuracy on the validation images": list(validation_curves(outcome, "accuracy")),
        "loss on the validation images": list(validation_curves(outcome, "validation_loss")),
    }
    if outcome.experiment.layer:
        layer = outcome.experiment.layer
        panels[f"‖gradient‖ of the {layer} weights, mean over an epoch"] = list(gradient_curves(outcome))
        panels[f"the copies' way from the shared {layer} weight, largest entry"] = list(drift_curves(outcome))
    return panels


def _footing(outcome: Outcome) -> str:
    seeds = outcome.experiment.seeds
    band = f"mean of {plural(seeds, 'seed')}, band from the least to the largest" if seeds > 1 else "one seed"
    rings = [variant.label for variant in outcome.experiment.variants if variant.carried]
    return f"epoch, 0 is before training ({band}; ○ {', '.join(rings)})" if rings else f"epoch ({band})"


def _library(name: str) -> Any:
    return library(name, "a picture", "pictures")


def _draw(axes: Any, title: str, curves: Sequence[Curve]) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(which="both", length=0, labelcolor=INK)
    axes.xaxis.get_major_locator().set_params(integer=True)
    for curve in curves:
        _line(axes, curve)
    means = [mean for curve in curves for mean in curve.means]
    if "loss" in title and max(means) > WIDE * min(means) > 0:
        _logarithmic(axes)
    _name_ends(axes, curves)


def _line(axes: Any, curve: Curve) -> None:
    """Draw the mean with the band of the seeds around it, or rings."""
    epochs = [epoch for epoch, _ in curve.points]
    if curve.rings:
        style = {"markersize": 8, "markerfacecolor": "none", "markeredgecolor": curve.colour}
        axes.plot(epochs, curve.means, "o", zorder=4, **style)
        return
    least, largest = ([choose(values) for _, values in curve.points] for choose in (min, max))
    axes.fill_between(epochs, least, largest, color=curve.colour, alpha=0.15, linewidth=0)
    axes.plot(epochs, curve.means, color=curve.colour, linestyle=curve.dash, linewidth=2.2, zorder=3)


def _logarithmic(axes: Any) -> None:
    ticker = _library("matplotlib.ticker")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def _name_ends(axes: Any, curves: Sequence[Curve]) -> None:
    """Write each name and its last value beside the end of its curve, pushed apart where curves meet."""
    axes.margins(x=0.03)
    # As they will be: limits that are not asked for are found when the picture is drawn.
    axes.set_ylim(axes.get_ylim())
    to_height = axes.transData + axes.transAxes.inverted()
    ends = sorted(curves, key=lambda curve: curve.means[-1])
    heights = [float(to_height.transform((0, curve.means[-1]))[1]) for curve in ends]
    for curve, height, placed in zip(ends, heights, apart(heights), strict=True):
        axes.annotate(
            f"{curve.name}  {curve.means[-1]:.3f}",
            xy=(1, height),
            xytext=(1.06, placed),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            color=curve.colour,
            fontweight="bold",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": curve.colour, "relpos": (0, 0.5), "shrinkB": 0},
        )


def apart(heights: Sequence[float]) -> list[float]:
    """Move sorted heights apart until neighbours have a gap: each crowd up and down from its middle."""
    crowds = [[height] for height in heights]
    while (place := _collision(crowds)) is not None:
        crowds[place : place + 2] = [crowds[place] + crowds[place + 1]]
    return [height for crowd in crowds for height in _spread_out(crowd)]


def _collision(crowds: Sequence[Sequence[float]]) -> int | None:
    """Return the first of two neighbouring crowds that stand too close."""
    edges = [_spread_out(crowd) for crowd in crowds]
    # A hair less than the gap: rounding is no collision.
    close = (
        place for place, (one, other) in enumerate(pairwise(edges)) if other[0] - one[-1] < 0.99 * LABEL_GAP
    )
    return next(close, None)


def _spread_out(crowd: Sequence[float]) -> list[float]:
    lowest = fmean(crowd) - LABEL_GAP * (len(crowd) - 1) / 2
    return [lowest + LABEL_GAP * place for place in range(len(crowd))]
