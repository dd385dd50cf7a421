"""The picture is drawn from the run, its names do not run into each other, and it is an extra."""

from __future__ import annotations

import io
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.cli import main
from properties.experiments.curves import validation_curves
from properties.experiments.picture import LABEL_GAP, apart, drawn, figure
from properties.report.files import ReportError
from tests.experiments.conftest import SHORT
from tests.experiments.test_training import outcome_of

Captured = pytest.CaptureFixture[str]


def test_a_curve_is_the_mean_over_the_seeds_and_carried_weights_are_rings() -> None:
    outcome = outcome_of({"flatten + Linear": [0.5, 0.6, 0.7], "TwoDFC v1": [0.1, 0.1, 0.4]})
    curves = list(validation_curves(outcome, "accuracy"))
    assert [curve.rings for curve in curves] == [False, True, False, False, False]
    assert len({curve.colour for curve in curves}) == len(curves)
    means = {curve.name: curve.means[-1] for curve in curves}
    assert means["TwoDFC v1"] == pytest.approx(0.2)
    assert means["○ TwoDFC v3, Linear's weights"] == pytest.approx(0.6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6).map(sorted))
def test_names_stand_apart_in_the_order_of_their_curves(heights: list[float]) -> None:
    placed = apart(heights)
    assert all(other - one >= 0.98 * LABEL_GAP for one, other in pairwise(placed))
    assert sum(placed) == pytest.approx(sum(heights))


def test_the_picture_is_a_png_of_two_panels() -> None:
    pytest.importorskip("matplotlib", reason="the extra pictures is not installed")
    picture = drawn(outcome_of({"flatten + Linear": [0.5, 0.6, 0.7]}))
    assert picture.startswith(b"\x89PNG\r\n")
    width, height = (int.from_bytes(picture[place : place + 4], "big") for place in (16, 20))
    assert width > 2 * height


def test_every_name_points_to_the_end_of_its_curve() -> None:
    pytest.importorskip("matplotlib", reason="the extra pictures is not installed")
    outcome = outcome_of({"flatten + Linear": [0.5, 0.6, 0.7], "TwoDFC v2": [0.02, 0.01, 0.03]})
    page = figure(outcome)
    page.savefig(io.BytesIO(), format="png")
    means = {
        f"{one.name}  {one.means[-1]:.3f}": one.means[-1] for one in validation_curves(outcome, "accuracy")
    }
    axes = page.axes[0]
    to_height = axes.transData + axes.transAxes.inverted()
    pointed = {one.get_text(): one.xy[1] for one in axes.texts}
    assert pointed == {name: pytest.approx(to_height.transform((0, mean))[1]) for name, mean in means.items()}


def test_without_matplotlib_a_run_ends_well_and_says_what_is_missing(
    short_run: Path, digits: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    for module in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ReportError, match="needs matplotlib"):
        drawn(outcome_of({"flatten + Linear": [0.5, 0.6, 0.7]}))
    words = ["train", *SHORT, "--output", str(short_run), "--data", str(digits), "--jobs", "1", "--resume"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "no picture: a picture needs matplotlib, which is not installed; pip install" in out
    assert "results.json" in out
