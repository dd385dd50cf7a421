"""Ctrl-C gets one line, whenever it comes."""

from __future__ import annotations

import signal
from multiprocessing.context import SpawnProcess

import pytest

from properties.cli import main
from properties.commands import training
from properties.experiments import images
from tests.experiments.conftest import SHORT, Train

Captured = pytest.CaptureFixture[str]


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs POSIX")
def test_processes_start_with_ctrl_c_held_back_and_an_interruption_there_says_what_is_done(
    train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    held: list[bool] = []

    def started(_: SpawnProcess) -> None:
        held.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        raise KeyboardInterrupt

    monkeypatch.setattr(SpawnProcess, "start", started)
    assert train(*SHORT, jobs=2) == 130
    assert held == [True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert capsys.readouterr().err == "interrupted: 0 of 6 epochs are done\n"


def test_interrupted_while_the_picture_is_drawn_a_run_says_so_in_one_line(
    train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(training, "write_picture", interrupted)
    assert train(*SHORT) == 130
    assert capsys.readouterr().err == "equivalence: interrupted\n"


def test_interrupted_in_the_fetch_a_run_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(images, "_fetched", interrupted)
    assert main(["train", "mnist"]) == 130
    assert capsys.readouterr() == ("", "equivalence: interrupted\n")
