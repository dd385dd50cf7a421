"""What forms print is kept apart: its first line is told once a claim, and no line hides the verdict."""

import os
import sys
from pathlib import Path

import pytest

from properties.cli import main
from properties.running.printed import KEPT_BYTES, MOST_BYTES, cut_what_is_printed, printed_apart

CLAIMS = """
import ctypes
import os

from torch import nn

from equivalence import Dim, Equivalence, Real

libc = ctypes.CDLL(None)


class Prints(nn.ReLU):
    def forward(self, x):
        {prints}
        return super().forward(x)


class PrintsIsRelu(Equivalence):
    features: Dim
    x = Real("*batch features")

    def reference(self):
        return nn.ReLU()

    def candidate(self):
        return Prints()
"""
PRINTS = {
    "Python": 'print("of x", *x.shape[:0])',
    "Python, at once": 'print("of x", flush=True)',
    "the descriptor": 'os.write(1, b"of x\\n")',
    "C": 'libc.puts(b"of x"); libc.fflush(None)',
    "a megabyte at a time": 'print("of x"); print("y" * (1 << 20))',
    "what no terminal should see": 'print("of x\\x1b[31m\\x00")',
}


@pytest.mark.parametrize(("kind", "jobs"), [*((kind, "1") for kind in PRINTS), ("Python", "2")])
def test_what_forms_print_is_told_in_one_line(
    kind: str, jobs: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prints.py").write_text(CLAIMS.replace("{prints}", PRINTS[kind]))
    claim = f"{tmp_path / 'prints.py'}:PrintsIsRelu"
    assert main(["verify", claim, "two-d-fc", "--law", "forward", "--law", "rows", "--jobs", jobs]) == 0
    out = capfd.readouterr().out
    (line,) = [line for line in out.splitlines() if "of x" in line]
    assert "the forms print " in line
    assert '"of x' in line
    assert len(out.splitlines()) < 40
    assert all(character.isprintable() or character == "\n" for character in out)


def test_what_is_printed_elsewhere_stays_where_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    sys.stdout.write("before\n")
    with printed_apart() as told:
        sys.stdout.write("inside\n")
        os.write(1, b"and below\n")
    sys.stdout.write("after\n")
    with pytest.raises(ValueError, match="inside"), printed_apart() as nothing:
        raise ValueError("inside")
    sys.stdout.write("at last\n")
    assert capfd.readouterr().out == "before\nafter\nat last\n"
    assert (told, nothing) == (['the forms print 2 lines: "inside"'], [])


def test_what_is_printed_takes_no_more_room_than_it_may(capfd: pytest.CaptureFixture[str]) -> None:
    with printed_apart() as told:
        for _ in range(5):
            for _ in range(3):
                sys.stdout.write(f"{'y' * MOST_BYTES}\n")
            cut_what_is_printed()
            assert os.fstat(1).st_size == KEPT_BYTES
    assert told == [f'the forms print 15 lines: "{"y" * 100}"']
    assert capfd.readouterr().out == ""
