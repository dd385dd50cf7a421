"""Ctrl-C and SIGTERM: what was measured until then is told and written."""

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from properties.benchmarking import run
from properties.benchmarking.clock import HostClock
from properties.benchmarking.measure import measure
from properties.benchmarking.peak import Peak
from properties.cli import main
from tests.benchmarking.forms import HERE, Work

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SWEEP = (f"{HERE}:CopyIsLinear", "--at=features=4", "--sweep=batch=1:4", "--seconds=0.001")


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the signals without effect outside the command, and give them back after."""
    monkeypatch.setattr(run, "clock_of", lambda *_: HostClock("work", Work.seconds))
    monkeypatch.setattr(run, "measured", lambda *_: Peak(1e9, 1e9))
    before = [signal.signal(number, signal.SIG_IGN) for number in SIGNALS]
    yield
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


def interrupting(monkeypatch: pytest.MonkeyPatch, number: int, place: int) -> None:
    """Send a signal in the run's measurement at this place."""
    calls: list[Any] = []

    def interrupted(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == place:
            signal.raise_signal(number)
        return measure(*arguments)

    monkeypatch.setattr(run, "measure", interrupted)


@pytest.mark.parametrize("number", SIGNALS)
def test_what_was_measured_before_a_signal_is_kept(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupting(monkeypatch, number, 2)
    path = tmp_path / "bench.json"
    assert main(["bench", *SWEEP, f"--json={path}"]) == 130
    found = json.loads(path.read_text(encoding="utf-8"))
    assert [one["value"] for one in found["groups"]] == [1]
    assert not found["complete"]
    assert [signal.getsignal(one) for one in SIGNALS] == [signal.SIG_IGN] * 2


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_some_callback_swallows_ends_the_run(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def swallowing(*arguments: Any) -> Any:
        calls.append(arguments)
        with suppress(KeyboardInterrupt):
            signal.raise_signal(number)
        return measure(*arguments)

    monkeypatch.setattr(run, "measure", swallowing)
    assert main(["bench", *SWEEP]) == 130
    assert len(calls) == 1


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_before_the_first_measurement_gives_one_line(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def early(*_: object) -> Peak:
        signal.raise_signal(number)
        return Peak(1e9, 1e9)

    monkeypatch.setattr(run, "measured", early)
    assert main(["bench", *SWEEP]) == 130
    told = capsys.readouterr()
    assert told.err == "interrupted before anything was measured\n"
    assert not told.out
