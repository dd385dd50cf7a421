"""The law of fresh parameters: what the catalogue states of them, and the command that measures the law."""

import math
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import Tensor

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from equivalence.claims.initialisers import SparseIsTextbook
from equivalence.claims.linear import FlattenLinearIsLinear
from equivalence.variable import ClaimError
from properties.cases.domain import Domain
from properties.cases.regime import Reals
from properties.cases.sample import Sample, build
from properties.judging.judge import Judge
from properties.laws import LAWS
from properties.laws.constructions import MOST_STORED, _constructions, _seeds
from properties.laws.initialisation import scattered
from tests.power.page import Measured, page
from tests.power.trials import Count, counts
from tests.power.whole import NOT_SHOWN, SHOWN, Run, right_claims, runs
from tests.power.wrong import families

LAW = LAWS["initialisation"]


def started(claim: Equivalence, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Give what both forms start with under one seed, parameter by parameter, without what is dead."""
    reference, candidate = (build(claim, side, seed) for side in ("reference", "candidate"))
    own = {
        name: value.detach() for name, value in (*reference.named_parameters(), *reference.named_buffers())
    }
    carried, dead = claim.carry(own), claim.dead_in_candidate()
    return [
        (carried[name].masked_fill(dead[name], 0), value.detach().masked_fill(dead[name], 0))
        if name in dead
        else (carried[name], value.detach())
        for name, value in candidate.named_parameters()
    ]


def strongest(pairs: list[tuple[Tensor, Tensor]]) -> str:
    if all(torch.equal(one, other) for one, other in pairs):
        return "same"
    ordered = [[side.flatten().sort().values for side in pair] for pair in pairs]
    return "permuted" if all(torch.equal(one, other) for one, other in ordered) else "any"


@pytest.mark.parametrize("claim", CATALOGUE.values(), ids=CATALOGUE)
def test_a_claim_says_as_much_of_its_fresh_draws_as_is_true(claim: type[Equivalence]) -> None:
    domain = Domain(claim)
    found = strongest([pair for case in domain.wide() for pair in started(case.claim, case.seed)])
    # In a wide case every connection of a mask lives; with others fewer draws may be the same.
    assert claim.fresh_draws == found or (domain.masks and claim.fresh_draws == "any")


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name.startswith("init-")])
def test_every_initialiser_has_a_closed_form(name: str) -> None:
    assert [*Domain(CATALOGUE[name]).exemplar.initial()] == ["1.weight"]


class MisspeltDraws(FlattenLinearIsLinear):
    fresh_draws = "equal"  # type: ignore[assignment]


def test_another_word_for_the_draws_is_an_error_that_names_the_words() -> None:
    domain = Domain(MisspeltDraws)
    with pytest.raises(ClaimError, match="fresh_draws is any, same or permuted, but is 'equal'"):
        Judge(domain, LAW).verdict(domain.typical)


def test_no_construction_of_one_form_has_the_seed_of_one_of_the_other() -> None:
    sample = Sample(next(Domain(FlattenLinearIsLinear).wide()), Reals(torch.float64))
    seeds = [_seeds(sample, form, 512) for form in (sample.reference, sample.candidate)]
    assert len(seeds[0]) == len(seeds[1]) == 512
    assert not set(seeds[0]) & set(seeds[1])


@pytest.mark.parametrize("count", [32, 100, 512, 10240])
def test_no_two_constructions_have_one_seed(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = Sample(next(Domain(FlattenLinearIsLinear).wide()), Reals(torch.float64))
    # Whatever is drawn, and so where it is always the same.
    monkeypatch.setattr(torch, "randint", lambda high, shape, **_: torch.full(shape, high - 1))
    for form in (sample.reference, sample.candidate):
        seeds = _seeds(sample, form, count)
        assert len(set(seeds)) == count
        assert max(seeds) < 2**32


@pytest.mark.parametrize(("entries", "count"), [(0, 512), (1, 512), (MOST_STORED // 100, 100), (2**30, 32)])
def test_large_modules_are_constructed_less_often(entries: int, count: int) -> None:
    assert _constructions(next(Domain(FlattenLinearIsLinear).wide()).claim, entries) == count


@pytest.mark.parametrize(("percent", "left"), [(10, 10), (50, 6), (90, 1)])
def test_modules_of_many_zeros_are_constructed_more_often(percent: Literal[10, 50, 90], left: int) -> None:
    claim = SparseIsTextbook(out_channels=12, in_channels=2, kernel_size=1, percent=percent)
    assert _constructions(claim, 24) == math.ceil(512 * 12 / left)


def test_modules_of_nothing_but_zeros_are_not_constructed_more_often() -> None:
    claim = SparseIsTextbook(out_channels=4, in_channels=2, kernel_size=1, percent=90)
    assert claim.initial()["1.weight"].variance == 0
    assert _constructions(claim, 8) == 512


@pytest.mark.parametrize(("size", "kept"), [(1, 1), (2, 1), (129, 128), (359, 128), (1440, 128), (10**6, 1)])
def test_no_entry_of_a_construction_is_counted_twice(size: int, kept: int) -> None:
    places = scattered(size, (32, kept), torch.Generator().manual_seed(0))
    assert places.shape == (32, kept)
    assert 0 <= places.min() <= places.max() < size
    assert all(len(row.unique()) == kept for row in places)


def test_few_trials_of_every_family_find_nothing_missed() -> None:
    found = [one for family in families() for one in counts(family, 5, 20, seed=7)]
    assert {one.mistaken for one in found} == {0}
    assert {one.trials for one in found if one.wrong} == {20}


def test_a_family_that_is_not_spoiled_is_missed_each_time() -> None:
    family = replace(families()[0], wrongs={"nothing": lambda right, _: right})
    _, missed = counts(family, 0, 20, seed=0)
    assert missed.mistaken == 20
    assert missed.bound == pytest.approx(1)


def test_the_bound_is_the_one_of_clopper_and_pearson() -> None:
    assert Count("", "x", 3000, 0).bound == pytest.approx(1 - 0.05 ** (1 / 3000))
    assert Count("", "x", 100, 3).bound == pytest.approx(0.0757, abs=1e-3)


def test_the_whole_law_shows_the_scale_of_what_it_draws() -> None:
    (found,) = runs(["init-normal"], 3)
    assert (found.refused, found.scale, found.under_one_seed) == (False, SHOWN, "")
    assert found.tests > 10


def run(name: str, *, refused: bool = False, scale: str = SHOWN, under_one_seed: str = "") -> Run:
    return Run(name, 1, refused, scale, under_one_seed)


RIGHT = Measured([Count("U", "scale", 3000, 0)], [run("init-normal")], [], 1)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RIGHT, missed=["DrawsUniform"]),
        replace(RIGHT, counts=[Count("U", "", 10, 1)]),
        replace(RIGHT, counts=[Count("U", "scale", 100, 0)]),
        replace(RIGHT, runs=[run("init-normal", refused=True)]),
        replace(RIGHT, runs=[run("init-normal", scale=NOT_SHOWN)]),
    ],
    ids=["missed", "false alarm", "too few trials", "refused", "no scale"],
)
def test_the_command_fails_where_the_law_is_not_as_said(wrong: Measured) -> None:
    assert not wrong.as_said


def test_equal_numbers_show_a_scale_that_statistics_do_not() -> None:
    assert RIGHT.as_said
    assert replace(RIGHT, runs=[run("x", scale=NOT_SHOWN, under_one_seed="the same draws")]).as_said


def test_the_page_names_every_claim_that_should_hold_once() -> None:
    found = [run(name) for name in right_claims()]
    text = page(Measured([], found * 2, [], 2))
    assert [text.count(f"\n| {one.claim} |") for one in found] == [1] * len(found)
