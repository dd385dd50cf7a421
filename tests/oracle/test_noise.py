"""How far rounding carries an output, told from runs made up for it; every part of that is broken once."""

import math
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from properties.oracle import rounding
from tests.oracle.breaking import seen

INF, NAN = math.inf, math.nan
EPS = 2.0**-52
UNIT = 2.0**-20
"""Of deviations that are compared up to 1e-12."""


def tensor(*values: Any, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(values, dtype=dtype)


def runs(*deviations: float, size: float = 1.0) -> list[Tensor]:
    """Give runs of one number, each with a deviation of its own."""
    return [tensor(size + one) for one in deviations]


def check_few_units_of_each_entry_are_close(module: Any) -> None:
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        eps = torch.finfo(dtype).eps
        one, other = tensor(1, 1, 1, 16, dtype=dtype), tensor(1, 1 + 4 * eps, 1 + 5 * eps, 16, dtype=dtype)
        assert module.close(one, other).tolist() == [True, True, False, True]
        assert module.close(one, other, whole=True).all()
        assert not module.close(one, other * 3, whole=True).any()


def check_what_underflows_is_close(module: Any) -> None:
    tiny = torch.finfo(torch.float64).tiny
    assert module.close(tensor(tiny), tensor(1e10 * tiny)).all()
    assert not module.close(tensor(tiny), tensor(1e20 * tiny)).any()
    assert module.ratio(tensor(1e-300), tensor(2e-300), tensor(0.0)) == 0


def check_in_float16_subnormal_numbers_alone_are_left_out(module: Any) -> None:
    tiny = torch.finfo(torch.float16).tiny
    assert module.underflow(torch.float16) == tiny
    assert module.close(tensor(tiny / 2).half(), tensor(tiny).half()).all()
    assert not module.close(tensor(10 * tiny).half(), tensor(20 * tiny).half()).any()


def check_the_noise_of_small_numbers_of_float16_is_no_coarser_than_they_are(module: Any) -> None:
    plain, one, other = (tensor(value).half() for value in (1e-3, 1.01e-3, 1.05e-3))
    found = module.noise(plain, [one, other]).double()
    wanted = torch.stack([run.double() - plain.double() for run in (one, other)]).square().mean(0).sqrt()
    assert (found / wanted - 1).abs().max() < 1e-5
    assert module.half_the_digits(torch.float64) == 2.0**26


def check_the_same_infinity_and_nan_beside_nan_are_close(module: Any) -> None:
    one = tensor(INF, -INF, NAN, INF, INF, NAN, 1)
    other = tensor(INF, -INF, NAN, -INF, 1, 1, INF)
    for whole in (False, True):
        found = module.close(one, other, whole=whole).tolist()
        assert found == [True, True, True, False, False, False, False]
    assert module.close(tensor(), tensor(), whole=True).shape == (0,)


def check_the_size_of_a_whole_is_a_finite_one(module: Any) -> None:
    assert module.close(tensor(1, INF), tensor(1 + 8 * EPS, INF), whole=True).tolist() == [False, True]


def check_noise_is_the_root_of_the_mean_square(module: Any) -> None:
    found = module.noise(tensor(1.0), runs(3 * UNIT, -4 * UNIT))
    assert found.item() == pytest.approx(math.sqrt((9 + 16) / 2) * UNIT)


def check_squares_do_not_leave_the_range(module: Any) -> None:
    for size in (1e-200, 1e200):
        found = module.noise(tensor(size), [tensor(size * 1.5), tensor(size * 0.5)])
        assert found.item() == pytest.approx(size / 2)


def check_the_largest_quarter_is_left_out(module: Any) -> None:
    assert module.noise(tensor(1.0), runs(UNIT, UNIT, UNIT, 1.0)).item() == pytest.approx(UNIT)
    assert module.noise(tensor(1.0), runs(*[UNIT] * 6, 1.0, 1.0)).item() == pytest.approx(UNIT)
    assert module.noise(tensor(1.0), runs(UNIT, UNIT, 1.0)).item() > 0.1
    assert module.noise(tensor(1.0), runs(*[UNIT] * 5, 1.0, 1.0, 1.0)).item() > 0.1


def check_of_very_many_entries_each_is_granted_more(module: Any) -> None:
    for entries, more in ((1, 1.0), (1024, 1.0), (2**20, math.sqrt(2)), (2**15, math.sqrt(1.5))):
        plain = torch.ones(entries, dtype=torch.float64)
        found = module.noise(plain, [plain + 1e-3, plain - 1e-3])
        assert found[0].item() == pytest.approx(more * 1e-3)
        assert found.unique().numel() == 1


def check_no_entry_has_less_noise_than_is_usual(module: Any) -> None:
    plain = tensor(1.0, 1.0, 1.0, 1000.0, 0.0)
    found = module.noise(plain, [plain + tensor(1e-3, 1e-3, 1e-3, 0.0, 0.0)])
    assert found.tolist() == pytest.approx([1e-3, 1e-3, 1e-3, 1.0, 0.0])
    found = module.noise(plain, [plain + tensor(1e-3, 0.0, 0.0, 0.0, 0.0)])
    assert found.tolist() == pytest.approx([1e-3, 1e-3, 1e-3, 1.0, 0.0])
    # What is usual is no outlier.
    found = module.noise(plain, [plain + tensor(1e-3, 1e-3, 0.9, 0.0, 0.0)])
    assert found.tolist() == pytest.approx([1e-3, 1e-3, 0.9, 1.0, 0.0])


def check_what_is_no_number_has_no_noise(module: Any) -> None:
    plain = tensor(1.0, INF, NAN, 1.0)
    found = module.noise(plain, [tensor(1.0 + UNIT, INF, NAN, INF)])
    assert found.tolist() == pytest.approx([UNIT, 0.0, 0.0, UNIT])


def check_a_run_of_another_shape_says_nothing(module: Any) -> None:
    assert module.noise(tensor(1.0), [tensor(2.0, 2.0), *runs(UNIT)]).item() == pytest.approx(UNIT)
    for found in (module.noise(tensor(1.0), []), module.widest(tensor(1.0), [tensor(2.0, 2.0)])):
        assert found.tolist() == [0.0]


def check_the_noise_of_a_complex_number_is_its_size(module: Any) -> None:
    plain = torch.tensor([3 + 4j], dtype=torch.complex128)
    assert module.noise(plain, [plain + 3e-9 + 4e-9j]).tolist() == pytest.approx([5e-9])


def check_widest_is_the_largest_deviation_of_any_run(module: Any) -> None:
    plain = tensor(1.0, 100.0)
    disturbed = [plain + tensor(1e-3, 0.0), plain + tensor(4e-3, 1e-3)]
    # The part of its size that an entry was moved by is granted to all.
    assert module.widest(plain, disturbed).tolist() == pytest.approx([4e-3, 0.4])
    assert module.widest(plain, disturbed, 0.1).tolist() == pytest.approx([10.0, 10.0])
    assert module.widest_part(plain, disturbed) == pytest.approx(4e-3)
    assert module.widest_part(tensor(0.0), [tensor(1.0)]) == 0.0
    assert module.widest_part(tensor(), []) == 0.0


def check_a_ratio_is_the_distance_over_the_noise(module: Any) -> None:
    found = module.ratio(tensor(1.0, 1.0, 0.0), tensor(3.0, 1 + 2 * EPS, 1.0), tensor(0.5, 0.0, 0.0))
    assert found[:2].tolist() == [4.0, 0.0]
    assert 1e200 < found[2] < INF


def check_what_alone_is_finite_is_beyond_any_noise(module: Any) -> None:
    one, other = tensor(INF, INF, NAN, 1, NAN, INF), tensor(1, -INF, 1, NAN, NAN, INF)
    assert module.ratio(one, other, torch.ones(6)).tolist() == [INF, INF, INF, INF, 0.0, 0.0]
    assert module.largest(module.ratio(one, other, torch.ones(6))) == sys.float_info.max
    assert module.largest(tensor()) == 0.0


def less(module: Any, apart: float, noise: float, more: float) -> float:
    value = torch.ones(4, dtype=torch.float64)
    sides = (value, torch.full_like(value, noise)), (value + apart, torch.full_like(value, more))
    return float(module.times_less_precise(*sides))


def check_a_candidate_is_less_precise_by_its_noise_and_its_distance(module: Any) -> None:
    assert less(module, 1e-8, EPS, 1e-8) == pytest.approx(1e-8 / EPS)
    # The smaller of both counts: noise alone counts operations, and a distance alone is none of its own.
    assert less(module, 1e-10, EPS, 1e-8) == pytest.approx(1e-10 / EPS)
    assert less(module, 8e-8, EPS, 1e-8) == pytest.approx(1e-8 / EPS)
    # A reference rounds once, whatever its disturbed runs say.
    assert less(module, 1e-8, 0.0, 1e-8) == pytest.approx(1e-8 / (EPS / 2))
    assert less(module, 1e-8, 1e-8, 1e-8) == pytest.approx(1)


def check_another_function_and_the_same_numbers_are_not_less_precise(module: Any) -> None:
    assert less(module, 1.0, EPS, 1e-8) == 0
    assert less(module, 0.0, EPS, 1e-8) == 0
    assert less(module, NAN, EPS, 1e-8) == 0


def check_rows_are_judged_one_by_one(module: Any) -> None:
    value = tensor([1.0, 1.0], [1e6, 1e6], [1.0, 1.0])
    noise = torch.full_like(value, EPS)
    other, more = value.clone(), noise.clone()
    other[2] += 1e-9
    more[2] = 1e-9
    found = module.times_less_precise((value, noise), (other, more))
    assert found.tolist() == pytest.approx([0.0, 0.0, 1e-9 / EPS])
    one, two = torch.tensor(1.0, dtype=torch.float64), torch.tensor(EPS, dtype=torch.float64)
    assert module.times_less_precise((one, two), (one + 1e-9, two + 1e-9)) == pytest.approx(1e-9 / EPS)
    # One coarse entry beside a large one loses no digit of the row.
    value[0, 1], noise[0, 1] = 1e9, 1e9 * EPS
    assert module.times_less_precise((value, noise), (value + 1e-9, noise + 1e-9))[0] < 1


def check_an_entry_without_a_digit_is_lost(module: Any) -> None:
    plain, spread = tensor(1.0, 1.0, INF, 0.0), tensor(0.2, 0.05, 1.0, 1.0)
    assert module.lost(plain, spread).tolist() == [True, False, False, False]


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]

BREAKS = [
    ("_reach(plain.numel()) *", ""),
    ("MANY = 1024", "MANY = 512"),
    ("math.sqrt(max(1.0, math.log", "(max(1.0, math.log"),
    ("math.sqrt(max(1.0, math", "math.sqrt(max(0.0, math"),
    ("CLOSE = 4.0", "CLOSE = 3.0"),
    ("CLOSE = 4.0", "CLOSE = 5.0"),
    ("if whole and size.numel():", "if False:"),
    ("if whole and size.numel():", "if whole:"),
    ("size = size.nan_to_num(0.0, 0.0, 0.0).amax()", "size = size.amax()"),
    ("eps * size + underflow(reference.dtype)", "eps * size"),
    ("(near & torch.isfinite(apart))", "near"),
    ("| (reference == candidate)", ""),
    ("| (reference.isnan() & candidate.isnan())", "| (reference.isnan() | candidate.isnan())"),
    ("| (reference.isnan() & candidate.isnan())", ""),
    ("finfo.tiny / finfo.eps", "1.0"),
    ("finfo.tiny if dtype == torch.float16 else", ""),
    ("finfo(dtype).eps ** -0.5", "finfo(dtype).eps ** -0.4"),
    ("return widened(plain), [widened(one) for", "return plain, [one for"),
    ("for one in disturbed if one.shape == plain.shape", "for one in disturbed"),
    ("if not usable or not plain.numel():", "if False:"),
    ("kept = deviations.sort(0).values[: len(usable) - len(usable) // LEFT_OUT]", "kept = deviations"),
    ("LEFT_OUT = 4", "LEFT_OUT = 2"),
    ("return torch.maximum(own, _usual(own, plain.abs())", "return (own + 0 * _usual(own, plain.abs())"),
    ("(own[both] / size[both]).median()", "(own[both] / size[both]).max()"),
    ("both = (own > 0) &", "both ="),
    ("(values / size).square().mean(0).sqrt() * size", "values.square().mean(0).sqrt()"),
    ("(values / size).square().mean(0).sqrt() * size", "values.mean(0)"),
    ("return torch.maximum(farthest, relative * size)", "return farthest"),
    (".clamp(min=part * float(size.max()))", ""),
    (
        ".nan_to_num(0.0, 0.0, 0.0) for one in usable]).amax(0)",
        ".nan_to_num(0.0, 0.0, 0.0) for one in usable]).amin(0)",
    ),
    ("if size.numel() and size.max() > 0", "if size.numel()"),
    ("over = torch.where(torch.isfinite(apart), over, torch.inf)", "pass"),
    ("return torch.where(close(reference, candidate), 0.0, over)", "return over"),
    ("allowed.double() + underflow(reference.dtype)", "allowed.double()"),
    ("min(float(ratios.max()), sys.float_info.max)", "float(ratios.max())"),
    ("floor = torch.finfo(value.dtype).eps / 2 *", "floor = 0 *"),
    ("| ~explained, 0.0", ", 0.0"),
    ("return torch.minimum(_row(more), _row(apart)) / usual", "return _row(more) / usual"),
    ("return torch.minimum(_row(more), _row(apart)) / usual", "return _row(apart) / usual"),
    ("linalg.vector_norm(size, dim=-1)", "linalg.vector_norm(size)"),
    (" if size.ndim else size", ""),
    ("spread > LOST * plain.abs()", "spread > 0.01 * plain.abs()"),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_noise(check: Callable[[Any], None]) -> None:
    check(rounding)


@pytest.mark.parametrize(("old", "new"), BREAKS)
def test_every_break_turns_a_check_red(old: str, new: str) -> None:
    assert seen(rounding, old, new, CHECKS), f"nothing sees {old!r} -> {new!r}"
