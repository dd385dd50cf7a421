"""Whatever ends a run, the epochs that are done stay, and it goes on from them to the same numbers."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from properties.cli import main
from properties.experiments.images import SAMPLE
from properties.experiments.member import Member
from tests.experiments.conftest import AT, OUTPUT, SHORT, Train

Captured = pytest.CaptureFixture[str]
STOPPING = ["mnist", "--forms", "forms.py:StoppingIsLinear", *AT, "--epochs", "8", *OUTPUT]


def results(folder: str = "out") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(folder, "results.json").read_text(encoding="utf-8"))
    return found


def arrays(folder: str = "out") -> dict[str, np.ndarray]:
    """Give every kept tensor of a run by its file and name."""
    found: dict[str, np.ndarray] = {}
    for path in sorted(Path(folder, "epochs").glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            found |= {f"{path.name} {name}": file[name] for name in file.files}
    return found


def assert_the_same(ended: dict[str, np.ndarray], uninterrupted: dict[str, np.ndarray]) -> None:
    assert ended.keys() == uninterrupted.keys()
    assert all(ended[name].tobytes() == uninterrupted[name].tobytes() for name in ended)


def test_killed_in_epoch_6_a_run_resumes_and_ends_with_the_same_bits(
    train: Train, digits: Path, tmp_path: Path
) -> None:
    words = ["train", *STOPPING, "--data", str(digits), "--jobs", "1"]
    (tmp_path / "stop").write_text(str(int(signal.SIGKILL)))
    killed = subprocess.run(  # noqa: S603  (our own command)
        [sys.executable, "-m", "properties", *words], cwd=tmp_path, capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    kept = json.loads(arrays()["candidate-carried-weights-seed-0.npz text"].tobytes())
    assert [one["measures"][0]["epoch"] for one in kept["history"]] == [0, 1, 2, 3, 4, 5]
    (tmp_path / "stop").unlink()
    assert main([*words, "--resume"]) == 0
    resumed, ended = results(), arrays()
    assert train(*STOPPING) == 0
    assert resumed == results()
    assert_the_same(ended, arrays())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_a_run_keeps_its_epochs_and_says_how_to_go_on(
    number: signal.Signals, train: Train, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "stop").write_text(str(int(number)))
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    assert train(*STOPPING) == 130
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert (
        capsys.readouterr().err
        == "interrupted: 6 of 18 epochs are kept in out; the same command with --resume goes on from there\n"
    )
    stopped = results()
    assert (stopped["complete"], max(one["epoch"] for one in stopped["measures"])) == (False, 5)
    (tmp_path / "stop").unlink()
    assert train(*STOPPING, "--resume") == 0
    assert results()["measures"][:6] == stopped["measures"][:6]


def test_a_run_in_two_processes_gives_the_numbers_of_one(train: Train, short_run: Path) -> None:
    assert train(*SHORT, jobs=2) == 0
    assert results() == results(str(short_run))
    assert_the_same(arrays(), arrays(str(short_run)))


def test_a_resumed_run_may_go_further(train: Train, short_run: Path) -> None:
    assert train("fashion-mnist", "--epochs", "1", *OUTPUT) == 0
    assert train(*SHORT, "--resume") == 0
    assert results() == results(str(short_run))
    assert_the_same(arrays(), arrays(str(short_run)))


def test_a_finished_run_trains_nothing_when_resumed_and_all_when_not(
    train: Train, short_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(short_run, "out")
    steps: list[int] = []
    step = Member.step

    def counted(*arguments: Any) -> float:
        steps.append(1)
        return step(*arguments)

    monkeypatch.setattr(Member, "step", counted)
    assert train(*SHORT, "--resume") == 0
    assert (len(steps), results()) == (0, results(str(short_run)))
    assert train(*SHORT) == 0
    # Three forms, two epochs, two batches.
    assert len(steps) == 3 * 2 * 2


@pytest.mark.usefixtures("train")
def test_a_mistake_costs_no_epoch(short_run: Path) -> None:
    shutil.copytree(short_run, "out")
    assert main(["train", *SHORT, "--data", "nowhere"]) == 2
    assert_the_same(arrays(), arrays(str(short_run)))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-400])


def no_archive(path: Path) -> None:
    path.write_bytes(b"epochs")


def pickled(path: Path) -> None:
    """Put an object in, whose unpickling would leave a trace."""
    path.write_bytes(saved({"text": np.array([Trace()], dtype=object)}))


def without_a_tensor(path: Path) -> None:
    with np.load(path, allow_pickle=False) as file:
        path.write_bytes(saved({name: file[name] for name in file.files if name != "0/first.weight"}))


def of_another_shape(path: Path) -> None:
    with np.load(path, allow_pickle=False) as file:
        path.write_bytes(saved({**file, "0/first.weight": np.zeros((3, 5), np.float32)}))


def saved(content: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **content)
    return buffer.getvalue()


class Trace:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (Path("unpickled"),)


@pytest.mark.parametrize("spoil", [truncated, no_archive, pickled, without_a_tensor, of_another_shape])
def test_a_kept_file_that_is_none_gets_one_line_and_nothing_in_it_runs(
    spoil: Callable[[Path], None], train: Train, short_run: Path, capsys: Captured
) -> None:
    shutil.copytree(short_run, "out")
    spoil(Path("out", "epochs", "unrolled-copy-seed-0.npz"))
    assert train(*SHORT, "--resume") == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "unrolled-copy-seed-0.npz: keeps the epochs of a run, but cannot be read" in err
    assert "leave out --resume to train anew" in err
    assert not Path("unpickled").exists()


def test_the_epochs_of_another_run_are_not_gone_on_from(
    train: Train, short_run: Path, capsys: Captured
) -> None:
    shutil.copytree(short_run, "out")
    assert main(["train", *SHORT, "--resume", "--jobs", "1", "--data", str(SAMPLE)]) == 2
    said = "a run is resumed with the same images, but this one had other images; ask for that"
    assert said in capsys.readouterr().err
    shutil.copy("out/epochs/untied-mlp-seed-0.npz", "out/epochs/unrolled-copy-seed-0.npz")
    assert train(*SHORT, "--resume") == 2
    assert "a run is resumed with the same forms" in capsys.readouterr().err


def test_what_the_user_has_set_stays_as_it_was(train: Train) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    settings = torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()
    with torch.no_grad():
        assert train(*SHORT) == 0
    assert torch.equal(torch.get_rng_state(), before)
    assert (torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()) == settings
