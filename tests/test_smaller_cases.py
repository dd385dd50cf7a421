"""A wide case that fails is cut to the smallest that fails too."""

import pytest

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan
from tests.mutants import MUTANTS

CLAIMS = {**CATALOGUE, **MUTANTS}


def failing(domain: Domain) -> Case:
    cell = Cell(domain, LAWS["initialisation"])
    with pytest.raises(Refuted) as found:
        cell.test(Plan())()
    assert not cell.judge.verdict(found.value.verdict.case).holds
    return found.value.verdict.case


@pytest.mark.parametrize(
    ("name", "largest"),
    [("two-d-fc-v1", 1), ("DrawsForHalfTheFan", 1), ("CountsAllGroupsInTheFan", 2), ("SwapsFans", 2)],
)
def test_the_smallest_of_the_small_cases_that_fail_is_shown(name: str, largest: int) -> None:
    domain = Domain(CLAIMS[name])
    assert max(domain.sizes(failing(domain)).values()) == largest


def test_sizes_that_are_fixed_stay() -> None:
    domain = Domain(CATALOGUE["two-d-fc-v1"], {"height": 7, "batch": (5,)})
    case = failing(domain)
    assert domain.sizes(case) == {"height": 7, "width": 1, "out_features": 1, "batch": 5}


@pytest.mark.parametrize("claim", CATALOGUE.values(), ids=CATALOGUE)
def test_smaller_cases_differ_in_nothing_but_size(claim: type[Equivalence]) -> None:
    domain = Domain(claim)
    wide = next(domain.wide())
    smaller = list(domain.smaller(wide))
    assert smaller
    for case in smaller:
        assert domain.options(case) == domain.options(wide)
        assert case.seed == wide.seed
        assert all(size <= domain.sizes(wide)[name] for name, size in domain.sizes(case).items())
