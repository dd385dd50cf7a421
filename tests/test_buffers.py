"""Buffers: what training changes is drawn and carried, what it does not is the form's own."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from equivalence import Equivalence, Real
from equivalence.claim import Theta
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.sample import Sample
from properties.judging.judge import Judge
from properties.judging.numbers import DOUBLE
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan
from properties.running.recording import record
from tests.numerics.pairs import Size


class Folded(nn.Linear):
    """The product and the sum that it comes to."""


class FoldedIsNorm(Equivalence):
    """A batch norm by its running statistics is a product with a diagonal."""

    n: Size
    forgets = ""

    x = Real("rows n")

    def reference(self) -> nn.Module:
        return nn.BatchNorm1d(self.n).eval()

    def candidate(self) -> nn.Module:
        return Folded(self.n, self.n)

    def carry(self, theta: Theta) -> Theta:
        mean, variance = theta["running_mean"], theta["running_var"]
        if type(self).forgets == "mean":
            mean = torch.zeros_like(mean)
        if type(self).forgets == "variance":
            variance = torch.ones_like(variance)
        scale = theta["weight"] / (variance + 1e-5).sqrt()
        return {"weight": scale.diag(), "bias": theta["bias"] - scale * mean}


class ForgetsMean(FoldedIsNorm):
    """A fold that forgets the running mean."""

    forgets = "mean"


class ForgetsVariance(FoldedIsNorm):
    """A fold that forgets the running variance."""

    forgets = "variance"


def refuted(claim: type[Equivalence], law: str = "forward") -> Refuted:
    with pytest.raises(Refuted) as error:
        Cell(Domain(claim), LAWS[law]).test(Plan())()
    return error.value


def drawn(claim: Equivalence, seed: int) -> Theta:
    axes = {"rows": (2,)}
    return Sample(Case(claim, axes, seed), DOUBLE).theta


def test_running_statistics_are_drawn_and_variances_are_positive() -> None:
    claim = FoldedIsNorm(n=3)
    found = [drawn(claim, seed) for seed in range(20)]
    for theta in found:
        assert (theta["running_var"] > 0).all()
        assert (theta["running_mean"] != 0).all()
        assert not torch.equal(theta["running_var"], torch.ones(3))
        assert theta["num_batches_tracked"] == 0
    assert any((theta["running_mean"] < 0).any() for theta in found)


def test_a_right_fold_holds() -> None:
    cell = Cell(Domain(FoldedIsNorm), LAWS["forward"])
    cell.test(Plan())()
    assert cell.tally.executed


@pytest.mark.parametrize(("claim", "name"), [(ForgetsMean, "running_mean"), (ForgetsVariance, "running_var")])
def test_a_fold_that_forgets_a_statistic_is_refuted_and_the_statistic_is_shown(
    claim: type[Equivalence], name: str
) -> None:
    error = refuted(claim)
    shown = {tensor.name: tensor.entries for tensor in error.record.values}
    assert name in shown
    if name == "running_var":
        assert all(entry > 0 for entry in shown[name])  # type: ignore[operator]


class Tabled(nn.Module):
    """x times a table that no call changes, by a formula of its own."""

    table: Tensor

    def __init__(self, n: int, *, halved: bool) -> None:
        super().__init__()
        self.halved = halved
        self.register_buffer("table", torch.arange(n) / (2.0 if halved else 1.0))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.table * (2 if self.halved else 1)


class TableIsTable(Equivalence):
    """Two tables of one name, by two formulas; `carry` is not written."""

    n: Size

    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return Tabled(self.n, halved=False)

    def candidate(self) -> nn.Module:
        return Tabled(self.n, halved=True)


class TableIsCarried(TableIsTable):
    """A `carry` that is written does what it says: it overwrites the table."""

    def carry(self, theta: Theta) -> Theta:
        return {"table": theta["table"]}


def test_a_default_carry_does_not_overwrite_a_table_of_another_formula() -> None:
    for law in ("forward", "modes"):
        Cell(Domain(TableIsTable), LAWS[law]).test(Plan())()
        refuted(TableIsCarried, law)


def test_buffers_that_carry_does_not_name_are_told() -> None:
    def notes(claim: type[Equivalence]) -> Any:
        cell = Cell(Domain(claim), LAWS["forward"])
        cell.test(Plan(examples=2))()
        return record(cell, "one", 0.0, None).notes

    told = "buffers of the candidate that carry does not name stay as constructed: table"
    assert told in notes(TableIsTable)
    assert not any("stay as constructed" in note for note in notes(FoldedIsNorm))


def test_a_judge_names_them() -> None:
    assert Judge(Domain(TableIsTable), LAWS["forward"]).unnamed_buffers() == ["table"]


class Masked(nn.Module):
    """A causal mean; the mask is computed anew, or kept as the longest one so far."""

    mask: Tensor

    def __init__(self, *, keeps: bool) -> None:
        super().__init__()
        self.keeps = keeps
        self.register_buffer("mask", torch.ones(1, 1).tril(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        mask = self.mask
        if len(mask) < x.shape[-1]:
            mask = torch.ones(x.shape[-1], x.shape[-1], device=x.device).tril()
        if self.keeps:
            self.mask = mask
        return x @ mask[: x.shape[-1], : x.shape[-1]].to(x.dtype).mT


class KeptMaskIsMask(Equivalence):
    """A mask that is kept, and grows, is the mask."""

    x = Real("*batch time")

    def reference(self) -> nn.Module:
        return Masked(keeps=False)

    def candidate(self) -> nn.Module:
        return Masked(keeps=True)


@pytest.mark.parametrize("law", ["forward", "modes", "state"])
def test_a_buffer_may_grow_in_a_call(law: str) -> None:
    Cell(Domain(KeptMaskIsMask), LAWS[law]).test(Plan())()
