"""Sizes 0 and 1 of every field and free axis, and no leading axes, are tried in every cell of ten cases."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

import pytest
import torch
from torch import Tensor, nn

from equivalence import AtLeast, Between, Dim, Equivalence, Mask, Over, Real
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.values import LIMIT, LOOKS, NORMAL
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan
from properties.running.corners import BLOCKS, EXPLORED_BLOCKS, Corners


class Slip(nn.Linear):
    """Linear that is wrong for one size of x, where that is given."""

    def __init__(self, wide: int, high: int, wrong: Any = None) -> None:
        super().__init__(wide, high)
        self.wrong = wrong

    def forward(self, x: Tensor) -> Tensor:
        slips = self.wrong is not None and self.wrong(x)
        if slips and not x.numel():
            message = "empty"
            raise ValueError(message)
        return super().forward(x) + slips


class Masked(Equivalence):
    """Two sizes that a mask lies over, one that is never 0, and both sorts of free axes."""

    high: Dim
    wide: Annotated[int, AtLeast(1)]
    depth: Annotated[int, Between(0, 3)]
    mask: Annotated[Mask, Over("high wide")]
    slip = None

    x = Real("*batch tokens wide")

    def reference(self) -> nn.Module:
        return nn.Linear(self.wide, self.high)

    def candidate(self) -> nn.Module:
        return Slip(self.wide, self.high, type(self).slip)


def cells(slip: Any, pins: dict[str, Any] | None = None, law: str = "forward") -> Cell:
    return Cell(Domain(type("Slipping", (Masked,), {"slip": slip}), pins), LAWS[law])


def has(cases: list[Case], name: str, size: int) -> bool:
    return any(getattr(case.claim, name) == size for case in cases)


def test_one_small_case_is_given_for_each_size_that_none_had() -> None:
    corners = list(Corners(Domain(Masked)).uncovered([], []))
    assert [str(corner).replace("'", "").removesuffix(", seed=0") for corner in corners] == [
        "high=0, wide=2, depth=2, mask=Mask(rows=), batch=(2,), tokens=(2,)",
        "high=1, wide=2, depth=2, mask=Mask(rows=11), batch=(2,), tokens=(2,)",
        "high=2, wide=1, depth=2, mask=Mask(rows=1/1), batch=(2,), tokens=(2,)",
        "high=2, wide=2, depth=0, mask=Mask(rows=11/11), batch=(2,), tokens=(2,)",
        "high=2, wide=2, depth=1, mask=Mask(rows=11/11), batch=(2,), tokens=(2,)",
        "high=2, wide=2, depth=2, mask=Mask(rows=11/11), batch=(), tokens=(2,)",
        "high=2, wide=2, depth=2, mask=Mask(rows=11/11), batch=(0,), tokens=(2,)",
        "high=2, wide=2, depth=2, mask=Mask(rows=11/11), batch=(1,), tokens=(2,)",
        "high=2, wide=2, depth=2, mask=Mask(rows=11/11), batch=(2,), tokens=(0,)",
        "high=2, wide=2, depth=2, mask=Mask(rows=11/11), batch=(2,), tokens=(1,)",
    ]
    assert not list(Corners(Domain(Masked)).uncovered(corners, [NORMAL]))


def test_one_case_is_given_for_each_look_that_none_had() -> None:
    domain = Domain(Masked)
    wide = replace(domain.typical, axes=dict.fromkeys(domain.axes, (5,)), values="ties")
    corners = list(Corners(domain).uncovered([wide], ["zeros", "ties", "equal"]))
    assert [case.values for case in corners if case.values != NORMAL] == ["zeros", "equal"]
    # A look of few numbers, or of none, shows nothing.
    for axes in ((0,), (1,)):
        few = replace(wide, axes=dict.fromkeys(domain.axes, axes))
        assert "ties" in {case.values for case in Corners(domain).uncovered([few], ["ties"])}
    pinned = Domain(Masked, {"values": "small"})
    assert {case.values for case in Corners(pinned).uncovered([], LOOKS)} == {"small"}


def test_what_is_pinned_stays() -> None:
    pins = {"high": 3, "wide": 2, "depth": 1, "batch": (2, 0), "seed": 7}
    corners = list(Corners(Domain(Masked, pins)).uncovered([], []))
    assert {(case.claim.high, case.axes["batch"], case.seed) for case in corners} == {(3, (2, 0), 7)}  # type: ignore[attr-defined]
    assert [case.axes["tokens"] for case in corners] == [(0,), (1,)]


@pytest.mark.parametrize(("law", "looks"), [("forward", LOOKS), ("state", [NORMAL]), ("rejects", [NORMAL])])
def test_every_cell_of_ten_cases_has_them_all(law: str, looks: Iterable[str]) -> None:
    for examples, complete in ((10, True), (9, False)):
        missing = []
        for seed in range(8):
            cell = cells(None, law=law)
            cell.test(Plan(examples=examples, seed=seed))()
            missing += list(Corners(cell.domain).uncovered(cell.tally.cases, looks))
        assert (not missing) == complete


@pytest.mark.parametrize(
    ("slip", "shown"),
    [
        (lambda x: x.ndim == 2, "batch=()"),
        (lambda x: 0 in x.shape[:-2], "batch=("),
        (lambda x: not x.shape[-2], "tokens=(0,)"),
        (lambda x: x.shape[-1] == 1, "wide=1"),
    ],
)
def test_a_slip_there_is_found_at_every_seed(slip: Any, shown: str) -> None:
    for seed in range(10):
        with pytest.raises(Refuted) as refuted:
            cells(slip).test(Plan(examples=10, seed=seed))()
        assert shown in refuted.value.record.case


class FromTwoOn(Masked):
    """A reference that refuses what lies at the edge."""

    def reference(self) -> nn.Module:
        if self.high + self.wide < 4:
            message = "too small"
            raise ValueError(message)
        return super().reference()


def test_a_corner_that_the_reference_refuses_lies_outside_and_is_no_trouble() -> None:
    cell = Cell(Domain(FromTwoOn, {"wide": 2}), LAWS["forward"])
    cell.test(Plan(examples=10))()
    missing = Corners(cell.domain).uncovered(cell.tally.cases, LOOKS)
    assert [case.claim.high for case in missing] == [0, 1]  # type: ignore[attr-defined]
    assert cell.tally.outside >= 2


def blocks(wrong: Any) -> Cell:
    return cells(lambda x: x.ndim > 0 and wrong(x.shape[-1]))


def test_each_size_around_blocks_is_tried_of_each_field_and_free_axis_alone() -> None:
    domain = Domain(Masked)
    tried = list(Corners(domain).around_blocks(BLOCKS))
    usual = domain.sizes(domain.typical)
    large = [
        {name: size for name, size in domain.sizes(case).items() if size != usual[name]} for case in tried
    ]
    descending = sorted(BLOCKS, reverse=True)
    assert large == [{name: size} for name in ("high", "wide", "batch", "tokens") for size in descending]


def test_what_is_pinned_stays_and_what_is_too_large_is_left_out() -> None:
    domain = Domain(Masked, {"high": 4000, "batch": (2,)})
    found = {(case.claim.wide, case.axes["tokens"]) for case in Corners(domain).around_blocks(BLOCKS)}  # type: ignore[attr-defined]
    assert all(case.axes["batch"] == (2,) for case in Corners(domain).around_blocks(BLOCKS))
    assert found == {(33, (2,)), (64, (2,)), *((2, (size,)) for size in BLOCKS)}


@pytest.mark.parametrize("law", ["forward", "input_gradient", "parameter_gradient"])
def test_a_law_about_values_or_gradients_is_tried_around_blocks(law: str) -> None:
    cell = cells(None, law=law)
    cell.test(Plan())()
    assert {case.claim.wide for case in cell.tally.cases} >= set(BLOCKS)  # type: ignore[attr-defined]


def test_exploring_tries_more_sizes_around_blocks() -> None:
    assert set(BLOCKS) < set(EXPLORED_BLOCKS)
    cell = cells(None)
    cell.try_corners(Corners(cell.domain), exploring=True)
    assert {case.claim.wide for case in cell.tally.cases} >= set(EXPLORED_BLOCKS)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("wrong", "least"), [(lambda size: size > 100, 101), (lambda size: size == 64, 64)])
def test_the_least_size_that_fails_is_shown(wrong: Any, least: int) -> None:
    with pytest.raises(Refuted) as raised:
        blocks(wrong).test(Plan())()
    case = raised.value.verdict.case
    assert case.claim.wide == least  # type: ignore[attr-defined]
    assert max(size for shape in case.axes.values() for size in shape) < min(BLOCKS)


def test_the_numbers_of_the_corners_come_from_the_seed_of_the_run() -> None:
    cells = [Cell(Domain(Masked), LAWS["forward"]) for _ in range(2)]
    for number, cell in enumerate(cells):
        cell.try_corners(Corners(cell.domain, number))
        assert {case.seed for case in cell.tally.cases} == {number, 7}
    pinned = Corners(Domain(Masked, {"seed": 3}), 1)
    assert {case.seed for case in pinned.around_blocks(BLOCKS)} == {3}


class OtherInSingle(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (1.01 if x.dtype == torch.float32 else 1)


class OffInSingle(Masked):
    """Another function in float32 alone, in which every eighth case is."""

    def candidate(self) -> nn.Module:
        return OtherInSingle(self.wide, 2)

    def reference(self) -> nn.Module:
        return nn.Linear(self.wide, 2)


@pytest.mark.parametrize("law", ["forward", "input_gradient"])
def test_a_slip_in_float32_is_found_at_every_seed(law: str) -> None:
    for seed in range(6):
        with pytest.raises(Refuted):
            Cell(Domain(OffInSingle), LAWS[law]).test(Plan(examples=10, seed=seed))()


def test_every_corner_has_the_look_that_is_pinned() -> None:
    cell = Cell(Domain(OffInSingle, {"values": "ties"}), LAWS["input_gradient"])
    corners, uses = Corners(cell.domain), cell.domain.circumstances("gradients")
    cases = [*corners.uncovered([], LOOKS), *corners.in_single([]), *corners.unused([], uses)]
    assert {case.values for case in (*cases, *corners.around_blocks(BLOCKS))} == {"ties"}
    (single,) = corners.in_single([])
    assert not list(corners.in_single([single]))


def test_a_case_in_float32_is_added_where_none_with_entries_was_and_the_seed_is_free() -> None:
    corners = Corners(Domain(OffInSingle), 21)
    (case,) = corners.in_single([])
    assert case.in_single
    assert case.seed == 23
    assert not list(corners.in_single([case]))
    assert list(corners.in_single([replace(case, values=LIMIT)]))
    assert list(corners.in_single([replace(case, axes={"batch": (0,), "tokens": (1,)})]))
    assert not list(Corners(Domain(OffInSingle, {"seed": 3})).in_single([]))
