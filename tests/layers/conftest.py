"""One seed for every test, and the leading axes that the forms are tried on."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(params=[(), (0,), (1,), (3,), (2, 0), (1, 2, 3)], ids=str)
def leading(request: pytest.FixtureRequest) -> tuple[int, ...]:
    """None at all, sizes of 0 and 1, and several."""
    shape: tuple[int, ...] = request.param
    return shape
