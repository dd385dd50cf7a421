"""The report card: every figure of its page is measured; a way that finds all or nothing shows as such."""

import itertools
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties.benchmarking.points import case_at
from properties.running.threads import threads_set
from tests.mutants import MUTANTS
from tests.report_card import finding, growth, pairs, scaling, summary, timing, words
from tests.report_card.card import QUICK, Card, measured
from tests.report_card.finding import PRODUCT, PUBLISHED, Effort
from tests.report_card.growth import BUILD, DRAW, LAYERS, NEEDED, SINGLE, TRAINING
from tests.report_card.laws import LawCost
from tests.report_card.page import page
from tests.report_card.pictures import draw
from tests.report_card.scaling import Scaled
from tests.report_card.timing import Spread
from tests.report_card.ways import WAYS, published_size

WAY = "one size, assert_close"
LITTLE = Effort(seeds=1, right_seeds=1, hypothesis_seeds=1, examples=1)


@pytest.fixture(scope="module")
def card() -> Card:
    """Measure a little of everything; the wall time of commands has a test of its own."""
    found = measured(replace(QUICK, counts=()), lambda _: None)
    return replace(found, scaled=[Scaled(7, 1, (8.5, 9.5)), Scaled(7, 2, (6.5, 6.75))])


def row(text: str, start: str) -> list[str]:
    """Give the cells of the first row of a table that starts so."""
    found = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


@pytest.mark.parametrize("way", WAYS)
def test_a_usual_way_finds_a_lost_bias(way: str) -> None:
    assert WAYS[way](MUTANTS["LosesBias"], 0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["two-d-fc", "masked-where"])
def test_a_usual_way_accepts_a_right_form(way: str, name: str) -> None:
    assert not WAYS[way](CATALOGUE[name], 0)


@pytest.mark.parametrize("way", WAYS)
def test_a_usual_way_does_not_look_at_what_is_refused(way: str) -> None:
    assert not WAYS[way](MUTANTS["CastsInput"], 0)


def test_the_page_shows_who_finds_what(card: Card) -> None:
    text = page(card)
    assert row(text, "rejects")[1:3] == ["1", "100 %"]
    assert row(text, "rejects")[3:] == ["0 %"] * len(WAYS)
    assert row(text, "input_gradient")[1:] == ["1"] + ["100 %"] * (1 + len(WAYS))
    assert row(text, "**all**")[1:] == ["2", "100 %"] + ["50 %"] * len(WAYS)
    assert row(text, "**the function and its derivatives**")[1] == "1"


@pytest.mark.parametrize(("answer", "share"), [(True, "100 %"), (False, "0 %")])
def test_a_way_that_always_says_the_same_shows_it(
    answer: bool,  # noqa: FBT001  (the parameter of the test)
    share: str,
    card: Card,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def always(_claim: type[Equivalence], _number: int) -> bool:
        return answer

    monkeypatch.setitem(WAYS, WAY, always)
    monkeypatch.setattr(finding, "_laws_of", lambda _claim: ["forward"])
    tried = [*finding.tried_mutant(1, "CastsInput"), *finding.tried_mutant(1, "LosesBias")]
    text = page(replace(card, tried=tried, held=finding.held_claim(LITTLE, "n-d-linear-flatten")))
    column = 2 + [PRODUCT, *WAYS].index(WAY)
    assert row(text, "rejects")[column] == row(text, "forward")[column] == share
    (rejected,) = [line for line in text.splitlines() if line.startswith(f"| {WAY} | 1 |")]
    assert rejected.endswith(f"({share}) |")


def test_a_suite_that_finds_nothing_misses_its_goal(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "rejection", lambda _cell, _number: None)
    text = page(replace(card, tried=finding.tried_mutant(1, "LosesBias")))
    assert row(text, "all mutants found")[1:] == ["0 %", "**missed**"]
    assert row(text, "first counterexample in less than 0.5 s, as the median")[2] == "**missed**"
    assert f"{PRODUCT} finds in no run: LosesBias." in text


def test_a_suite_that_rejects_a_right_form_misses_its_goal(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "CATALOGUE", {**CATALOGUE, "two-d-fc": MUTANTS["LosesBias"]})
    monkeypatch.setattr(finding, "_laws_of", lambda _claim: ["input_gradient", "forward"])
    text = page(replace(card, held=finding.held_claim(replace(LITTLE, examples=None), "two-d-fc")))
    assert row(text, "no right form rejected")[1:] == ["1 of 1 rejected", "**missed**"]


def test_the_page_shows_who_is_right_about_pairs(card: Card) -> None:
    assert {(one.side, one.pair) for one in card.judged} == {
        ("right", "SoftmaxFromLogarithm"),
        ("wrong", "CutAtFifty"),
    }
    text = page(card).partition("## Pairs with hard numerics")[2]
    assert row(text, PRODUCT)[1:3] == ["1", "0 (0 %)"]
    assert row(text, "one size, assert_close, float32")[1:] == ["1", "0 (0 %)", "1", "0 (0 %)"]
    assert "Of the right pairs, one size, assert_close, float64 rejects: none." in text


@pytest.mark.parametrize(
    ("rejected", "cells"), [(0, ["0 (0 %)", "0 (0 %)"]), (2, ["1 (100 %)", "1 (100 %)"])]
)
def test_a_way_that_judges_pairs_alike_shows_it(rejected: int, cells: list[str], card: Card) -> None:
    way = "gradcheck, fast mode"
    judged = [replace(one, runs=2, rejected=rejected if one.way == way else 1) for one in card.judged]
    text = page(replace(card, judged=judged)).partition("## Pairs with hard numerics")[2]
    assert row(text, way)[2::2] == cells
    assert row(text, PRODUCT)[2::2] == ["1 (100 %)", "0 (0 %)"]


def test_a_wrong_pair_is_found_by_this_suite_where_usual_ways_see_nothing() -> None:
    effort = replace(LITTLE, pair_seeds=1)
    rejected = {one.way: one.rejected for one in pairs.judged_pair(effort, "wrong CutAtFifty")}
    assert rejected == {PRODUCT: 1} | dict.fromkeys(pairs.WAYS, 0)


def test_assert_close_rejects_some_right_pairs() -> None:
    effort = replace(LITTLE, pair_seeds=1, pair_examples=1)
    rejected = {one.way: one.rejected for one in pairs.judged_pair(effort, "right VarianceInOnePass")}
    assert rejected[PRODUCT] == 0
    assert rejected["one size, assert_close, float32"] == 1


def test_sums_at_the_published_size_are_a_way_of_their_own(card: Card) -> None:
    assert {one.way for one in card.held} == {PRODUCT, *WAYS, PUBLISHED}
    assert isinstance(published_size("n-d-linear", 0), bool)


def test_the_seconds_on_the_page_are_those_measured(card: Card) -> None:
    tried = [replace(one, seconds=(0.0625, 0.125, 0.375)) for one in card.tried]
    text = page(replace(card, tried=tried))
    assert "| 0.125 s | 0.375 s | 0.375 s |" in text
    assert summary.seconds([]) != summary.seconds([])


def test_the_costs_of_a_law_on_the_page_are_those_measured(card: Card) -> None:
    cost = LawCost("forward", 3, 75, Spread(1, 2, 3), Spread(4, 5.25, 6), Spread(1.5, 1.75, 2))
    cells = row(page(replace(card, laws=[cost])), "forward | 3")
    assert cells[3:] == ["2.00 (1.00 to 3.00)", "5.25 (4.00 to 6.00)", "1.75 (1.50 to 2.00)"]


def test_a_ratio_above_its_goal_is_named_with_what_it_is_spent_on(card: Card) -> None:
    slow = replace(
        card.grown[0],
        entries=10**6,
        training=Spread(1, 3.21, 4),
        parts={BUILD: 0.1, DRAW: 0.9, "compare": 0.3},
    )
    text = page(replace(card, grown=[slow]))
    assert "0 of 1 layers × laws × sizes, the worst 3.21" in text
    assert "3.21, more than 1.1; the largest part of the rest is spent to draw." in text
    fine = page(replace(card, grown=[replace(slow, training=Spread(0.5, 0.75, 1))]))
    assert "the largest part of the rest" not in fine
    assert row(fine, "from 1,000,000 entries on, a case takes at most 1.1 × the forms' own time")[2] == "met"


def test_the_wall_times_on_the_page_are_those_measured(card: Card) -> None:
    assert "| 7 | 1 | 8.5 to 9.5 |\n| 7 | 2 | 6.5 to 6.8 |" in page(card)


def test_no_figure_of_a_measurement_is_written_by_hand() -> None:
    texts = [value for name, value in vars(words).items() if name.isupper()]
    assert texts
    assert not [text for text in texts if re.search(r"\d\.\d|\d ?%|\d+ (ms|s)\b", text)]


def test_one_case_in_eight_is_one_that_runs_in_float32() -> None:
    law = "forward"
    seconds = dict.fromkeys((law + NEEDED, BUILD, DRAW, law + growth.COMPARED), np.array([1.0, 1.0]))
    seconds |= {law: np.array([1.0, 1.0]), law + SINGLE: np.array([9.0, 9.0]), TRAINING: np.array([4.0, 8.0])}
    one = growth._grown("layer", law, 100, seconds, trace=12.0)
    assert one.milliseconds == 2000
    assert one.training.middle == (2 / 4 + 2 / 8) / 2
    assert one.trace == 2


@pytest.mark.parametrize("layer", LAYERS)
def test_the_layers_grow_by_powers_of_ten(layer: str) -> None:
    sizes = [growth._entries(case_at(CATALOGUE[layer], f"{text},bias=true")) for text in LAYERS[layer][:4]]
    ratios = [np.log10(larger / smaller) for smaller, larger in itertools.pairwise(sizes)]
    assert all(0.9 < ratio < 1.1 for ratio in ratios), sizes


def test_steps_are_timed_in_the_same_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    class Priced:
        """A clock that asks each step what it takes."""

        def seconds(self, step: Callable[[], float], repetitions: int) -> float:
            return step() * repetitions

    monkeypatch.setattr(timing, "CLOCK", Priced())
    found = timing.side_by_side({"one": lambda: 1e-4, "ten": lambda: 1e-3}, budget=0.1, least=3)
    assert len(found["one"]) == len(found["ten"]) == 25
    assert np.allclose(found["ten"] / found["one"], 10)
    assert len(timing.side_by_side({"slow": lambda: 100.0}, budget=0.1, least=3)["slow"]) == 3


def test_quartiles_of_nothing_are_no_numbers() -> None:
    assert timing.spread([1, 2, 3, 4, 5]) == Spread(2, 3, 4)
    assert np.isnan(timing.spread([]).middle)


def test_threads_are_as_before() -> None:
    before = torch.get_num_threads()
    with threads_set(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_a_command_that_fails_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "CATALOGUE", {"no-such-claim": None})
    with pytest.raises(subprocess.CalledProcessError):
        list(scaling.scaled([1], repeats=1))


def test_the_pictures_are_the_same_for_the_same_measurements(card: Card, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first, second = (draw(card, tmp_path / name) for name in ("first", "second"))
    assert [path.name for path in first] == [
        "report-card-found.svg",
        "report-card-growth.svg",
        "report-card-claims.svg",
    ]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    (changed,) = [
        path
        for path in draw(replace(card, scaled=card.scaled[:1]), tmp_path / "third")
        if path.name == "report-card-claims.svg"
    ]
    assert changed.read_bytes() != first[2].read_bytes()
