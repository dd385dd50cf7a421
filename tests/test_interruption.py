"""Whatever ends a run, what it had found is on disk, whole, and can be seen again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PATIENCE = 90.0
CLAIMS = '''
import time
from pathlib import Path

from torch import nn

from equivalence import Dim, Equivalence, Real
from properties import suite


class Negated(nn.Linear):
    def forward(self, x):
        return -super().forward(x)


class Waiting(nn.Linear):
    calls = 0

    def forward(self, x):
        # Not yet while the claims are read: both run once to be held against what they declare.
        Waiting.calls += 1
        if Waiting.calls > 10:
            Path("waiting").touch()
            time.sleep(600)
        return super().forward(x)


class NegatedIsLinear(Equivalence):
    """A sign too many."""

    features: Dim
    x = Real("*batch features")

    def reference(self):
        return nn.Linear(self.features, 2)

    def candidate(self):
        return Negated(self.features, 2)


class WaitingIsLinear(NegatedIsLinear):
    """A form that never answers."""

    def candidate(self):
        return Waiting(self.features, 2)


TestNegated = suite(NegatedIsLinear, laws=["forward"])
TestWaiting = suite(WaitingIsLinear, laws=["forward"])
'''
SWALLOWING = """
import signal

from properties.commands.interruption import interruptible


class Raising:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


with interruptible() as check:
    Raising()
    print("went on")
    check()
"""
VERIFY = [sys.executable, "-m", "properties", "verify", "--law", "forward", "--seed", "0"]
BOTH = ["test_claims.py:NegatedIsLinear", "test_claims.py:WaitingIsLinear"]
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "test_claims.py"]
RUNS = {
    "verify": [*VERIFY, *BOTH, "--jobs", "1"],
    "verify with two processes": [*VERIFY, *BOTH, "--jobs", "2"],
    "pytest": PYTEST,
    "pytest with two workers": [*PYTEST, "-n", "2"],
}


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[list[str]], subprocess.Popen[str]]]:
    """Start a run in a folder of its own, as a group of processes that can be killed at once."""
    running: list[subprocess.Popen[str]] = []
    (tmp_path / "test_claims.py").write_text(CLAIMS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def start(command: list[str]) -> subprocess.Popen[str]:
        run = subprocess.Popen(  # noqa: S603  (our own command)
            command,
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        running.append(run)
        return run

    yield start
    for run in running:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()


def failures(folder: Path) -> list[Path]:
    return sorted((folder / ".equivalence" / "failures").glob("*.json"))


def wait_for_a_failure(folder: Path) -> None:
    wait_until(lambda: bool(failures(folder)), "nothing was found")


def wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


@pytest.mark.parametrize("name", RUNS)
def test_killed_in_the_middle_a_run_keeps_what_it_found(
    name: str, started: Callable[[list[str]], subprocess.Popen[str]], tmp_path: Path
) -> None:
    run = started(RUNS[name])
    wait_for_a_failure(tmp_path)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate(timeout=PATIENCE)
    (kept,) = failures(tmp_path)
    assert json.loads(kept.read_text())["law"] == "forward"
    replayed = started(
        [sys.executable, "-m", "properties", "replay", str(kept), "--claim", "test_claims.py:NegatedIsLinear"]
    )
    out, err = replayed.communicate(timeout=PATIENCE)
    assert (replayed.returncode, err) == (1, "")
    assert out.startswith("FAILS")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_a_run_reports_what_it_found_and_says_where(
    number: signal.Signals, started: Callable[[list[str]], subprocess.Popen[str]], tmp_path: Path
) -> None:
    run = started([*RUNS["verify"], "--json", "report.json"])
    wait_until((tmp_path / "waiting").exists, "the second claim was never begun")
    run.send_signal(number)
    out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert "NegatedIsLinear is refuted by forward" in out
    assert "interrupted: 1 claim not checked, test_claims.py:WaitingIsLinear the first" in err
    assert ".equivalence/failures" in err
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["complete"], len(report["cells"])) == (False, 1)


def test_interrupted_what_another_process_had_finished_is_kept(
    started: Callable[[list[str]], subprocess.Popen[str]], tmp_path: Path
) -> None:
    waiting, negated = BOTH[1], BOTH[0]
    run = started([*VERIFY, waiting, negated, "--jobs", "2", "--json", "report.json"])
    wait_until((tmp_path / "waiting").exists, "the first claim was never begun")
    assert run.stderr is not None
    # News of the claim comes with its last cell.
    assert any("NegatedIsLinear is refuted by forward" in line for line in run.stderr)
    time.sleep(1)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert "NegatedIsLinear is refuted by forward" in out
    assert "interrupted: 1 claim not checked, test_claims.py:WaitingIsLinear the first" in err
    (cell,) = json.loads((tmp_path / "report.json").read_text())["cells"]
    assert cell["status"] == "refuted"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupted_no_process_is_left_behind(
    jobs: str, started: Callable[[list[str]], subprocess.Popen[str]], tmp_path: Path
) -> None:
    run = started([*VERIFY, *BOTH, "--jobs", jobs])
    wait_until((tmp_path / "waiting").exists, "the second claim was never begun")
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=PATIENCE)
    wait_until(lambda: not has_processes(run.pid), "a process was left behind")


def has_processes(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_interruption_that_a_callback_swallows_is_raised_by_the_check(
    started: Callable[[list[str]], subprocess.Popen[str]],
) -> None:
    # A signal where Python can only print the exception: while an object is collected.
    out, err = started([sys.executable, "-c", SWALLOWING]).communicate(timeout=PATIENCE)
    assert out == "went on\n"
    assert "Exception ignored" in err
    assert err.endswith("KeyboardInterrupt\n")
