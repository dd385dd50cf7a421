"""The one live line: written over, and only where someone is watching."""

import sys
import time

import pytest

from properties.report.live import WIDTH, LiveLine

Captured = pytest.CaptureFixture[str]


def watched(monkeypatch: pytest.MonkeyPatch) -> LiveLine:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    return LiveLine()


def test_nothing_is_written_where_nobody_is_watching(capsys: Captured) -> None:
    LiveLine().count(1, 2, "n-d-linear")
    assert capsys.readouterr().err == ""


def test_a_line_wipes_the_one_before_and_stays_on_its_line(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = watched(monkeypatch)
    line.count(0, 2, "n-d-linear", " claims")
    line.write("a" * 200)
    line.count(2, 2, "")
    first, long, last = capsys.readouterr().err.removeprefix("\r").removesuffix("\r").split("\r\r")
    assert first.split() == ["0", "of", "2", "claims", "n-d-linear"]
    assert long == "a" * WIDTH
    assert last == " " * WIDTH


def test_the_time_left_is_that_of_what_is_done(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    line = watched(monkeypatch)
    monkeypatch.setattr(time, "monotonic", lambda: line.started + 30)
    assert line.seconds_left(3, 9) == pytest.approx(60)
    line.count(3, 9, "local")
    assert "3 of 9   60 s left  local" in capsys.readouterr().err
