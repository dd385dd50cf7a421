"""The wiring of a counterexample: what a wrong output reads, and what it should, whatever is drawn."""

import pytest
import torch
from torch import Tensor, nn

from equivalence import Dim, Equivalence, Real
from equivalence.claim import Theta
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.refutation.wiring import MOST_PROBES, wiring


class FlippedOutputs(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).flip(-1)


class FlippedIsLinear(Equivalence):
    """A layer whose outputs come in the wrong order."""

    features: Dim
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, self.features)

    def candidate(self) -> nn.Module:
        return FlippedOutputs(self.features, self.features)


class Lower(nn.Linear):
    """Linear under a triangle of ones that is kept as floats."""

    mask: Tensor

    def __init__(self, features: int) -> None:
        super().__init__(features, features)
        self.register_buffer("mask", torch.tril(torch.ones(features, features)))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight * self.mask, self.bias)


class LowerIsLinear(Equivalence):
    """A masked layer equals the whole one."""

    x = Real("*batch 2")

    def reference(self) -> nn.Module:
        return Lower(2)

    def candidate(self) -> nn.Module:
        return nn.Linear(2, 2)

    def carry(self, theta: Theta) -> Theta:
        return {name: value for name, value in theta.items() if name != "mask"}


def sentences(features: int, seed: int = 0) -> list[str]:
    return wiring(Domain(FlippedIsLinear), Case(FlippedIsLinear(features=features), {"batch": ()}, seed))


@pytest.mark.parametrize("seed", range(200))
def test_no_drawn_zero_hides_a_connection(seed: int) -> None:
    assert sentences(2, seed) == [
        "output [0] reads weight [1, 0] and weight [1, 1], should read weight [0, 0] and weight [0, 1]",
        "output [0] reads bias [1], should read bias [0]",
    ]


def test_the_zeros_of_a_mask_are_connections_that_are_not_there() -> None:
    said = wiring(Domain(LowerIsLinear), Case(LowerIsLinear(), {"batch": ()}, 0))
    assert "output [0] reads x [0] and x [1], should read x [0]" in said
    assert "output [0] reads weight [0, 0] and weight [0, 1], should read weight [0, 0]" in said


def test_many_entries_are_counted() -> None:
    weights = sentences(6)[0]
    assert weights.startswith("output [0] reads weight [5, 0] and weight [5, 1] and")
    assert weights.endswith("weight [0, 3] and 2 more")


def test_what_agrees_has_no_wiring_and_what_is_large_is_not_probed() -> None:
    assert sentences(1) == []
    assert sentences(MOST_PROBES) == []


def test_probing_changes_no_global_state() -> None:
    before = torch.get_rng_state()
    assert sentences(3)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()
