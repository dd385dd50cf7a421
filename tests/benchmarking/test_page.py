"""The page says what the run found: who leads, who is not told apart, and how often a control was ranked."""

from dataclasses import replace

import pytest

from equivalence.catalogue import CATALOGUE
from equivalence.layers.linear import RowwiseLinear
from properties.benchmarking.document import Benchmark
from properties.benchmarking.points import case_at
from tests.benchmarking.page import control, costs, page, ratios
from tests.benchmarking.synthetic import benchmark, group

SECONDS = {"reference": 1.0, "slow": 2.0, "same": 1.02}


def controlled(**ratio: float) -> Benchmark:
    groups = [group({"reference": 1.0, f"init-{name}": taken}) for name, taken in ratio.items()]
    return benchmark([replace(one, family="init-some") for one in groups])


def test_the_ratios_mark_who_leads_and_who_cannot_be_told_apart() -> None:
    rows = {row.split("|")[1].strip(): row for row in ratios([group(SECONDS)])}
    assert "| 2.00 [1.90, 2.10] |" in rows["slow"]
    assert "| ***1.02 [0.97, 1.07]*** |" in rows["same"]
    assert "reference" not in rows


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        ({"one": 1.0, "other": 1.05}, "Of 2 comparisons between them, none ended"),
        ({"one": 1.0, "other": 1.5}, "Of 2 comparisons between them, 1 ended"),
    ],
)
def test_the_control_counts_every_ranking_of_one_layer(ratio: dict[str, float], words: str) -> None:
    assert words in control(controlled(**ratio))


def test_the_costs_are_of_the_published_sizes() -> None:
    rows = list(costs([group(SECONDS), group(SECONDS, size="large")]))
    assert len(rows) == 2 + len(SECONDS)


def test_the_page_leaves_the_control_out_of_the_table_and_tells_the_crossovers() -> None:
    catalogue = benchmark([group(SECONDS), *controlled(one=1.0).groups])
    sweep = benchmark([group({"reference": value, "flat": 3.0}, int(value)) for value in (1.0, 2.0, 8.0)])
    told = "\n".join(page(catalogue, {"family": sweep}))
    assert "| init-one |" not in told
    assert "from batch 8 flat wins (before: the reference" in told


def test_the_page_says_below_the_table_how_to_read_it() -> None:
    table, _, below = "\n".join(page(benchmark([group(SECONDS), *controlled(one=1.0).groups]), {})).partition(
        "| same |"
    )
    assert table
    assert "`n-d-linear` is a Python loop over rows" in below
    assert "an interval as wide as a factor 2 is quoted" in below
    reference = case_at(CATALOGUE["n-d-linear"], "every=2").claim.reference()
    assert isinstance(reference, RowwiseLinear), "the loop that the page tells of"
