"""Where counterexamples cannot be kept, that is said once, and no verdict is another."""

import subprocess
import sys
from pathlib import Path

import pytest

from properties.cli import main

CLAIMS = """
from torch import nn

from equivalence import Dim, Equivalence, Real
from properties import suite


class CutIsRelu(Equivalence):
    features: Dim
    x = Real("*batch features")

    def reference(self):
        return nn.ReLU()

    def candidate(self):
        return nn.ReLU6()


class SquaredIsRelu(CutIsRelu):
    def candidate(self):
        return nn.Softplus()


TestCut = suite(CutIsRelu, laws=["forward"])
TestSquared = suite(SquaredIsRelu, laws=["forward"])
"""
WRONG = ["test_claims.py:CutIsRelu", "test_claims.py:SquaredIsRelu"]
SAID = "equivalence: counterexamples cannot be kept in .equivalence/failures: Not a directory"
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "test_claims.py"]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("test_claims.py").write_text(CLAIMS)
    Path("pytest.ini").write_text("[pytest]\n")


def verified(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    code = main(["verify", *WRONG, "two-d-fc", "n-d-linear", "--law", "forward", *more])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_file_in_the_place_of_the_folder_costs_no_verdict(
    jobs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, usual, _ = verified(capsys, "--jobs", jobs)
    for path in Path(".equivalence/failures").iterdir():
        path.unlink()
    Path(".equivalence/failures").rmdir()
    Path(".equivalence").rmdir()
    Path(".equivalence").touch()
    code, out, err = verified(capsys, "--jobs", jobs)
    assert code == 1
    assert err.splitlines().count(SAID) == 1
    assert [line for line in told(usual) if ".equivalence" not in line] == told(out)
    assert "hold 2, REFUTED 2" in out


def told(out: str) -> list[str]:
    """Give what is told but for the time that it took."""
    return [line for line in out.splitlines() if not line.startswith("claims ")]


@pytest.mark.parametrize("options", [[], ["-n", "2"], ["-W", "error"]])
def test_under_pytest_neither(options: list[str]) -> None:
    Path(".equivalence").touch()
    ran = subprocess.run([*PYTEST, *options], capture_output=True, text=True, check=False)  # noqa: S603  (our own command)
    assert ran.returncode == 1
    assert ran.stdout.count(SAID) == 1
    assert ran.stdout.count("is refuted by forward") >= 2
    assert "2 failed" in ran.stdout
