"""The pages of docs/laws say what the laws, their code and their mutants say."""

from pathlib import Path

import pytest

from properties.laws import LAWS
from tests.law_pages import INDEX, counterexample, index, page, shown_counterexample

FOLDER = Path(__file__).parent.parent / "docs" / "laws"
STALE = "docs/laws is stale: run `make law-pages`"


def written(law: str) -> str:
    return (FOLDER / f"{law}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("law", LAWS)
def test_the_page_of_a_law_is_as_it_would_be_written_now(law: str) -> None:
    assert written(law) == page(LAWS[law], shown_counterexample(written(law))), STALE


def test_the_counterexample_of_a_page_is_what_a_run_shows() -> None:
    assert shown_counterexample(written("forward")) == counterexample(LAWS["forward"]), STALE


@pytest.mark.parametrize("law", LAWS)
def test_the_counterexample_of_a_page_refutes_its_law(law: str) -> None:
    assert f" is refuted by {law}" in shown_counterexample(written(law)), STALE


def test_the_index_names_every_law_and_no_page_is_of_none() -> None:
    assert (FOLDER / INDEX).read_text(encoding="utf-8") == index(), STALE
    assert {path.name for path in FOLDER.iterdir()} == {INDEX, *(f"{law}.md" for law in LAWS)}
