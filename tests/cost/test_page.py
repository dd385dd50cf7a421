"""docs/cost.md holds what is measured today."""

from pathlib import Path

import pytest

from equivalence.catalogue import CATALOGUE
from properties.cases.domain import Domain
from tests import cost_page

PAGE = (Path(__file__).parents[2] / "docs/cost.md").read_text(encoding="utf-8")
LINES = PAGE.splitlines()


def test_the_page_shows_the_costs_that_can_be_checked_by_hand() -> None:
    assert [line for line in cost_page.by_hand() if line not in LINES] == []


def test_the_page_shows_what_every_form_of_the_catalogue_costs() -> None:
    assert [line for line in cost_page.catalogue() if line not in LINES] == []


@pytest.mark.parametrize("name", ["two-d-fc", "masked-where", "local"])
def test_the_page_shows_how_costs_grow(name: str) -> None:
    for side, cells in cost_page.powers(Domain(CATALOGUE[name])):
        assert f"| {name} | {side} | {' | '.join(cells)} |" in LINES


def test_a_page_that_is_out_of_date_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_page, "ROWS", cost_page.ROWS + 1)
    assert any(line not in LINES for line in cost_page.catalogue())


@pytest.mark.parametrize(
    ("exponents", "written"),
    [
        ({"height": 1.0, "width": 2.04, "batch": 0.01}, "height · width^2"),
        ({"height": 0.0}, "constant"),
        ({"height": None, "batch": None}, "none"),
        ({"height": 0.75}, "height^0.8"),
    ],
)
def test_powers_are_written_as_a_product(exponents: dict[str, float | None], written: str) -> None:
    assert cost_page.power(exponents) == written
