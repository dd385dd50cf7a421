"""The calibration measures what the product does, and its page shows what was measured."""

from pathlib import Path

import pytest

from properties.oracle.rounding import CONSTANT
from tests.calibration import measured, pairs
from tests.calibration_page import Measured, accepted_at, draw, page, written

FOUND = [
    Measured("right", "Close", "forward", ()),
    Measured("right", "Far", "forward", (5.0, 2.0, 2.5, 2.75)),
    Measured("wrong", "Shown", "forward", ()),
    Measured("wrong", "Shown", "input_gradient", (0.5, 60.0, 50.0, 40.0)),
    Measured("wrong", "Seen", "forward", (1e20, 1e20, 1e20, 1e20)),
    Measured("wrong", "Hidden", "forward", (9.0, 9.0, 9.0, 9.0)),
]
"""After 1, 3, 8 and 32 runs, which accept up to 4, 8, 16 and 16."""


def row(text: str, start: str) -> list[str]:
    found = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_right_pairs_lie_below_the_constant_in_every_setting() -> None:
    found = list(measured("right", "SoftmaxFromLogarithm"))
    assert len({one.setting for one in found}) == 4
    assert 0 < max(one.ratio for one in found) < CONSTANT
    assert all(accepted_at(one) is not None for one in found if one.stages)


@pytest.mark.parametrize("name", ["LinearOff", "UnitOfZeros"])
def test_some_case_shows_a_wrong_pair(name: str) -> None:
    assert max(one.ratio for one in measured("wrong", name)) > CONSTANT


def test_a_slip_in_float32_alone_shows_there_alone() -> None:
    above = {one.setting for one in measured("wrong", "SumInSingle") if one.ratio > CONSTANT}
    assert above == {"forward, float32"}


def test_pairs_that_are_one_function_or_draw_numbers_are_no_wrong_pairs() -> None:
    named = list(pairs())
    assert ("wrong", "SoftmaxInSingle") not in named
    assert ("right", "SoftmaxOfHundreds") in named
    assert list(measured("wrong", "DropsMore")) == []


def test_the_page_shows_what_was_measured() -> None:
    text = page(FOUND, [0])
    assert row(text, "`forward`")[1:] == ["2", "50 %", "2.8", "2.7", "2.8"]
    assert row(text, "cases of right pairs above")[1:4] == ["1", "1", "0"]
    assert row(text, "wrong pairs with no case above")[1:] == ["0"] * 4 + ["1", "1", "2", "2", "2", "2"]
    assert row(text, "Far")[1:] == ["2.8", "Hidden", "9"]
    assert row(text, "Close")[2:] == ["Shown", "40"]


def test_the_page_shows_what_an_early_stage_lets_through() -> None:
    text = page(FOUND, [0])
    assert row(text, "0")[2:] == ["1", "1", ""]
    assert row(text, "1")[2:] == ["0", "1", "1"]
    assert row(text, "3")[2:] == ["1", "0", "0"]
    assert row(text, "8")[2:] == ["0", "1", "0"]


def test_what_no_rounding_explains_is_said_in_words() -> None:
    assert written(1e300) == "no rounding"
    assert written(0.0123) == "0.012"


def test_the_picture_is_the_same_for_the_same_measurements(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first, second, other = (
        draw(found, tmp_path / name).read_bytes()
        for name, found in {"first": FOUND, "second": FOUND, "other": FOUND[:5]}.items()
    )
    assert first == second != other
