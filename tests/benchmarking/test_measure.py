"""Only forms that are equal on the very case are timed, and the modules timed are held once more."""

import random
from dataclasses import replace

import pytest
import torch

from equivalence.catalogue import CATALOGUE
from properties.benchmarking.clock import HostClock
from properties.benchmarking.document import FormRecord
from properties.benchmarking.measure import Bench, Findings, measure
from properties.benchmarking.peak import Peak, measured
from properties.benchmarking.points import Point, case_at
from properties.cases.setting import Setting
from tests.benchmarking import forms
from tests.benchmarking.forms import Work

CLOCK = HostClock("work", Work.seconds)
BENCH = Bench(Setting(torch.float32), CLOCK, Peak(1e9, 1e9), budget=0, backward=True)
FORWARD = replace(BENCH, backward=False)
AT = "features=4,batch=3"


def timed(*claims: str, bench: Bench = BENCH, at: str = AT) -> Findings:
    cases = {name: case_at(getattr(forms, name), at) for name in claims}
    return measure("own", cases, Point("small", at), bench)


def record(findings: Findings, form: str, group: int = 0) -> FormRecord:
    return next(one for one in findings.groups[group].forms if one.form == form)


def test_a_planted_slow_form_is_slower_by_what_it_does_more() -> None:
    found = timed("TripleIsLinear", "CopyIsLinear")
    slow, copy = (record(found, name) for name in ("TripleIsLinear", "CopyIsLinear"))
    assert (slow.ratio, slow.low, slow.high) == pytest.approx((3, 3, 3))
    assert (slow.standing, slow.leads) == ("slower", False)
    assert (copy.standing, copy.leads) == ("not told apart", True)


def test_both_passes_are_timed_and_the_backward_counts_more() -> None:
    found = timed("CopyIsLinear")
    assert [group.timed for group in found.groups] == ["forward", "forward + backward"]
    assert record(found, "reference").multiply_adds == 3 * 4 * 4
    assert record(found, "reference", 1).multiply_adds == 3 * 3 * 4 * 4


def test_a_forward_alone_is_timed_without_a_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()

    def seconds() -> float:
        seen.add(torch.is_grad_enabled())
        return Work.seconds()

    monkeypatch.setattr(CLOCK, "now", seconds)
    found = timed("CopyIsLinear", bench=FORWARD)
    assert [group.timed for group in found.groups] == ["forward"]
    assert seen == {False}


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("ShiftedIsLinear", "refuted by forward: output[0, 0]: candidate"),
        ("RememberingIsLinear", "on new numbers: "),
        ("FrozenIsLinear", "on new numbers: "),
    ],
)
def test_a_form_that_is_not_equal_is_refused_with_what_differs(claim: str, words: str) -> None:
    found = timed(claim, "CopyIsLinear", bench=FORWARD)
    assert words in found.refused[claim]
    assert [form.form for form in found.groups[0].forms] == ["reference", "CopyIsLinear"]


def test_a_form_that_keeps_the_graph_of_its_first_call_is_refused_before_it_is_timed() -> None:
    assert "raised RuntimeError" in timed("RememberingIsLinear").refused["RememberingIsLinear"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_form_that_remembers_is_seen_in_every_dtype(dtype: torch.dtype) -> None:
    bench = replace(FORWARD, setting=Setting(dtype))
    found = timed("RememberingIsLinear", "CopyIsLinear", bench=bench)
    assert list(found.refused) == ["RememberingIsLinear"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_right_form_that_rounds_otherwise_is_timed_in_every_dtype(dtype: torch.dtype) -> None:
    found = timed("FlippedIsLinear", bench=replace(FORWARD, setting=Setting(dtype)), at="features=64,batch=9")
    assert not found.refused
    assert found.groups


def test_a_form_that_cannot_run_in_this_dtype_is_refused_alone() -> None:
    found = timed("DoubleOnlyIsLinear", "CopyIsLinear")
    assert "float64 only" in found.refused["DoubleOnlyIsLinear"]
    assert len(found.groups) == 2


def test_nothing_is_timed_where_no_candidate_is_equal() -> None:
    assert timed("ShiftedIsLinear").groups == []


def test_an_operation_that_is_not_counted_is_named_and_costs_no_0() -> None:
    found = timed("UncountedIsLinear")
    assert "bessel_j0" in found.uncounted["UncountedIsLinear"]
    uncounted = record(found, "UncountedIsLinear")
    assert (uncounted.multiply_adds, uncounted.peak_bytes, uncounted.part_of_peak) == (None, None, None)


def test_a_refuted_claim_of_the_catalogue_is_refused() -> None:
    case = case_at(CATALOGUE["local-matmul-reshape"], "half=4,batch=2")
    found = measure("own", {"local-matmul-reshape": case}, Point("small", ""), BENCH)
    assert "refuted by forward" in found.refused["local-matmul-reshape"]


def test_sizes_outside_the_claim_are_refused_with_the_remedy() -> None:
    found = timed("RefusingIsLinear")
    assert "give others with --at" in found.refused["RefusingIsLinear"]


def test_the_users_state_is_as_before() -> None:
    before = torch.get_rng_state(), random.getstate(), torch.is_grad_enabled(), torch.get_default_dtype()
    timed("CopyIsLinear", "RememberingIsLinear")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), torch.is_grad_enabled(), torch.get_default_dtype()) == before[1:]


def test_the_part_of_the_peak_is_the_larger_of_compute_and_memory() -> None:
    peak = Peak(multiply_adds_per_second=100, bytes_per_second=1000)
    assert peak.part(50, 100, 1) == (0.5, "compute")
    assert peak.part(50, 100, 0.5) == (1.0, "compute")
    assert peak.part(50, 900, 1) == (0.9, "memory")


def test_the_peak_is_what_the_best_trial_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = iter([3.0, 2.0, 4.0, 8.0, 4.0, 6.0])
    clock = HostClock("planned", lambda: 0.0)
    monkeypatch.setattr(clock, "seconds", lambda _step, _repetitions: next(trials))
    found = measured(Setting(torch.float32), clock)
    assert found.multiply_adds_per_second == 1024**3 / 2
    assert found.bytes_per_second == 2 * 2**23 * 4 / 4
