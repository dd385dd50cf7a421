"""A run leaves the user's generators, dtype, grad mode, threads and flags as they were."""

import random
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch

from equivalence.catalogue import CATALOGUE
from properties.cases.domain import Domain
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
@pytest.mark.parametrize("name", ["two-d-fc", "two-d-fc-v1", "init-kaiming-uniform", "masked-output"])
def test_nothing_global_changes(name: str) -> None:
    claim = CATALOGUE[name]
    before = state()
    for cell in cells(Domain(claim)):
        if not cell.inapplicable:
            with pytest.raises(Refuted) if cell.declared else nullcontext():
                cell.test(Plan())()
    assert state() == before
