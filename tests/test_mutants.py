"""Every mutant is rejected by the law that it names, and every law has one that no law before it sees."""

import pytest

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties import suite
from properties.laws import LAWS
from properties.running.cell import Cell
from properties.ways import DISTRIBUTIONS
from tests.mutants import MUTANTS, RIGHT
from tests.mutants.planted import SEEN_IN
from tests.mutants.trial import SEEDS, cell_of, declared, rejected_earlier, rejection

STATISTICAL_SEEDS = 2
"""Of the 20 that `python -m tests.mutants` runs: each constructs thousands of modules, or draws as often."""
SHOWN = {declared(mutant): mutant for mutant in reversed(MUTANTS.values())}
"""The first mutant of each law."""

for _claim in RIGHT:
    globals()[f"Test{_claim.__name__}"] = suite(_claim)


@pytest.mark.parametrize("name", [name for name in MUTANTS if name not in SEEN_IN])
def test_its_law_rejects_a_mutant_whatever_the_seed(name: str) -> None:
    cell = cell_of(MUTANTS[name], declared(MUTANTS[name]))
    assert not cell.inapplicable
    assert rejection(cell, 0) is not None
    seeds = STATISTICAL_SEEDS if by_statistics(cell) else SEEDS
    assert [number for number in range(1, seeds) if rejection(cell, number) is None] == []


@pytest.mark.parametrize("law", LAWS)
def test_every_law_sees_a_mutant_that_no_law_before_it_sees(law: str) -> None:
    assert rejected_earlier(SHOWN[law]) == ""


def test_every_law_sees_three_mutants_or_more() -> None:
    laws = [declared(mutant) for mutant in MUTANTS.values()]
    assert {law: laws.count(law) for law in LAWS if laws.count(law) < 3} == {}


def test_every_claim_that_computes_the_same_function_has_a_mutant() -> None:
    made_from = [catalogued(mutant) for mutant in MUTANTS.values()]
    same_function = {name: claim for name, claim in CATALOGUE.items() if "forward" not in claim.breaks}
    assert [name for name, claim in same_function.items() if claim not in made_from] == []
    several = {
        name for name, claim in same_function.items() if not claim.breaks and not name.startswith("init-")
    }
    assert [name for name in several if made_from.count(CATALOGUE[name]) < 2] == []


def test_there_are_at_least_sixty_mutants_in_the_plainest_use() -> None:
    assert len(MUTANTS.keys() - SEEN_IN.keys()) >= 60


def by_statistics(cell: Cell) -> bool:
    """Whether a run takes thousands of draws."""
    return cell.law.decided.wide or cell.tally.decided[DISTRIBUTIONS] > 0


def catalogued(mutant: type[Equivalence]) -> type[Equivalence] | None:
    """Give the claim of the catalogue that a mutant was made from."""
    return next((base for base in mutant.__mro__[1:] if base in CATALOGUE.values()), None)
