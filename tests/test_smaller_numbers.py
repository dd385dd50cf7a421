"""The smallest numbers that are shown fail beyond rounding, also where the search for them goes by less."""

import pytest
import torch
from torch import Tensor, nn

from equivalence import Dim, Equivalence, Real
from properties.cases.domain import Domain
from properties.judging import noise
from properties.judging.judge import Judge, Verdict
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.refutation.minimise import minimised
from properties.running.cell import Cell, Plan

CHAOTIC = 1e17
"""Rounding leaves no digit of the sine of a number of this size."""


class Sines(nn.Module):
    def forward(self, z: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        return (x * CHAOTIC).sin(), z.sin()


class RoundsOtherwise(nn.Module):
    factor = 1.0

    def forward(self, z: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        return ((x + 1e12 - 1e12) * CHAOTIC).sin(), (self.factor * z).sin()


class Wrong(RoundsOtherwise):
    factor = 2.0


class WrongBesideChaos(Equivalence):
    """sin(2 z) is sin(z), beside an output of which rounding leaves no digit."""

    n: Dim
    z = Real("*batch n")
    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return Sines()

    def candidate(self) -> nn.Module:
        return Wrong()


class ChaosAlone(WrongBesideChaos):
    def candidate(self) -> nn.Module:
        return RoundsOtherwise()


def refuted() -> tuple[Judge, Verdict]:
    cell = Cell(Domain(WrongBesideChaos), LAWS["forward"])
    with pytest.raises(Refuted) as found:
        cell.test(Plan())()
    return cell.judge, found.value.verdict


def test_a_search_that_ends_where_rounding_explains_all_is_made_again_with_care() -> None:
    judge, verdict = refuted()
    values, difference = minimised(judge, verdict)
    drawn = judge.values(verdict)
    chaos_alone = {**drawn, "z": torch.zeros_like(drawn["z"])}
    assert judge.at_a_glance(verdict, chaos_alone) is not None
    assert judge.again(verdict, chaos_alone) is None
    assert judge.again(verdict, values) is not None
    assert difference.where.startswith("output[1]")
    assert values["z"].count_nonzero() == 1


def test_at_a_glance_no_run_is_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    judge, verdict = refuted()
    values = judge.values(verdict)

    def disturbed(*_: object) -> None:
        pytest.fail("a run is disturbed")

    monkeypatch.setattr(noise, "disturbed_by", disturbed)
    assert judge.at_a_glance(verdict, values) is not None
    with pytest.raises(pytest.fail.Exception):
        judge.again(verdict, values)


def test_chaos_alone_is_right() -> None:
    Cell(Domain(ChaosAlone), LAWS["forward"]).test(Plan())()
