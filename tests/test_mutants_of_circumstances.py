"""Every circumstance finds bugs that nothing else finds: a mutant is right where its own are left out."""

import pytest

from properties.cases.domain import Domain
from properties.circumstances import CIRCUMSTANCES
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan
from properties.running.profiles import GATE_EXAMPLES
from tests.libraries import skip_without_library
from tests.mutants import MUTANTS
from tests.mutants.planted import SEEN_IN
from tests.mutants.trial import cell_of, declared, rejected_earlier, rejection

GATE = [name for name, one in CIRCUMSTANCES.items() if one.tried == "gate"]
PLANTED_FOR = [first for first, *_ in SEEN_IN.values()]


@pytest.mark.parametrize("name", SEEN_IN)
def test_a_mutant_is_refuted_in_the_circumstances_that_it_is_seen_in(name: str) -> None:
    skip_without_library(*SEEN_IN[name])
    with pytest.raises(Refuted) as found:
        cell_of(MUTANTS[name], declared(MUTANTS[name])).test(Plan())()
    assert set(found.value.verdict.case.under) & set(SEEN_IN[name])


@pytest.mark.parametrize("name", SEEN_IN)
def test_a_mutant_is_right_without_these_and_under_the_laws_before_its_own(name: str) -> None:
    skip_without_library(*SEEN_IN[name])
    left_out = [f"not {circumstance}" for circumstance in SEEN_IN[name]]
    cell = Cell(Domain(MUTANTS[name], {"under": left_out}), LAWS[declared(MUTANTS[name])])
    assert rejection(cell, 0, GATE_EXAMPLES) is None
    assert rejected_earlier(MUTANTS[name]) == ""


@pytest.mark.parametrize("name", [*GATE, "materialised", "safetensors"])
def test_a_circumstance_has_two_mutants_or_more(name: str) -> None:
    assert PLANTED_FOR.count(name) >= 2
