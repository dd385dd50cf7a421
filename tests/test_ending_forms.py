"""A form that ends its process ends no run: the claim is reported, and all others are verified."""

import json
import os
import re
import shlex
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from properties.cases import coverage
from properties.cli import main
from properties.running import recording
from properties.running import workers as workers_of_a_run
from properties.running.checking import check
from properties.running.recording import Status
from properties.running.request import Request
from properties.running.rooms import BYTES, say
from properties.running.workers import Ended, Workers

END = "ctypes.CDLL(None)._exit(0)"
"""What ends the process where Python cannot see it."""
CLAIMS = """
import ctypes
import os
import signal

from torch import nn

from equivalence import Dim, Equivalence, Real


class Ends(nn.Linear):
    calls = 0

    def forward(self, x):
        Ends.calls += 1
        if Ends.calls > {calls}:
            {ends}
        return super().forward(x)


class EndsIsLinear(Equivalence):
    '''A form that ends the process.'''

    features: Dim
    x = Real("*batch features")
    form = Ends

    def reference(self):
        return nn.Linear(self.features, 2)

    def candidate(self):
        return self.form(self.features, 2)


class Negated(nn.Linear):
    def forward(self, x):
        return -super().forward(x)


class NegatedIsLinear(EndsIsLinear):
    '''A sign too many.'''

    form = Negated


class EndsForOthers(nn.Linear):
    def forward(self, x):
        if x.shape[-1] != self.in_features:
            {ends}
        return super().forward(x)


class OthersIsLinear(EndsIsLinear):
    '''A form that ends the process under one law alone.'''

    form = EndsForOthers


class OthersIsItself(OthersIsLinear):
    '''A reference that ends the process, and a form that does not.'''

    form = nn.Linear

    def reference(self):
        return EndsForOthers(self.features, 2)


class EndsForTransposed(nn.Linear):
    def forward(self, x):
        if x.ndim > 1 and x.stride(0) == 1 < len(x) and x.shape[1] > 1:
            {ends}
        return super().forward(x)


class EndsForLong(nn.Linear):
    def forward(self, x):
        if x.numel() > 30:
            {ends}
        return super().forward(x)


class LongIsTransposed(EndsIsLinear):
    '''Two forms that end the process, the reference in one circumstance alone.'''

    form = EndsForLong

    def reference(self):
        return EndsForTransposed(self.features, 2)


class BuiltOnce(nn.Linear):
    def __init__(self, *sizes):
        ctypes.CDLL(None)._exit(0)


class BuiltIsLinear(EndsIsLinear):
    '''A form that ends the process when it is made.'''

    form = BuiltOnce
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def claims(*names: str, ends: str = END, calls: int = 0) -> list[str]:
    Path("ending.py").write_text(CLAIMS.replace("{ends}", ends).replace("{calls}", f"{calls}"))
    return [f"ending.py:{name}" if name[0].isupper() else name for name in names]


def test_the_claim_is_reported_and_the_others_are_verified(capsys: pytest.CaptureFixture[str]) -> None:
    names = claims("NegatedIsLinear", "EndsIsLinear", "two-d-fc", "BuiltIsLinear")
    laws = ["--law", "forward", "--law", "rows"]
    code = main(["verify", *names, *laws, "--json", "run.json", "--at", "batch=2"])
    out, _ = capsys.readouterr()
    assert code == 1
    assert "NegatedIsLinear is refuted by forward" in out
    assert re.search(r"two-d-fc +=  = +\d+\n", out)
    for name in names[1::2]:
        assert f"{name} ended the process (exit code 0) before the first law" in out
    report = json.loads(Path("run.json").read_text())
    assert [cell["status"] for cell in report["cells"]] == [
        "refuted",
        "refuted",
        "error",
        "holds",
        "holds",
        "error",
    ]


@pytest.mark.parametrize(
    ("ends", "how"),
    [
        (END, "exit code 0"),
        ("ctypes.CDLL(None)._exit(7)", "exit code 7"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV"),
    ],
)
def test_how_it_ended_and_under_which_law_is_told(
    ends: str, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # The forms run twice before the first law, and 94 times in its cases and circumstances.
    code = main(
        ["verify", *claims("EndsIsLinear", ends=ends, calls=120), "--law", "forward", "--law", "rows"]
    )
    assert code == 1
    assert f"EndsIsLinear ended the process ({how}) under rows" in capsys.readouterr().out


def test_in_which_circumstance_it_ended_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    ends = "x.is_contiguous() or ctypes.CDLL(None)._exit(7)"
    assert main(["verify", *claims("EndsIsLinear", ends=ends, calls=0), "--law", "forward"]) == 1
    assert "(exit code 7) under forward, x transposed in memory\n" in capsys.readouterr().out


def shown(out: str, label: str) -> str:
    """Give the text of a line of what is told."""
    (text,) = re.findall(rf"^  {label} +(.*)$", out, re.MULTILINE)
    return str(text)


@pytest.mark.parametrize(
    ("ends", "how"),
    [(END, "exit code 0"), ("os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV")],
)
def test_the_smallest_case_in_which_it_ends_is_shown_and_replayed(
    ends: str, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = f"if x.shape[-1] == self.in_features and x.shape[-1] > 2: {ends}"
    assert main(["verify", *claims("EndsIsLinear", ends=ends), "--law", "forward"]) == 1
    out = capsys.readouterr().out
    assert shown(out, "smallest case").startswith("features=3, batch=(3,), seed=")
    assert shown(out, "rule") == "a form returns or raises, but never exits"
    replay = shlex.split(shown(out, "replay"))
    assert main(replay[1:]) == 1
    assert capsys.readouterr().out == f"FAILS: a form ended the process ({how})\n"


def test_where_it_does_not_end_in_its_case_alone_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", *claims("EndsIsLinear", calls=60), "--law", "forward"]) == 1
    out = capsys.readouterr().out
    assert shown(out, "case").startswith("features=")
    assert shown(out, "case").endswith("; alone it does not end")
    assert "replay" not in out


def test_a_form_that_gives_no_answer_is_ended_and_its_case_told(capsys: pytest.CaptureFixture[str]) -> None:
    ends = "while x.shape[-1] == self.in_features and len(x) > 2: pass"
    names = claims("EndsIsLinear", "two-d-fc", ends=ends)
    laws = ["--law", "forward", "--law", "parameter_count"]
    assert main(["verify", *names, *laws, "--limit", "2", "--at", "seed=1", "--json", "run.json"]) == 1
    out = capsys.readouterr().out
    assert "EndsIsLinear gave no answer for 2 s under forward" in out
    assert "seed=1" in shown(out, "case")
    assert shown(out, "replay").endswith("--law forward")
    assert shown(out, "rule").endswith("give --limit SECONDS where it takes longer")
    found = [cell["status"] for cell in json.loads(Path("run.json").read_text())["cells"]]
    assert found == ["error", "holds", "holds", "holds"]


LAWS = [option for law in ("forward", "rows", "rejects", "state") for option in ("--law", law)]


def statuses(path: str) -> dict[str, str]:
    return {cell["law"]: cell["status"] for cell in json.loads(Path(path).read_text())["cells"]}


def test_the_other_laws_of_a_claim_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", *claims("OthersIsLinear"), *LAWS, "--json", "run.json"]) == 1
    assert "OthersIsLinear ended the process (exit code 0) under rejects\n" in capsys.readouterr().out
    assert statuses("run.json") == {**dict.fromkeys(LAWS[1::2], "holds"), "rejects": "error"}


def test_a_law_under_which_the_reference_ends_too_does_not_apply(capsys: pytest.CaptureFixture[str]) -> None:
    laws = ["--law", "forward", "--law", "rejects"]
    assert main(["verify", *claims("OthersIsItself", "two-d-fc"), *laws, "--json", "run.json"]) == 0
    told = "rejects does not apply: the reference itself ended the process (exit code 0) under rejects"
    assert told in " ".join(capsys.readouterr().out.split())
    found = [cell["status"] for cell in json.loads(Path("run.json").read_text())["cells"]]
    assert found == ["holds", "does not apply", "holds", "holds"]


def test_a_reference_that_ends_in_what_is_left_out_excuses_no_candidate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["--law", "forward", "--in", "not transposed"]
    assert main(["verify", *claims("LongIsTransposed"), *asked]) == 1
    out = capsys.readouterr().out
    assert "LongIsTransposed ended the process (exit code 0) under forward" in out, out
    assert main(["verify", *claims("LongIsTransposed"), "--law", "forward"]) == 1
    assert "forward does not apply: the reference itself ended" in " ".join(capsys.readouterr().out.split())


def test_alone_it_never_ends_a_run_with_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", *claims("EndsIsLinear"), "--law", "parameter_count"]) == 1
    out, err = capsys.readouterr()
    assert "ERROR 1" in out
    assert "no case was executed of 1 cells" in err


def answer(word: str) -> str:
    say(word, "now")
    if word == "exit":
        os._exit(3)
    if word == "stall":
        time.sleep(600)
    if word == "terminate":
        os.kill(os.getpid(), signal.SIGTERM)
    if word == "raise":
        raise ValueError(word)
    return word.upper()


ENDED = {
    "exit": Ended("exit code 3", ("exit", "now")),
    "stall": Ended("no answer for 1 s", ("stall", "now"), stalled=True),
    "terminate": Ended("signal SIGTERM", ("terminate", "now")),
}


@pytest.mark.parametrize(
    ("jobs", "words"),
    [
        *(
            (1, words)
            for words in ("a exit b exit exit c", "stall a stall b", "a terminate b terminate exit")
        ),
        *((2, words) for words in ("a exit b", "stall a", "a terminate b")),
    ],
)
def test_workers_answer_in_order_whatever_ends(jobs: int, words: str) -> None:
    expected = [ENDED.get(word, word.upper()) for word in words.split()]
    with Workers(jobs, limit=1) as workers:
        assert list(workers.map(answer, words.split())) == expected
        assert list(workers.map(answer, ["d"])) == ["D"]
        assert list(workers.map(answer, [])) == []


def process(_: str) -> int:
    time.sleep(0.1)
    return os.getpid()


def test_a_process_that_is_ended_between_two_tasks_costs_no_answer() -> None:
    with Workers(1) as workers:
        (first,) = workers.map(process, [""])
        assert isinstance(first, int)
        os.kill(first, signal.SIGKILL)
        (second,) = workers.map(process, [""])
        assert second != first
        assert isinstance(second, int)


def begin_and_end(*_: object) -> None:
    os._exit(5)


def test_where_no_process_can_begin_that_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_of_a_run, "enter", begin_and_end)
    with Workers(1) as workers:
        assert list(workers.map(process, ["", ""])) == [Ended("exit code 5")] * 2


def test_what_is_longer_than_its_room_is_cut() -> None:
    with Workers(1) as workers:
        (ended,) = workers.map(ending_long, [""])
    assert isinstance(ended, Ended)
    assert ended.doing == ("x" * (BYTES - 1),)


def ending_long(_: str) -> None:
    say("x" * BYTES * 2)
    os._exit(3)


def test_what_is_raised_is_raised() -> None:
    with Workers(1) as workers, pytest.raises(ValueError, match="raise"):
        list(workers.map(answer, ["raise"]))


def test_a_worker_leaves_interruptions_to_its_parent() -> None:
    with Workers(1) as workers:
        assert list(workers.map(handling, [""])) == [(signal.SIG_IGN, signal.SIG_DFL)]


def handling(_: str) -> tuple[object, object]:
    return signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)


def test_what_is_raised_while_a_cell_is_recorded_costs_that_cell_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Smaller numbers are looked for there, which runs the forms again."""
    covered = coverage.sizes_covered
    answers = iter([KeyError("a form's own mistake")])

    def raising_once(*cases: Any) -> Any:
        for error in answers:
            raise error
        return covered(*cases)

    monkeypatch.setattr(recording, "sizes_covered", raising_once)
    wrong, right = check(Request(("n-d-linear",), ("forward", "cost")), "n-d-linear")
    assert (wrong.law, wrong.status, right.status) == ("forward", Status.ERROR, Status.HOLDS)
    assert 'KeyError: "a form\'s own mistake"' in wrong.text
