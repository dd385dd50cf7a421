"""The cases that are drawn reach every corner that the claims speak of."""

from typing import Annotated, Literal

import torch
from hypothesis import HealthCheck, given, settings
from torch import nn

from equivalence import Between, Dim, Equivalence, Mask, Over, Real
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.fields import LARGE, WIDE
from properties.cases.setting import Setting
from properties.cases.strategies import cases


class Everything(Equivalence):
    """Every kind of field and axis."""

    height: Dim
    width: Dim
    groups: Annotated[int, Between(2, 4)]
    bias: bool
    start: Literal[0, 1]
    activation: Literal["relu", "tanh"]
    mask: Annotated[Mask, Over("height width")]
    x = Real("*batch height 3 length")

    def reference(self) -> nn.Module:
        return nn.Identity()

    def candidate(self) -> nn.Module:
        return nn.Identity()


def drawn(domain: Domain, *, wide: bool = False, count: int = 600) -> list[Case]:
    found: list[Case] = []

    @settings(max_examples=count, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(cases(domain, wide=wide))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def test_corners_are_reached() -> None:
    found = drawn(Domain(Everything))
    claims = [case.claim for case in found if isinstance(case.claim, Everything)]
    assert {claim.height for claim in claims} == {*range(7), LARGE}
    assert {claim.groups for claim in claims} == {2, 3, 4}
    assert {(claim.bias, claim.activation) for claim in claims} == {
        (bias, activation) for bias in (False, True) for activation in ("relu", "tanh")
    }
    assert {repr(claim.start) for claim in claims} == {"0", "1"}, "an option that equals a bool is no bool"
    assert {repr(claim.bias) for claim in claims} == {"False", "True"}
    assert any(claim.height == claim.width > 1 for claim in claims)
    assert any(claim.height != claim.width for claim in claims)
    leading = {len(case.axes["batch"]) for case in found}
    assert leading == {0, 1, 2, 3}
    assert any(0 in case.axes["batch"] for case in found)
    assert {case.axes["length"] for case in found} >= {(0,), (1,), (5,)}


def test_masks_have_every_density() -> None:
    claims = [case.claim for case in drawn(Domain(Everything)) if isinstance(case.claim, Everything)]
    sized = [
        (claim.mask.rows.count("1"), claim.height * claim.width)
        for claim in claims
        if claim.height * claim.width > 3
    ]
    assert any(live == 0 for live, _ in sized)
    assert any(live == total for live, total in sized)
    assert any(live == 1 for live, _ in sized)
    assert any(1 < live < total - 1 for live, total in sized)
    for claim in claims:
        assert claim.mask.tensor(claim.height, claim.width).shape == (claim.height, claim.width)


def test_shapes_follow_the_axes() -> None:
    for case in drawn(Domain(Everything), count=50):
        assert isinstance(case.claim, Everything)
        shape = (*case.axes["batch"], case.claim.height, 3, *case.axes["length"])
        assert case.shape(Everything.x) == shape


def test_pins_are_kept() -> None:
    pins = {"height": 2, "batch": (4, 1), "mask": Mask("1/0"), "width": 1, "seed": 7}
    for case in drawn(Domain(Everything, pins), count=30):
        assert isinstance(case.claim, Everything)
        assert (case.claim.height, case.axes["batch"], case.claim.mask, case.seed) == (
            2,
            (4, 1),
            Mask("1/0"),
            7,
        )


def test_wide_cases_have_many_entries() -> None:
    for case in drawn(Domain(Everything), wide=True, count=30):
        assert isinstance(case.claim, Everything)
        assert case.claim.height in WIDE


NAMES = {
    "Case": Case,
    "Everything": Everything,
    "Mask": Mask,
    "Setting": Setting,
    "torch": torch,
    "device": torch.device,
}
"""What stands in the repr of a case."""


def test_a_case_repeats_from_its_repr() -> None:
    for case in drawn(Domain(Everything), count=30):
        assert eval(repr(case), NAMES) == case  # noqa: S307
