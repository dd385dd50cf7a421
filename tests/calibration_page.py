"""Ratios of right and wrong pairs -> docs/calibration.md and its picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from properties.benchmarking.picture import COLOURS, FAINT, INK, check_picture
from properties.oracle.rounding import CONSTANT, STAGES
from properties.report.files import write_whole
from tests import calibration_words as words
from tests.report_card.pictures import figure_of, svg

PICTURE = "calibration.svg"
CONSTANTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024)
RUNS, LIMITS = tuple(STAGES), tuple(STAGES.values())
LEAST, MOST = 1e-3, 1e12
"""What lies beyond is drawn at the ends of the picture."""
BINS = 61
NAMED = 6
"""So many pairs are named at either end."""


@dataclass(frozen=True)
class Measured:
    """One case of a pair in one setting: |reference - candidate| over the noise after each stage's runs."""

    side: str
    pair: str
    setting: str
    stages: tuple[float, ...]
    """One largest ratio for each of STAGES; none where the forms lie within a few units in the last place."""

    @property
    def ratio(self) -> float:
        """The largest ratio after all runs; 0 where none was needed."""
        return self.stages[-1] if self.stages else 0.0


Found = Sequence[Measured]


def page(found: Found, seeds: Sequence[int]) -> str:
    """Give the whole page."""
    right, wrong = (of_side(found, side) for side in ("right", "wrong"))
    figures = {
        "constant": f"{CONSTANT:g}",
        "right_pairs": len(best(right)),
        "wrong_pairs": len(best(wrong)),
        "right_cases": f"{len(right):,}",
        "wrong_cases": f"{len(wrong):,}",
        "seeds": ", ".join(map(str, seeds)),
        "runs": max(RUNS),
        "largest": written(max(one.ratio for one in right)),
        "room": f"{CONSTANT / max(one.ratio for one in right):.1f}",
        "least": written(min(best(wrong).values())),
        "picture": PICTURE,
    }
    return "\n".join(
        [
            *words.MODEL.splitlines(),
            *words.STAGES.splitlines(),
            "",
            *stages(right, wrong),
            *words.MEASURED.format(**figures).splitlines(),
            "",
            *of_right(right),
            "",
            *words.OF_WRONG.format(**figures).splitlines(),
            "",
            *of_wrong(wrong),
            "",
            *words.ENDS.format(**figures).splitlines(),
            "",
            *ends(right, wrong),
            "",
            *words.CONSTANT.format(**figures).splitlines(),
            "",
            *constants(right, wrong),
            *words.LIMITS.splitlines(),
            "",
        ]
    )


def of_side(found: Found, side: str) -> list[Measured]:
    """Give what was measured of right pairs, or of wrong ones."""
    return [one for one in found if one.side == side]


def best(found: Found) -> dict[str, float]:
    """Give the largest ratio of every pair: for a wrong one, that of the case which shows it best."""
    largest: dict[str, float] = {}
    for one in found:
        largest[one.pair] = max(one.ratio, largest.get(one.pair, 0.0))
    return largest


def settings_of(found: Found) -> list[str]:
    """Name the settings, in the order in which they were measured."""
    return list(dict.fromkeys(one.setting for one in found))


def by_setting(found: Found) -> Iterator[tuple[str, Found]]:
    """Give what was measured by setting, and all together."""
    for setting in settings_of(found):
        yield f"`{setting}`", [one for one in found if one.setting == setting]
    yield "**all**", found


def of_right(found: Found) -> Iterator[str]:
    """Give the distribution of right pairs."""
    yield "| | cases | within a few units | median | 99 % below | largest |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, some in by_setting(found):
        ratios = [one.ratio for one in some]
        beyond = [one for one in ratios if one]
        middle, high = (
            written(float(np.quantile(given, at))) for given, at in ((beyond, 0.5), (ratios, 0.99))
        )
        zero = share(len(ratios) - len(beyond), len(ratios))
        yield f"| {name} | {len(ratios):,} | {zero} | {middle} | {high} | {written(max(ratios))} |"


def of_wrong(found: Found) -> Iterator[str]:
    """Give the distribution of wrong pairs, by case and by the case that shows a pair best."""
    yield "| | cases | within a few units | above the constant | median of the rest | pairs shown |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, some in by_setting(found):
        ratios = [one.ratio for one in some]
        beyond = [one for one in ratios if one]
        zero, above = (
            share(count, len(ratios))
            for count in (len(ratios) - len(beyond), sum(one > CONSTANT for one in ratios))
        )
        shown = list(best(some).values())
        counted = f"{sum(one > CONSTANT for one in shown)} of {len(shown)}"
        middle = written(float(np.median(beyond)))
        yield f"| {name} | {len(ratios):,} | {zero} | {above} | {middle} | {counted} |"


def ends(right: Found, wrong: Found) -> Iterator[str]:
    """Name the right pairs with the largest ratios, and the wrong ones with the smallest of their best."""
    yield "| right pairs, the largest | | wrong pairs, the smallest of the best cases | |"
    yield "|---|--:|---|--:|"
    highest = sorted(best(right).items(), key=lambda one: -one[1])[:NAMED]
    lowest = sorted(best(wrong).items(), key=lambda one: one[1])[:NAMED]
    for (name, ratio), (other, least) in zip(highest, lowest, strict=False):
        yield f"| {name} | {written(ratio)} | {other} | {written(least)} |"


def constants(right: Found, wrong: Found) -> Iterator[str]:
    """Give the false alarms and the misses that other constants would make."""
    yield f"| constant | {' | '.join(map(str, CONSTANTS))} |"
    yield "|---|" + "--:|" * len(CONSTANTS)
    alarms = [sum(one.ratio > constant for one in right) for constant in CONSTANTS]
    missed = [sum(ratio <= constant for ratio in best(wrong).values()) for constant in CONSTANTS]
    yield f"| cases of right pairs above | {' | '.join(map(str, alarms))} |"
    yield f"| wrong pairs with no case above | {' | '.join(map(str, missed))} |"


def stages(right: Found, wrong: Found) -> Iterator[str]:
    """Give what is taken for rounding after each stage, and what more runs would have refuted."""
    yield "| runs | constant | right cases accepted | wrong cases accepted | which all runs would refute |"
    yield "|--:|--:|--:|--:|--:|"
    yield f"| 0 | a few units | {_close(right)} | {_close(wrong)} | |"
    for place, runs in enumerate(RUNS):
        accepted = [[one for one in side if accepted_at(one) == place] for side in (right, wrong)]
        late = sum(one.ratio > CONSTANT for one in accepted[1])
        yield f"| {runs} | {LIMITS[place]:g} | {len(accepted[0]):,} | {len(accepted[1]):,} | {late} |"


def accepted_at(one: Measured) -> int | None:
    """Give the stage at which a difference is taken for rounding; None where it never is, or need not be."""
    within = [place for place, ratio in enumerate(one.stages) if ratio <= LIMITS[place]]
    return within[0] if within else None


def _close(found: Found) -> str:
    return f"{sum(not one.stages for one in found):,}"


def share(part: int, whole: int) -> str:
    """Write a share in whole per cent."""
    return f"{part / whole:.0%}".replace("%", " %")


def written(ratio: float) -> str:
    """Write a ratio in two digits, and what no rounding explains in words."""
    return "no rounding" if ratio > MOST else f"{ratio:.2g}"


def draw(found: Found, folder: Path) -> Path:
    """Write the picture; ReportError where matplotlib is missing."""
    path = folder / PICTURE
    check_picture(path)
    write_whole(svg(_histograms(found)), path)
    return path


def _histograms(found: Found) -> Any:
    """Draw the ratios of right cases above those of wrong ones, on one axis."""
    figure = figure_of(8.0, 4.6)
    upper, lower = figure.subplots(2, 1, sharex=True)
    right, wrong = (of_side(found, side) for side in ("right", "wrong"))
    _bars(upper, [one.ratio for one in right if one.ratio], COLOURS[0], "cases of right pairs")
    _bars(lower, [one.ratio for one in wrong if one.ratio], COLOURS[4], "cases of wrong pairs")
    _bars(lower, list(best(wrong).values()), COLOURS[1], "of which the best case of each pair")
    for axes in (upper, lower):
        axes.axvline(CONSTANT, color=INK, linewidth=1.0, linestyle=":", label=f"the constant, {CONSTANT:g}")
        axes.set(xscale="log", xlim=(LEAST, MOST), ylabel="cases")
        axes.grid(visible=True, color=FAINT, linewidth=0.4)
        axes.legend(fontsize=8, loc="upper center")
    lower.set_xlabel("|reference - candidate| / noise; beyond the ends at the ends", fontsize=9)
    return figure


def _bars(axes: Any, ratios: Sequence[float], colour: str, label: str) -> None:
    edges = np.geomspace(LEAST, MOST, BINS)
    axes.hist(np.clip(ratios, LEAST, MOST), edges, color=colour, label=label)
