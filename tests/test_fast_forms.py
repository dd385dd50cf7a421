"""The page of the fastest forms says what was measured, and compares equal forms alone."""

from itertools import islice

import pytest
import torch
from torch import nn

from properties.benchmarking.intervals import Interval
from properties.running.threads import threads_set
from tests.fast_forms import memory_line, summary, table
from tests.fastest import groups
from tests.fastest.groups import Group
from tests.fastest.measuring import Measured, check_equal, peaks
from tests.fastest.words import FAMILIES, Family

ROWS = [
    Measured(
        "small", "forward", 1, 12.34, {"dense": Interval(0.5, 0.4, 0.6), "other": Interval(1, 0.9, 1.1)}
    ),
    Measured("large", "forward", 2, 5000, {"dense": Interval(1.2, 1.1, 1.3)}),
]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.groups)
def test_the_forms_of_a_family_are_equal(family: Family) -> None:
    first = next(getattr(groups, family.groups)())
    check_equal(first)
    assert len(first.forms) > 2


def test_local_forms_are_equal_where_groups_are_merged_and_where_rows_come_first() -> None:
    for group in islice(groups.local(), 4):
        check_equal(group)


def test_forms_that_differ_are_not_compared() -> None:
    group = Group("here", {"one": nn.Linear(3, 2), "other": nn.Linear(3, 2)}, torch.ones(4, 3))
    with pytest.raises(AssertionError, match="other is another function at here"):
        check_equal(group)


def test_the_summary_names_where_a_form_loses() -> None:
    dense, other = summary(ROWS)
    assert dense == (
        "* beside dense: faster 1, slower 1 of 2; the largest ratio is 1.20; slower at large (forward)"
    )
    assert other == "* beside other: not told apart 1 of 1; the largest ratio is 1.00"


def test_a_rival_that_was_not_measured_has_an_empty_cell() -> None:
    *_, small, large = table(ROWS)
    assert small == "| small | forward | 1 | 12 | 0.50 [0.40, 0.60] | 1.00 [0.90, 1.10] |"
    assert large == "| large | forward | 2 | 5,000 | 1.20 [1.10, 1.30] |  |"


def test_more_memory_than_a_rival_of_the_catalogue_is_said() -> None:
    enough = ("a", {"fast": 10, "dense": 20})
    assert "never more" in "".join(memory_line([enough]))
    more = "".join(memory_line([enough, ("b", {"fast": 30, "dense": 20})]))
    assert "more than a rival's at b: 30 bytes, dense 20." in more


def test_the_batched_form_needs_no_more_memory_than_any_rival() -> None:
    group = next(groups.local())
    by_form = peaks(group)
    assert set(by_form) == {name for name in group.forms if "tried" not in name}
    assert by_form["batched"] <= min(by_form.values())


def test_the_number_of_threads_is_left_as_it_was() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), threads_set(before + 1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == before
