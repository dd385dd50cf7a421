"""A run leaves the user's generators, dtype, grad mode, threads and flags as they were."""

import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from equivalence import Dim, Equivalence, Real
from equivalence.catalogue import CATALOGUE
from properties import suite
from properties.cases.domain import Domain
from properties.cases.surroundings import SURROUNDINGS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Plan
from properties.running.suites import cells


def state() -> dict[str, Any]:
    return {
        "torch generator": torch.get_rng_state().tolist(),
        "numpy generator": repr(np.random.get_state()),  # noqa: NPY002  (the global one is asked about)
        "random generator": random.getstate(),
        "default dtype": torch.get_default_dtype(),
        "grad mode": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


@pytest.fixture(params=["as torch starts", "as a user may have set it"])
def _settings(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == "as torch starts":
        yield
        return
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(mode=True)
    with torch.no_grad():
        yield
    torch.use_deterministic_algorithms(mode=False)
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_settings")
@pytest.mark.parametrize(
    ("name", "examples"),
    [("two-d-fc", None), ("two-d-fc-v1", 5), ("init-kaiming-uniform", 5), ("masked-output", 5)],
)
def test_nothing_global_changes(name: str, examples: int | None) -> None:
    claim = CATALOGUE[name]
    before = state()
    for cell in cells(Domain(claim)):
        if not cell.inapplicable:
            with pytest.raises(Refuted) if cell.declared else nullcontext():
                cell.test(Plan(examples=examples))()
    assert state() == before


def changes_dtype(layer: nn.Linear, x: Tensor) -> Tensor:
    torch.set_default_dtype(torch.float64)
    return nn.functional.linear(x, layer.weight, layer.bias)


def leaves_grad_mode(layer: nn.Linear, x: Tensor) -> Tensor:
    output = nn.functional.linear(x, layer.weight, layer.bias)
    torch.set_grad_enabled(mode=False)
    return output


def moves(layer: nn.Linear, x: Tensor) -> Tensor:
    os.chdir("/")
    sys.setrecursionlimit(5432)
    return nn.functional.linear(x, layer.weight, layer.bias)


def takes_ctrl_c(layer: nn.Linear, x: Tensor) -> Tensor:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.use_deterministic_algorithms(mode=True)
    torch.set_float32_matmul_precision("high")
    torch.set_num_threads(3)
    return nn.functional.linear(x, layer.weight, layer.bias)


class Changing(nn.Linear):
    """Linear that changes what belongs to the process, when it is called."""

    def __init__(self, features: int, change: Any) -> None:
        super().__init__(features, 2)
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.change(self, x)
        return output


class Made(nn.Linear):
    """Linear that changes the default dtype, when it is made."""

    def __init__(self, features: int, _: Any) -> None:
        super().__init__(features, 2)
        torch.set_default_dtype(torch.float64)


class ChangingIsLinear(Equivalence):
    """A form that leaves the process otherwise than it found it."""

    form = Changing
    change = None
    features: Dim
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 2)

    def candidate(self) -> nn.Module:
        form = type(self).form(self.features, type(self).change)
        assert isinstance(form, nn.Module)
        return form


def surroundings() -> dict[str, Any]:
    return {name: one.read() for name, one in SURROUNDINGS.items()}


CHANGES = {
    changes_dtype: ["torch's default dtype"],
    leaves_grad_mode: ["torch's grad mode"],
    moves: ["the working directory", "Python's recursion limit"],
    takes_ctrl_c: [
        "torch's number of threads",
        "torch's deterministic algorithms",
        "torch's precision of float32 products",
        "the handler of Ctrl-C",
    ],
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_form_changes_is_put_back_and_told_with_its_name(change: Any) -> None:
    before = surroundings()
    claim = type("Changed", (ChangingIsLinear,), {"change": staticmethod(change)})
    (cell,) = cells(Domain(claim), ["forward"])
    cell.test(Plan(examples=10))()
    assert surroundings() == before
    assert set(cell.tally.notes) == {
        f"the candidate changed {name} for the whole process; it was put back" for name in CHANGES[change]
    }


def test_every_surrounding_is_tried() -> None:
    assert {name for names in CHANGES.values() for name in names} == set(SURROUNDINGS)


def test_what_is_changed_as_a_form_is_made_is_told_of_the_form() -> None:
    claim = type("AsMade", (ChangingIsLinear,), {"form": Made})
    (cell,) = cells(Domain(claim), ["forward"])
    cell.test(Plan(examples=10))()
    assert list(cell.tally.notes) == [
        "the candidate changed torch's default dtype for the whole process; it was put back"
    ]
    assert torch.get_default_dtype() == torch.float32


def test_a_suite_that_is_made_leaves_the_process_as_it_was() -> None:
    before = surroundings()
    suite(type("AsMade", (ChangingIsLinear,), {"form": Made}))
    assert surroundings() == before
