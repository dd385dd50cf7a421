"""The sizes worth measuring: every claim has some, and a command line can give others."""

import inspect
import math

import pytest

from equivalence.catalogue import CATALOGUE
from equivalence.variable import ClaimError
from properties.benchmarking.points import Point, case_at, named_points, swept_points
from properties.benchmarking.sizes import FAMILIES, NAMES, Family, family_of
from properties.cases.domain import Domain
from properties.reading.claims import UsageError
from tests.benchmarking.forms import CopyIsLinear

MOST_ENTRIES = 2**25
"""An input beyond this is no benchmark of a layer, but of a machine's memory."""


def every_point(family: Family) -> list[Point]:
    swept = swept_points(family, "own", "")
    return [*named_points(family, NAMES, ""), swept[0], swept[-1]]


def test_every_claim_is_in_one_family() -> None:
    listed = [claim for family in FAMILIES.values() for claim in family.claims]
    assert sorted(listed) == sorted(CATALOGUE)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_has_one_reference_and_the_same_fields(name: str) -> None:
    claims = [CATALOGUE[claim] for claim in FAMILIES[name].claims]
    assert len({claim.reference for claim in claims}) == 1
    assert len({tuple(Domain(claim).fields) for claim in claims}) == 1
    sources = [inspect.getsource(claim.reference) for claim in claims]
    assert len(claims) == 1 or "self.form" not in sources[0], "a reference that each claim makes its own"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_size_of_a_family_is_a_case_of_its_claims(name: str) -> None:
    family = FAMILIES[name]
    for point in every_point(family):
        for claim in family.claims:
            case = case_at(CATALOGUE[claim], point.at)
            shapes = [case.shape(variable) for variable in case.claim.inputs().values()]
            assert 0 < max(map(math.prod, shapes)) <= MOST_ENTRIES


@pytest.mark.parametrize("name", FAMILIES)
def test_the_sizes_grow_from_small_to_large(name: str) -> None:
    claim = CATALOGUE[FAMILIES[name].claims[0]]
    small, _, large = (
        Domain(claim).sizes(case_at(claim, point.at)) for point in named_points(FAMILIES[name], NAMES, "")
    )
    assert math.prod(small.values()) < math.prod(large.values())


def test_sizes_that_are_given_stand_before_the_published_ones() -> None:
    _, family = family_of("two-d-fc")
    point = named_points(family, NAMES, "batch=3")[0]
    case = case_at(CATALOGUE["two-d-fc"], point.at)
    assert (case.axes, case.claim.height) == ({"batch": (3,)}, 28)  # type: ignore[attr-defined]


@pytest.mark.parametrize("sweep", ["", "own", "batch=2:2,height=5"])
def test_a_size_for_all_others_stands_before_the_published_ones(sweep: str) -> None:
    _, family = family_of("two-d-fc")
    at = "every=3,width=4"
    points = swept_points(family, sweep, at) if sweep else named_points(family, NAMES, at)
    sizes = Domain(CATALOGUE["two-d-fc"]).sizes(case_at(CATALOGUE["two-d-fc"], points[0].at))
    assert (sizes["width"], sizes["out_features"]) == (4, 3)
    assert sizes["height"] == (5 if "height" in sweep else 3)


def test_the_size_of_all_others_can_be_swept() -> None:
    claim = CATALOGUE["two-d-fc"]
    points = swept_points(FAMILIES["two-d-fc"], "every=1:2", "width=4")
    sizes = [Domain(claim).sizes(case_at(claim, point.at)) for point in points]
    assert [(one["width"], one["height"]) for one in sizes] == [(4, 1), (4, 2)]


def test_sizes_that_are_given_stand_before_those_of_the_claims_own_sweep() -> None:
    points = swept_points(FAMILIES["two-d-fc"], "own", "height=5")
    assert all("height=5" in point.at and "width=28" in point.at for point in points)


def test_a_claim_of_the_users_own_has_sizes_too() -> None:
    cases = [case_at(CopyIsLinear, point.at) for point in named_points(None, NAMES, "")]
    assert [case.axes["batch"] for case in cases] == [(4,), (32,), (256,)]


def test_a_percentage_draws_a_mask_the_same_one_every_time() -> None:
    claim = CATALOGUE["masked-where"]
    at = "out_features=100,in_features=100,mask=5%,batch=2,bias=true"
    one, other = (case_at(claim, at).claim.mask for _ in range(2))  # type: ignore[attr-defined]
    assert one == other
    assert 300 < one.rows.count("1") < 700


def test_a_sweep_doubles_one_size_and_leaves_the_others() -> None:
    points = swept_points(FAMILIES["two-d-fc"], "batch=1:10", "out_features=7")
    assert [(point.axis, point.value) for point in points] == [("batch", n) for n in (1, 2, 4, 8)]
    assert all("out_features=7" in point.at and "height=28" in point.at for point in points)


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        ("batch=4", "takes one range"),
        ("batch=1:4,height=1:4", "takes one range"),
        ("batch=0:4", "from 1 or more upwards"),
        ("batch=8:4", "from 1 or more upwards"),
        ("batch", "name=value"),
    ],
)
def test_a_sweep_that_is_none_says_what_one_is(sweep: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        swept_points(FAMILIES["two-d-fc"], sweep, "")


def test_a_claim_of_the_users_own_names_its_sweep() -> None:
    with pytest.raises(UsageError, match="name the axis"):
        swept_points(None, "own", "")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("height=5%", "a percentage is of a mask"),
        ("batch=2,batch=3", "each name once"),
        ("depth=3", "'depth' was given"),
        ("height=x", "height=x"),
    ],
)
def test_sizes_that_are_none_are_refused(at: str, words: str) -> None:
    with pytest.raises((UsageError, ClaimError), match=words):
        case_at(CATALOGUE["two-d-fc"], at)
