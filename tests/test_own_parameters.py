"""Each call of a form has parameters of its own: what one form writes into them is no news to the other."""

from typing import Annotated

import pytest
import torch
from torch import Tensor, nn

from equivalence.claim import AtLeast, Equivalence, Real
from properties.cases.domain import Domain
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan


class Clipping(nn.Linear):
    """A layer that clips its weight before it uses it, as nn.Embedding does with a max_norm."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.weight.clamp_(-0.5, 0.5)
        return super().forward(x)


class Clipped(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight.clamp(-0.5, 0.5), self.bias)


class PlainIsClipping(Equivalence):
    """A reference that writes into its weight, and a plain layer."""

    form = nn.Linear
    features: Annotated[int, AtLeast(1)]
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Clipping(self.features, 2)

    def candidate(self) -> nn.Module:
        return self.form(self.features, 2)


class ClippedIsClipping(PlainIsClipping):
    """The same values, but no gradient where the weight is clipped."""

    form = Clipped


@pytest.mark.parametrize(
    ("claim", "law"), [(PlainIsClipping, "forward"), (ClippedIsClipping, "parameter_gradient")]
)
def test_what_a_reference_writes_into_its_weight_does_not_reach_the_candidate(
    claim: type[Equivalence], law: str
) -> None:
    with pytest.raises(Refuted) as refuted:
        Cell(Domain(claim), LAWS[law]).test(Plan())()
    assert refuted.value.verdict.case.under == ()


def test_the_same_write_in_both_forms_is_no_difference() -> None:
    claim = type("BothClip", (PlainIsClipping,), {"form": Clipping})
    for law in ("forward", "input_gradient", "parameter_gradient"):
        Cell(Domain(claim), LAWS[law]).test(Plan())()
