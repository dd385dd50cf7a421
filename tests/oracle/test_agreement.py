"""The comparing file, held against every pair that other suites got wrong, and broken in as many ways."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Self

import pytest
import torch

from properties.oracle import agreement
from properties.oracle.agreement import Difference, Equation
from properties.oracle.statistics import Draws
from tests.oracle.breaking import seen

INF, NAN = math.inf, math.nan


def tensor(*values: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype)


def exactly(module: ModuleType, reference: object, candidate: object) -> Difference | None:
    difference: Difference | None = module.first_difference(Equation(reference, candidate))
    return difference


def check_equal_values_agree(module: ModuleType) -> None:
    assert exactly(module, tensor(1, -2, INF, -INF), tensor(1, -2, INF, -INF)) is None
    assert exactly(module, tensor(), tensor()) is None
    assert exactly(module, torch.tensor(3), torch.tensor(3)) is None


def check_negative_zero_is_zero(module: ModuleType) -> None:
    assert exactly(module, tensor(0.0), tensor(-0.0)) is None


def check_nan_agrees_with_nan_alone(module: ModuleType) -> None:
    assert exactly(module, tensor(1, NAN), tensor(1, NAN)) is None
    assert exactly(module, tensor(NAN), tensor(1)) is not None
    assert exactly(module, tensor(1), tensor(NAN)) is not None


def check_infinities_differ_by_sign(module: ModuleType) -> None:
    assert exactly(module, tensor(INF), tensor(-INF)) is not None
    assert exactly(module, tensor(INF), tensor(1e308)) is not None


def check_one_ulp_differs(module: ModuleType) -> None:
    difference = exactly(module, tensor(5, 1), tensor(5, math.nextafter(1, 2)))
    assert difference is not None
    assert (difference.kind, difference.where, difference.different, difference.total) == (
        "value",
        "[1]",
        1,
        2,
    )


def check_shape_differs(module: ModuleType) -> None:
    for reference, candidate in [((1,), ()), ((2, 3), (3, 2)), ((0, 3), (3, 0)), ((1, 2), (2,))]:
        difference = exactly(module, torch.zeros(reference), torch.zeros(candidate))
        assert difference is not None
        assert difference.kind == "shape"


def check_dtype_differs(module: ModuleType) -> None:
    difference = exactly(module, tensor(1), tensor(1, dtype=torch.float32))
    assert difference is not None
    assert difference.kind == "dtype"


def check_device_differs(module: ModuleType) -> None:
    difference = exactly(module, torch.zeros(2, device="meta"), torch.zeros(2))
    assert difference is not None
    assert difference.kind == "device"


def check_tensors_without_values(module: ModuleType) -> None:
    assert exactly(module, *(torch.zeros(2, device="meta") for _ in range(2))) is None


def check_integers_and_bools(module: ModuleType) -> None:
    assert exactly(module, torch.tensor([True, False]), torch.tensor([True, False])) is None
    assert exactly(module, torch.tensor([True, False]), torch.tensor([True, True])) is not None
    assert exactly(module, torch.tensor([2**60]), torch.tensor([2**60 + 1])) is not None


def check_missing_gradient_is_no_zero(module: ModuleType) -> None:
    assert exactly(module, None, None) is None
    assert exactly(module, None, tensor(0)) is not None
    assert exactly(module, tensor(0), None) is not None


def check_trees(module: ModuleType) -> None:
    assert exactly(module, {"a": (tensor(1), 2)}, {"a": (tensor(1), 2)}) is None
    assert exactly(module, {"a": tensor(1)}, {"b": tensor(1)}) is not None
    assert exactly(module, (tensor(1),), (tensor(1), tensor(2))) is not None
    assert exactly(module, "refused", "accepted") is not None
    last = exactly(
        module, {"a": tensor(1), "b": (tensor(1), tensor(2))}, {"a": tensor(1), "b": (tensor(1), tensor(3))}
    )
    assert last is not None
    assert last.where == "b[1][0]"


def check_difference_is_described(module: ModuleType) -> None:
    difference = exactly(module, tensor(1, 2, 3), tensor(1, 7, 4))
    assert difference is not None
    assert (difference.reference, difference.candidate, difference.largest) == ("2", "7", 5.0)
    assert (difference.different, difference.total) == (2, 3)


def check_draws(module: ModuleType) -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.rand(20000, generator=generator) for _ in range(2))
    assert exactly(module, Draws(one, (2,)), Draws(other, (2,))) is None
    assert exactly(module, Draws(one, (2,)), Draws(other / 2, (2,))) is not None
    assert exactly(module, Draws(one, (2,)), Draws(other, (3,))) is not None


class Wrapped(torch.Tensor):
    """A tensor that holds no numbers of its own, but another tensor that does."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls: type[Self], inner: torch.Tensor) -> Self:
        made: Self = torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)
        made.held = inner
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # the stub has it as a static method
        cls,
        func: Callable[..., object],
        _types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        found = func(*(one.held if isinstance(one, Wrapped) else one for one in args), **(kwargs or {}))
        return Wrapped(found) if isinstance(found, torch.Tensor) else found


def check_a_wrapped_tensor_is_compared_by_what_it_holds(module: ModuleType) -> None:
    many = torch.ones(module.FEW + 1)
    assert exactly(module, Wrapped(many), Wrapped(many.clone())) is None


def check_one_of_many_differs(module: ModuleType) -> None:
    many = torch.ones(module.FEW + 1)
    difference = exactly(module, many, torch.cat([many[1:], tensor(2, dtype=torch.float32)]))
    assert difference is not None
    assert (difference.different, difference.where) == (1, f"[{module.FEW}]")


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]

BREAKS = [
    ("type(reference) is type(candidate) is Tensor and", ""),
    ("return None if reference == candidate else", "return None if True else"),
    ("differing &= ~(reference.isnan() & candidate.isnan())", "pass"),
    ("~(reference.isnan() & candidate.isnan())", "~(reference.isnan() | candidate.isnan())"),
    ('for kind in ("shape", "dtype", "device"):', 'for kind in ("dtype", "device"):'),
    ('for kind in ("shape", "dtype", "device"):', 'for kind in ("shape", "device"):'),
    ('for kind in ("shape", "dtype", "device"):', 'for kind in ("shape", "dtype"):'),
    ("if not differing.any():", "if not differing.all():"),
    ("if reference.keys() != candidate.keys():", "if False:"),
    ("if type(reference) is not type(candidate):", "if candidate is None:"),
    ("if len(reference) != len(candidate):", "if False:"),
    ("torch.equal(reference, candidate)", "reference.numel()"),
    ("np.array_equal(reference.numpy(force=True), candidate.numpy(force=True))", "True"),
    ("reference.is_meta or all_equal", "all_equal"),
    ("if not problem:", "if problem:"),
    ("differing.nonzero()[0]", "differing.nonzero()[-1]"),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_agreement(check) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    check(agreement)


@pytest.mark.parametrize(("old", "new"), BREAKS)
def test_every_break_turns_a_check_red(old: str, new: str) -> None:
    assert seen(agreement, old, new, CHECKS), f"nothing sees {old!r} -> {new!r}"
