"""What cannot be measured costs a user one line, and no time: sizes, options, devices, paths."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from properties.benchmarking import run
from properties.benchmarking.clock import HostClock
from properties.benchmarking.measure import measure
from properties.benchmarking.memory import NO_ROOM
from properties.benchmarking.peak import SECONDS, measured
from properties.benchmarking.table import above
from properties.cases.setting import Setting
from tests.benchmarking.command import bench
from tests.benchmarking.forms import HERE
from tests.benchmarking.synthetic import benchmark, group

Captured = pytest.CaptureFixture[str]
COPY, SHIFTED = f"{HERE}:CopyIsLinear", f"{HERE}:ShiftedIsLinear"
AT = "--at=features=4,batch=3"
ENDLESS = 10**26
pytestmark = pytest.mark.usefixtures("without_noise")


@pytest.fixture
def nothing_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(*_: Any) -> None:
        pytest.fail("something was timed before the mistake was told")

    monkeypatch.setattr(run, "measure", timed)
    monkeypatch.setattr(run, "measured", timed)


@pytest.mark.usefixtures("nothing_timed")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([COPY, "--at=every=x"], "--at every=x: is no size"),
        ([COPY, "--at=every=-3"], "--at every=-3: is no size"),
        ([COPY, f"--at=every={ENDLESS}"], "is no size"),
        ([COPY, f"--at=batch={ENDLESS}"], "is no size"),
        ([COPY, f"--at=features={ENDLESS}"], "is no size"),
        ([COPY, f"--sweep=batch={ENDLESS}:{ENDLESS}"], "--sweep takes one range"),
        (["masked-where", "--at=mask=500%"], "0% and 100%, in whole numbers, but got 500%"),
        (["masked-where", "--at=out_features=1000000000000"], "the mask is too large"),
        ([COPY, AT, "--threads=100000"], "--threads 100000 is more than"),
        ([COPY, AT, "--device=meta"], "--device meta cannot be used here"),
        ([COPY, AT, "--device=cpu:0"], "--device cpu:0 cannot be used here"),
        (["two-d-fc", "--sweep=batch=1:4", "--at=batch=8"], "--at and --sweep both give batch"),
        (["two-d-fc", "--sweep=own", "--at=batch=8"], "--at and --sweep both give batch"),
        (["two-d-fc", "--sweep=batch=1:4,height=7", "--at=height=8"], "--at and --sweep both give height"),
        (["two-d-fc", "--sweep=own", "--size=small"], "--size is a set of published sizes"),
        (["two-d-fc", "--at=batch=8", "--size=small"], "--size is a set of published sizes"),
    ],
)
def test_a_mistake_gives_one_line_and_2_before_anything_is_timed(
    arguments: list[str], words: str, capsys: Captured
) -> None:
    assert bench(*arguments) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert len(told.err.splitlines()) == 1
    assert not told.out


@pytest.mark.parametrize("bound", ["nan", "-1", "0", "inf", "fast"])
def test_a_bound_that_is_none_is_refused(bound: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit, match="2"):
        bench(COPY, AT, f"--fail-above={bound}")
    assert f"takes a finite number above 0, but got {bound}" in capsys.readouterr().err


def test_the_reference_is_never_above_a_bound() -> None:
    found = benchmark([group({"reference": 1.0, "quick": 0.5})])
    assert above(found, 0.6) == []
    assert [line.split()[0] for line in above(found, 0.4)] == ["quick"]


@pytest.mark.parametrize(
    "at", [f"features={10**12},batch=3", f"features=4,batch={10**12}", f"features=4,batch={2**62}"]
)
def test_sizes_that_no_memory_holds_are_refused_in_one_line(at: str, capsys: Captured) -> None:
    assert bench(COPY, f"--at={at}") == 2
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "not timed" in line]
    assert line == f"{COPY} at as given is not timed: {NO_ROOM}"


def test_other_sizes_are_timed_beside_those_that_no_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(family: str, cases: Any, point: Any, how: Any) -> Any:
        if point.value == 2:
            raise MemoryError
        return measure(family, cases, point, how)

    monkeypatch.setattr(run, "measure", short)
    path = tmp_path / "bench.json"
    assert bench(COPY, "--at=features=4", "--sweep=batch=1:4", f"--json={path}") == 2
    found = json.loads(path.read_text(encoding="utf-8"))
    assert [one["value"] for one in found["groups"]] == [1, 4]


def test_forms_that_differ_weigh_more_than_sizes_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(family: str, cases: Any, point: Any, how: Any) -> Any:
        if COPY in cases:
            raise MemoryError
        return measure(family, cases, point, how)

    monkeypatch.setattr(run, "measure", short)
    assert bench(COPY, SHIFTED, AT) == 1


def test_another_error_of_the_suite_is_no_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        message = "a fault of its own"
        raise RuntimeError(message)

    monkeypatch.setattr(run, "measure", broken)
    with pytest.raises(RuntimeError, match="a fault of its own"):
        bench(COPY, AT)


@pytest.mark.usefixtures("nothing_timed")
@pytest.mark.parametrize("option", ["--json", "--picture"])
@pytest.mark.parametrize("place", ["file/below/bench.svg", "folder.svg", "n" * 300 + ".svg"])
def test_a_path_that_cannot_be_written_is_told_before_anything_is_timed(
    option: str, place: str, tmp_path: Path, capsys: Captured
) -> None:
    if option == "--picture":
        pytest.importorskip("matplotlib")
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.svg").mkdir()
    assert bench(COPY, AT, f"{option}={tmp_path / place}") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.svg"]


def test_a_path_in_a_folder_that_is_not_there_yet_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "new" / "newer" / "bench.json"
    assert bench(COPY, AT, f"--json={path}") == 0
    assert [one.name for one in path.parent.iterdir()] == ["bench.json"]


@pytest.mark.parametrize(("lost", "kept"), [("json", "picture"), ("picture", "json")])
def test_where_one_file_fails_the_other_is_written(
    lost: str, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    pytest.importorskip("matplotlib")
    paths = {"json": tmp_path / "bench.json", "picture": tmp_path / "bench.svg"}

    def removing(*arguments: Any) -> Any:
        paths[lost].mkdir()
        return measure(*arguments)

    monkeypatch.setattr(run, "measure", removing)
    assert bench(COPY, AT, *(f"--{name}={path}" for name, path in paths.items())) == 2
    assert paths[kept].is_file()
    told = capsys.readouterr()
    assert len(told.err.splitlines()) == 1
    assert f"written to {paths[kept]}" in told.out


def test_as_many_threads_as_four_times_the_processors_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    before = torch.get_num_threads()
    assert bench(COPY, AT, "--threads=4") == 0
    assert bench(COPY, AT, "--threads=5") == 2
    assert torch.get_num_threads() == before


def test_the_trials_of_the_peak_are_summed_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(float):
        additions = 0

        def __add__(self, other: float) -> "Counted":
            Counted.additions += 1
            return Counted(float(self) + float(other))

        __radd__ = __add__

    trials: list[Counted] = []

    def seconds(_step: object, _repetitions: int) -> float:
        trials.append(Counted(SECONDS / 50))
        return trials[-1]

    clock = HostClock("planned", lambda: 0.0)
    monkeypatch.setattr(clock, "seconds", seconds)
    measured(Setting(torch.float32), clock)
    assert Counted.additions <= 2 * len(trials)
