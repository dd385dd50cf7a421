"""How a case is decided is one object, and records hold its word: whoever reads one asks the object."""

import pytest

from properties.laws import LAWS
from properties.running.cell import CORNERED, Plan
from properties.ways import DECIDED, DISTRIBUTIONS, WAYS, Decided, mark


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["exact"], "="),
        (["directly", "circumstances"], "="),
        (["circumstances", "directly"], "="),
        (["exact", "rounding"], "~"),
        (["circumstances"], "~"),
        (["statistics"], "%"),
        (["circumstances", "distributions"], "%"),
    ],
)
def test_the_plainest_cases_mark_a_cell_and_rounding_does_wherever_it_is(
    words: list[str], expected: str
) -> None:
    assert mark(dict.fromkeys(words, 1)) == expected


@pytest.mark.parametrize("word", WAYS)
def test_a_way_is_found_by_its_word(word: str) -> None:
    assert WAYS[word].word == word


@pytest.mark.parametrize("decided", DECIDED.values(), ids=DECIDED)
def test_no_law_is_decided_as_cases_are_only_counted(decided: Decided) -> None:
    assert all(way.plain for way in decided.ways)


@pytest.mark.parametrize(
    ("decided", "in_the_gate", "of_ten"),
    [("values", 25, 10), ("directly", 25, 10), ("noise", 25, 10), ("reals", 6, 10), ("statistics", 1, 1)],
)
def test_dear_laws_draw_fewer_cases(decided: str, in_the_gate: int, of_ten: int) -> None:
    law = next(one for one in LAWS.values() if one.decided.word == decided)
    drawn = [Plan(examples=examples).settings(law).max_examples for examples in (None, 10)]
    assert drawn == [in_the_gate, of_ten]


def test_what_takes_wide_cases_or_many_runs_has_no_corners() -> None:
    without = {law.decided.word for law in LAWS.values() if Plan().settings(law).max_examples < CORNERED}
    assert without == {"reals", "statistics"}


def test_fresh_draws_alone_are_never_compared_run_by_run() -> None:
    assert [one.word for one in DECIDED.values() if DISTRIBUTIONS not in one.ways] == ["statistics"]
