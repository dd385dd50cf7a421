"""How two forms of one function round: bitwise alike, in another order, less or more precisely."""

import pytest
import torch
from torch import Tensor, nn

from equivalence import Dim, Equivalence, Real
from properties.cases.domain import Domain
from properties.judging.rounding import CASES, LESS_PRECISE, MORE_PRECISE, OTHER_ORDER, SAME_BITS, rounding


class LinearIsLinear(Equivalence):
    """Linear equals itself."""

    features: Dim
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 8)

    def candidate(self) -> nn.Module:
        return nn.Linear(self.features, 8)


class Backwards(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(-2) * self.weight).flip(-1).cumsum(-1)[..., -1] + self.bias


class Halved(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        coarse = x.bfloat16().to(x.dtype) if x.dtype == torch.float32 else x
        return super().forward(coarse)


class OtherOrder(LinearIsLinear):
    """A sum from the other end."""

    def candidate(self) -> nn.Module:
        return Backwards(self.features, 8)


class LessPrecise(LinearIsLinear):
    """A form that rounds its input to bfloat16."""

    def candidate(self) -> nn.Module:
        return Halved(self.features, 8)


class MorePrecise(LessPrecise):
    """The same, the other way round."""

    def reference(self) -> nn.Module:
        return Halved(self.features, 8)

    def candidate(self) -> nn.Module:
        return nn.Linear(self.features, 8)


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (LinearIsLinear, f"{SAME_BITS.format('float32')}, in each of {CASES} cases"),
        (OtherOrder, OTHER_ORDER),
        (LessPrecise, LESS_PRECISE),
        (MorePrecise, MORE_PRECISE),
    ],
)
def test_rounding_is_named(claim: type[Equivalence], said: str) -> None:
    assert rounding(Domain(claim)) == said
