"""`equivalence bench` as a user meets it: exit codes, the table, the files, one clear line for a mistake."""

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch

from properties.benchmarking import run
from properties.benchmarking.document import Benchmark, FormRecord, GroupRecord, RefusalRecord
from properties.benchmarking.measure import measure
from properties.benchmarking.picture import draw
from properties.benchmarking.table import above, lines
from properties.benchmarking.words import WIDTH
from properties.report.files import ReportError
from tests.benchmarking.command import bench
from tests.benchmarking.forms import HERE
from tests.benchmarking.synthetic import benchmark, group

Captured = pytest.CaptureFixture[str]
TRIPLE, COPY, SHIFTED = (f"{HERE}:{name}IsLinear" for name in ("Triple", "Copy", "Shifted"))
AT = "--at=features=4,batch=3"
pytestmark = pytest.mark.usefixtures("without_noise")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([COPY, AT], 0),
        ([TRIPLE, AT], 0),
        ([TRIPLE, AT, "--fail-above=2.9"], 1),
        ([TRIPLE, AT, "--fail-above=3.1"], 0),
        ([COPY, AT, "--fail-above=1"], 0),
        ([SHIFTED, AT], 1),
        ([f"{HERE}:DeclaredShiftedIsLinear", AT], 1),
    ],
)
def test_the_exit_code_says_whether_all_is_equal_and_fast(arguments: list[str], code: int) -> None:
    assert bench(*arguments) == code


def test_a_form_that_is_too_slow_is_named(capsys: Captured) -> None:
    bench(TRIPLE, AT, "--fail-above=2")
    assert "3.00 [3.00, 3.00] lies wholly above 2" in capsys.readouterr().err


def test_the_bound_is_of_the_whole_interval() -> None:
    found = benchmark([group({"reference": 1.0, "slow": 1.2})])
    assert above(found, 1.1)
    assert not above(found, 1.15), "the interval reaches from 1.14 on"


def test_a_refusal_names_the_law_and_what_differs(capsys: Captured) -> None:
    bench(SHIFTED, AT)
    assert "not timed: refuted by forward: output[0, 0]: candidate" in capsys.readouterr().out


def test_of_a_whole_catalogue_declared_differences_are_left_out_with_their_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    catalogue = {f"{HERE}:DeclaredShiftedIsLinear": None, COPY: None}
    monkeypatch.setattr("properties.commands.benchmarking.CATALOGUE", catalogue)
    assert bench("--size=small") == 0
    assert "is not timed: declared: 1 is added" in capsys.readouterr().out


def test_the_table_has_every_form_its_ratio_and_its_cost(capsys: Captured) -> None:
    bench(TRIPLE, AT, "--backward")
    told = capsys.readouterr().out
    assert told.count("3.00 [3.00, 3.00]") == 2
    assert "forward + backward, " in told
    assert "* reference" in told


def test_the_table_is_at_most_110_columns_wide() -> None:
    seconds = {"reference": 1e-3, "a-name-that-is-longer-than-every-other": 2.34e-2, "quick": 1.2e-6}
    refusal = RefusalRecord("quick", "small", "refuted", declared=False)
    found = benchmark([group(seconds), *(group(seconds, value) for value in (1, 2048))], [refusal])
    written = list(lines(found))
    assert max(map(len, written)) <= WIDTH
    assert sum("quick" in line for line in written) == 3


def test_a_sweep_tells_the_crossovers(capsys: Captured) -> None:
    assert bench(COPY, "--at=features=4", "--sweep=batch=1:4") == 0
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines() if "1.00 [1.00, 1.00]" in line] == ["1", "2", "4"]


def test_the_json_holds_what_the_run_found(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    bench(TRIPLE, AT, f"--json={path}")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert set(found) == {field.name for field in fields(Benchmark)}
    assert (found["schema_version"], found["complete"]) == (1, True)
    (only,) = found["groups"]
    assert set(only) == {field.name for field in fields(GroupRecord)}
    assert [set(form) for form in only["forms"]] == [{field.name for field in fields(FormRecord)}] * 2
    assert found["circumstances"]["torch"] == torch.__version__


def test_threads_are_as_asked_for_and_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    before = torch.get_num_threads()

    def looking(*arguments: Any) -> Any:
        seen.append(torch.get_num_threads())
        return measure(*arguments)

    monkeypatch.setattr(run, "measure", looking)
    bench(COPY, AT, f"--threads={before + 1}")
    assert seen == [before + 1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none"], "no claim is called 'none'"),
        (["two-d-fc", "--at=depth=3"], "'depth' was given"),
        (["two-d-fc", "--sweep=batch=3"], "--sweep takes one range"),
        (["two-d-fc", "--device=cuda:99"], "--device cuda:99 cannot be used here"),
        (["two-d-fc", "--device=nowhere"], "--device nowhere cannot be used here"),
        (["two-d-fc", "--picture=bench.gif"], "a .svg or a .png file"),
    ],
)
def test_a_mistake_gives_one_line_and_2(arguments: list[str], words: str, capsys: Captured) -> None:
    assert bench(*arguments) == 2
    told = capsys.readouterr().err
    assert words in told
    assert len(told.splitlines()) == 1


def test_where_there_is_no_compiler_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def fails(*_: object, **__: object) -> None:
        message = "no g++ was found\nand more"
        raise RuntimeError(message)

    monkeypatch.setattr(torch, "compile", fails)
    assert bench(COPY, AT, "--compile") == 2
    assert "failed here: no g++ was found; install a C++ compiler" in capsys.readouterr().err


def test_without_matplotlib_nothing_is_timed_and_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert bench(COPY, AT, "--picture=bench.png") == 2
    told = capsys.readouterr()
    assert 'pip install "layer-equivalence[pictures]"' in told.err
    assert not told.out


SECONDS = {"reference": 1e-3, "slow": 2e-3, "quick": 1e-5}


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([group(SECONDS)], ["slow", "quick", "published", "hollow"]),
        (
            [group({**SECONDS, "quick": 1e-2 / value}, value) for value in (1, 4, 16)],
            ["reference", "family: forward", "from batch 16", "wins"],
        ),
    ],
)
def test_a_picture_names_the_forms_and_the_crossovers(
    groups: list[GroupRecord], words: list[str], tmp_path: Path
) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        draw(benchmark(groups), tmp_path / "bench.svg")
    drawn = (tmp_path / "bench.svg").read_text(encoding="utf-8")
    for word in words:
        assert word in drawn
    assert [path.name for path in tmp_path.iterdir()] == ["bench.svg"]


def test_a_picture_of_nothing_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(ReportError, match="needs a form that was timed"):
        draw(benchmark([]), tmp_path / "bench.svg")
