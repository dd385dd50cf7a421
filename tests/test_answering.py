"""What a form does in place of giving a value is its answer, be it that it ends the test or the process."""

import os
import signal
import subprocess
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from properties.cases.answering import FormError, answering
from properties.cli import main


def raising(error: BaseException) -> Callable[[], Any]:
    def end() -> None:
        raise error

    return end


def answer_of(end: Callable[[], Any]) -> str:
    """Say what is taken for the answer, for what is not would skip or end this test."""
    try:
        with answering("candidate"):
            end()
    except FormError as error:
        return str(error)
    except BaseException as error:  # noqa: BLE001  (whatever it is, it is not the answer)
        return f"passed on {type(error).__name__}"
    return "a value"


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (
            lambda: os._exit(0),
            "SystemExit: os._exit(0): a form returns or raises, but never ends the process",
        ),
        (lambda: sys.exit(0), "SystemExit: 0"),
        (lambda: pytest.skip("not here"), "Skipped: not here"),
        (lambda: pytest.exit("over", returncode=0), "Exit: over"),
        (raising(unittest.SkipTest("not here")), "SkipTest: not here"),
        (raising(GeneratorExit()), "GeneratorExit: "),
        (raising(ValueError("too small")), "ValueError: too small"),
    ],
)
def test_it_is_the_answer_of_the_form(end: Callable[[], Any], told: str) -> None:
    assert answer_of(end) == f"candidate raised {told}"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), NameError("x"), pytest.fail.Exception("too slow")])
def test_what_is_none_of_the_forms_passes(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    # A run in the background may have been started deaf.
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.default_int_handler)
    with pytest.raises(type(error)), answering("candidate"):
        raise error


def test_where_nobody_can_interrupt_an_interruption_is_the_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_IGN)
    assert answer_of(raising(KeyboardInterrupt())) == "candidate raised KeyboardInterrupt: "


def test_os_is_as_before() -> None:
    before = os._exit
    with answering("candidate"), answering("candidate"):
        assert os._exit is not before
    assert os._exit is before
    with pytest.raises(FormError), answering("candidate"):
        raise ValueError
    assert os._exit is before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_process_that_a_form_forks_ends_as_it_means_to() -> None:
    with answering("candidate"):
        child = os.fork()
        if not child:
            os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5


def test_another_thread_may_end_the_process() -> None:
    program = (
        "import os, threading\n"
        "from properties.cases.answering import answering\n"
        "with answering('candidate'):\n"
        "    thread = threading.Thread(target=os._exit, args=(7,))\n"
        "    thread.start()\n"
        "    thread.join()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603  (our own interpreter)
    assert ended.returncode == 7


SUITE = """
import os

from torch import nn

from equivalence import Dim, Equivalence, Real
from properties import suite


class Ends(nn.Linear):
    def forward(self, x):
        if x.numel() > 3:
            os._exit(0)
        return super().forward(x)


class EndsIsLinear(Equivalence):
    features: Dim
    x = Real("*batch features")

    def reference(self):
        return nn.Linear(self.features, 3)

    def candidate(self):
        return Ends(self.features, 3)


TestEnds = suite(EndsIsLinear, laws=["forward"])
"""


def test_a_suite_whose_form_ends_the_process_fails(tmp_path: Path) -> None:
    (tmp_path / "test_ends.py").write_text(SUITE)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "test_ends.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout
    assert "smallest case  features=4, batch=()" in run.stdout
    assert "candidate raised SystemExit: os._exit(0)" in run.stdout


LOUD = """
from torch import nn

from equivalence import Dim, Equivalence, Real


class Loud(nn.Linear):
    def forward(self, x):
        raise self.error("\\x1b[31mred\\x07\\nand more")


class Refuses(Loud):
    error = ValueError


class Errs(Loud):
    error = ImportError


class RefusesIsLinear(Equivalence):
    features: Dim
    x = Real("*batch features")
    form = Refuses

    def reference(self):
        return nn.Linear(self.features, 3)

    def candidate(self):
        return self.form(self.features, 3)


class ErrsIsLinear(RefusesIsLinear):
    form = Errs
"""


@pytest.mark.parametrize("name", ["RefusesIsLinear", "ErrsIsLinear"])
def test_no_control_character_of_a_form_reaches_a_terminal(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    main(["verify", f"{tmp_path / 'loud.py'}:{name}", "--law", "forward", "--law", "rows"])
    printed = "".join(capfd.readouterr())
    assert "\\x1b[31mred\\x07" in printed
    assert [one for one in printed if not one.isprintable() and one != "\n"] == []
