"""A declared break is looked for until it is found: the usual cases may miss it."""

from typing import Literal

import pytest
from torch import Tensor, nn

from equivalence import Dim, Equivalence, Real
from properties.cases.domain import Domain
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan
from properties.running.profiles import GATE_EXAMPLES
from properties.running.recording import Status, record
from properties.ways import BY_VALUES


class Negated(nn.Linear):
    """Linear, negated."""

    def forward(self, x: Tensor) -> Tensor:
        return -super().forward(x)


class RareIsLinear(Equivalence):
    """Linear, but in one of 64 cases."""

    features: Dim
    first: Literal[0, 1, 2, 3, 4, 5, 6, 7]
    second: Literal[0, 1, 2, 3, 4, 5, 6, 7]
    breaks = {"forward": "negated", "training": "negated"}  # noqa: RUF012

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 2)

    def candidate(self) -> nn.Module:
        return (Negated if self.slips() else nn.Linear)(self.features, 2)

    def slips(self) -> bool:
        return (self.first, self.second) == (6, 1)


class WideIsLinear(RareIsLinear):
    """Linear, but for a size that is drawn among wide cases alone."""

    def slips(self) -> bool:
        return self.features == 12


class NeverIsLinear(RareIsLinear):
    """Linear, whatever its claim declares."""

    def slips(self) -> bool:
        return False


class RareUndeclared(RareIsLinear):
    """Linear, but in one of 64 cases, and not declared."""

    breaks = {}  # noqa: RUF012


def found(claim: type[Equivalence], law: str, seed: int) -> str:
    """Run a cell, and give the smallest case that fails; empty where none does."""
    try:
        Cell(Domain(claim), LAWS[law]).test(Plan(seed=seed))()
    except Refuted as refuted:
        return refuted.record.case
    return ""


@pytest.mark.parametrize(
    ("claim", "law", "seeds", "smallest"),
    [
        (RareIsLinear, "forward", 5, "features=1, first=6, second=1, batch=()"),
        (RareIsLinear, "training", 1, "first=6, second=1"),
        (WideIsLinear, "forward", 3, "features=12, first=0, second=0, batch=()"),
    ],
)
def test_a_break_that_few_cases_show_is_found_at_every_seed(
    claim: type[Equivalence], law: str, seeds: int, smallest: str
) -> None:
    for seed in range(seeds):
        assert smallest in found(claim, law, seed)


def test_what_is_not_declared_is_not_looked_for_longer() -> None:
    assert not all(found(RareUndeclared, "forward", seed) for seed in range(6))


def test_the_same_run_finds_the_same_case() -> None:
    assert len({found(RareIsLinear, "forward", 3) for _ in range(2)}) == 1


def test_a_break_that_no_case_shows_is_not_found_in_so_many() -> None:
    cell = Cell(Domain(NeverIsLinear), LAWS["forward"])
    cell.test(Plan())()
    assert cell.tally.executed >= GATE_EXAMPLES + BY_VALUES.sought
    said = record(cell, "never", 0.0, None)
    assert said.status == Status.BREAK_NOT_FOUND
    assert f"but {cell.tally.executed} cases agree" in said.text
