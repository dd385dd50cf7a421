"""The draws that the power is measured with: no more than the law itself has."""

import pytest
import torch

from equivalence.catalogue import CATALOGUE
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.judging.judge import Judge
from properties.judging.numbers import DOUBLE
from properties.laws import LAWS
from properties.oracle.dependence import Together
from properties.oracle.statistics import Draws, Positions
from tests.power.family import Family
from tests.power.whole import equation_of
from tests.power.wrong import MANY, families


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_the_first_wide_case_has_at_least_as_many_draws(family: Family) -> None:
    of_law = equation_of(CATALOGUE[family.claim], 0).candidate
    generator = torch.Generator().manual_seed(0)
    for kind, draws in family.found(family.draw(generator)).items():
        leaves = of_law[kind].values() if isinstance(of_law[kind], dict) else [of_law[kind]]
        assert all(_count(draws) <= _count(leaf) for leaf in leaves)
        assert all(type(draws) is type(leaf) for leaf in leaves)


@pytest.mark.parametrize("case", list(Domain(CATALOGUE["init-sparse"]).wide()), ids=str)
def test_draws_among_many_zeros_are_as_many_as_elsewhere(case: Case) -> None:
    equation = Judge(Domain(CATALOGUE["init-sparse"]), LAWS["initialisation"]).statement.equation(
        case, DOUBLE
    )
    (drawn,) = equation.candidate["closed form"].values()
    assert drawn.values.count_nonzero() >= MANY


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_both_sides_have_the_same_parts_and_wrong_draws_are_others(family: Family) -> None:
    generator = torch.Generator().manual_seed(0)
    draws = family.draw(generator)
    assert family.expected(generator).keys() == family.found(draws).keys()
    assert family.wrongs
    assert all(not torch.equal(spoil(draws, generator), draws) for spoil in family.wrongs.values())


def _count(draws: Draws | Positions | Together) -> int:
    return draws.signs.numel() if isinstance(draws, Together) else draws.values.numel()
