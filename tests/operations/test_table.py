"""Every line of the table against what torch computes; and every line broken, which must be seen."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from properties.operations import integers, products
from properties.operations.table import MOVE, NOTHING, OPERATIONS, UNKNOWN, Operation, known
from properties.operations.terms import one
from tests.operations.faults import COPIES, faults

LINES = pytest.mark.parametrize(("name", "line"), OPERATIONS.items(), ids=OPERATIONS)
WITHOUT_TENSORS = ("eye", "full", "ones", "zeros")
"""They have no values to forget."""


def broken(name: str, line: Operation) -> Iterator[Operation]:
    """Change what a line says, one thing at a time."""
    yield NOTHING
    yield replace(line, rounds=not line.rounds)
    yield replace(line, terms=lambda _: 2)
    if not line.rounds:
        yield replace(line, products=products.PRODUCT)
    if line.rounds and name != "randint":
        yield replace(line, bound=integers.move)
    if line.rounds and UNKNOWN not in (line.bound, line.products) and name != "randint":
        yield replace(line, products=products.PRODUCT if is_free(line) else products.FREE)
    if line.bound in COPIES:
        yield replace(line, piecewise=not line.piecewise)
    if line == MOVE or (line.forgets and line.bound in COPIES and name not in WITHOUT_TENSORS):
        yield replace(line, forgets=not line.forgets)
    if line.overwrites:
        yield replace(line, overwrites=False)


def is_free(line: Operation) -> bool:
    return line.products in (products.FREE, products.SCALED_SUM)


@LINES
def test_a_line_says_what_torch_does(name: str, line: Operation) -> None:
    assert list(faults(name, line)) == []


@LINES
def test_a_line_that_is_broken_is_seen(name: str, line: Operation) -> None:
    assert list(faults(f"{name}x", line)) == ["no operation of torch"]
    assert [wrong for wrong in broken(name, line) if not list(faults(name, wrong))] == []


def test_an_operation_in_place_shares_the_line_of_the_one_that_is_not() -> None:
    assert known("add_") is known("add") is OPERATIONS["add"]
    assert known("_to_copy") is OPERATIONS["_to_copy"]


def test_of_an_operation_without_a_line_nothing_is_known() -> None:
    unknown = known("erfinv")
    assert (unknown.bound, unknown.products, unknown.terms) == (UNKNOWN, UNKNOWN, one)
    assert (unknown.rounds, unknown.piecewise) == (True, False)
    assert (unknown.forgets, unknown.overwrites) == (False, False)
