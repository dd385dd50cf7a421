"""Values of every look: each finds its fault, and is told in the case, its replay line and its file."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from equivalence import Equivalence
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.values import look
from properties.cli import main
from properties.judging.judge import Judge
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.refutation.failure import described, write
from properties.running.cell import Cell, Plan
from tests.numerics.pairs import OfRows

Captured = pytest.CaptureFixture[str]


class SixForOne(OfRows):
    """relu6 for relu of a tenth: alike up to 60."""

    forms = (lambda x: functional.relu(x / 10), lambda x: functional.relu6(x / 10))


class UnitOfZeros(OfRows):
    """x / |x| without eps."""

    forms = (
        lambda x: x / x.norm(dim=-1, keepdim=True).clamp(min=1e-300),
        lambda x: x / x.norm(dim=-1, keepdim=True),
    )


class OneAtZero(OfRows):
    """relu whose gradient at 0 is 1."""

    forms = (lambda x: functional.relu(x * 1.0), lambda x: torch.where(x >= 0, x, 0.0))


class FirstOfEqual(OfRows):
    """amax shares its gradient among equal entries, max does not."""

    forms = (lambda x: x.sin().amax(-1), lambda x: x.sin().max(-1).values)


class NaiveSoftplus(OfRows):
    """log(1 + exp x), which overflows."""

    forms = (lambda x: x.logaddexp(torch.zeros_like(x)), lambda x: torch.log(1 + x.exp()))


class LostSmall(OfRows):
    """sin x taken for x where x is small, and so is their difference, but not beside x."""

    forms = (lambda x: x.sin(), lambda x: torch.where(x.abs() < 1e-3, x, x.sin()))


FOUND_BY = [
    (SixForOne, "forward", ("hundreds", "thousands")),
    (UnitOfZeros, "forward", ("zeros",)),
    (OneAtZero, "input_gradient", ("zeros", "ties")),
    (FirstOfEqual, "input_gradient", ("equal", "zeros", "ties")),
    (NaiveSoftplus, "forward", ("thousands",)),
    (LostSmall, "forward", ("small",)),
]


def refuted(claim: type[Equivalence], law: str, plan: Plan | None = None) -> Refuted:
    with pytest.raises(Refuted) as error:
        Cell(Domain(claim), LAWS[law]).test(plan or Plan())()
    return error.value


@pytest.mark.parametrize(("claim", "law", "looks"), FOUND_BY)
def test_each_look_finds_its_fault(claim: type[OfRows], law: str, looks: tuple[str, ...]) -> None:
    judge = Judge(Domain(claim), LAWS[law])
    for name in looks:
        verdicts = [judge.verdict(Case(claim(n=4), {"batch": (5,)}, seed, name)) for seed in range(4)]
        assert not all(verdict.holds for verdict in verdicts), name
    assert refuted(claim, law).verdict.case.values in (*looks, "normal")


@pytest.mark.parametrize("claim", [SixForOne, NaiveSoftplus, LostSmall])
def test_usual_values_would_not_find_it(claim: type[OfRows]) -> None:
    cell = Cell(Domain(claim, {"values": "normal", "n": 3, "batch": (5,)}), LAWS["forward"])
    cell.test(Plan())()
    assert {case.values for case in cell.tally.cases} == {"normal"}


def test_the_case_and_its_replay_line_name_the_look(capsys: Captured) -> None:
    error = refuted(SixForOne, "forward")
    look = error.verdict.case.values
    assert look in ("hundreds", "thousands")
    assert error.record.case.endswith(
        {"hundreds": "values of size 100", "thousands": "values up to 1e4"}[look]
    )
    assert f",values={look})' --law forward" in error.record.replay
    words = error.record.replay.removeprefix("equivalence replay ").replace("'", "").split()
    assert main(["replay", *words]) == 1
    assert "SixForOne under forward" in capsys.readouterr().out
    usual = words[0].replace(f",values={look}", "")
    assert main(["replay", usual, *words[1:]]) == 0


def test_a_look_may_be_pinned(capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = f"{__name__}:OneAtZero"
    pinned = {
        look: main(["verify", place, "--law", "input_gradient", "--at", f"values={look}"])
        for look in ("small", "zeros")
    }
    assert pinned == {"small": 0, "zeros": 1}
    assert main(["verify", place, "--law", "forward", "--at", "values=large"]) == 2
    assert "is no look of values; write one of normal, zeros," in capsys.readouterr().err


def test_a_failure_file_keeps_the_look(tmp_path: Path, capsys: Captured) -> None:
    error = refuted(UnitOfZeros, "forward")
    path = write(described(error, smallest=True), str(tmp_path))
    assert path is not None
    assert json.loads(path.read_text())["look"] == error.verdict.case.values
    assert main(["replay", str(path), "--claim", f"{__name__}:UnitOfZeros"]) == 1
    assert "nan" in capsys.readouterr().out


def test_what_overflows_is_told_with_the_size_from_which_on() -> None:
    kind = refuted(NaiveSoftplus, "forward", Plan(examples=60)).record.kind
    size = float(kind.removeprefix("overflows from |x| ≈ ").partition(" ")[0])
    dtype = kind.partition(" on in ")[2]
    assert dtype in ("float64, where the reference does not", "float32, where the reference does not")
    assert size == pytest.approx(709.78 if "float64" in dtype else 88.72, rel=0.05)


class BothOverflow(OfRows):
    """exp and the square of its root: both leave the range, at other sizes of x."""

    forms = (lambda x: x.exp(), lambda x: (x / 2).exp().square())


@pytest.mark.parametrize("law", ["forward", "input_gradient"])
def test_two_forms_that_both_leave_the_range_differ_in_nothing(law: str) -> None:
    judge = Judge(Domain(BothOverflow), LAWS[law])
    assert all(
        judge.verdict(Case(BothOverflow(n=3), {"batch": ()}, seed, "thousands")).holds for seed in range(6)
    )


def inputs(name: str) -> Tensor:
    case = Case(OneAtZero(n=8), {"batch": (50,)}, 0, name)
    judge = Judge(Domain(OneAtZero), LAWS["input_gradient"])
    return judge.values(judge.verdict(case))["x"]


def test_the_looks_are_what_they_are_called() -> None:
    zeros = inputs("zeros")
    assert not zeros[0].any()
    assert 0.3 < (zeros == 0).double().mean() < 0.7
    assert set(inputs("ties").unique().tolist()) == {-1.0, 0.0, 1.0}
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(50, 8, generator=generator)
    ties = look("ties").change(drawn, generator, torch.float64)
    units = [next(unit for unit in (1.0, 0.5, 0.125) if (row % unit == 0).all()) for row in ties]
    assert set(units) == {1.0, 0.5, 0.125}
    assert all((row.abs() <= 3 * unit).all() for row, unit in zip(ties, units, strict=True))
    largest = look("thousands").change(drawn, generator, torch.float64)
    assert (largest[0] < -9990).all()
    assert largest.abs().max() == 1e4
    equal = inputs("equal")
    assert (equal == equal[:, :1]).all()
