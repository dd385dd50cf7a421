"""Linear on an input of any number of axes: one layer, shared by every row."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from torch import nn

from equivalence.claim import AtLeast, Dim, Equivalence, Real, Theta
from equivalence.claims.refuted import trained_apart
from equivalence.counts import Counts, dense
from equivalence.distribution import Distribution, Uniform
from equivalence.layers.kronecker import KroneckerLinear, shared_matrix
from equivalence.layers.linear import (
    EinsumLinear,
    FlattenLinear,
    LinearForm,
    PointwiseConvolutionLinear,
    RowwiseLinear,
)


class FlattenLinearIsLinear(Equivalence):
    """Linear on any number of axes equals one matrix product of its rows."""

    source: ClassVar[str] = "nn.Linear on N-dimensional input, second article"
    form: ClassVar[type[LinearForm]] = FlattenLinear
    fresh_draws = "same"

    in_features: Dim
    out_features: Dim
    bias: bool

    x = Real("*batch in_features")

    def reference(self) -> nn.Module:
        """Apply Linear to the last axis."""
        return nn.Linear(self.in_features, self.out_features, self.bias)

    def candidate(self) -> nn.Module:
        """Apply the form to the last axis."""
        return self.form(self.in_features, self.out_features, self.bias)

    def initial(self) -> dict[str, Distribution]:
        """U(-1/√fan_in, 1/√fan_in) for both; no inputs leave the bias at 0."""
        bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        return {"weight": Uniform(-bound, bound), "bias": Uniform(-bound, bound)}

    def reference_cost(self, batch: int) -> Counts:
        """in_features · out_features multiply-adds a row."""
        return dense(batch, self.in_features, self.out_features, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """As many, in whatever order."""
        return self.reference_cost(batch)


class LinearIsRowwise(FlattenLinearIsLinear):
    """Linear on any number of axes applies one and the same affine map to every row."""

    def reference(self) -> nn.Module:
        """Take one dot product after the other."""
        return RowwiseLinear(self.in_features, self.out_features, self.bias)

    def candidate(self) -> nn.Module:
        """Apply Linear to the last axis."""
        return nn.Linear(self.in_features, self.out_features, self.bias)


class EinsumLinearIsLinear(FlattenLinearIsLinear):
    """Linear on any number of axes equals the einsum ...i,oi->...o."""

    form: ClassVar[type[LinearForm]] = EinsumLinear


class PointwiseConvolutionIsLinear(FlattenLinearIsLinear):
    """Linear on any number of axes equals a convolution with a kernel of size 1, the features as channels."""

    form: ClassVar[type[LinearForm]] = PointwiseConvolutionLinear

    # torch's convolution computes no empty input and no empty output.
    in_features: Annotated[int, AtLeast(1)]
    out_features: Annotated[int, AtLeast(1)]


class KroneckerIsLinear(Equivalence):
    """Linear on all rows is one dense layer on their concatenation, with the weight I_rows ⊗ W."""

    source: ClassVar[str] = "nn.Linear on N-dimensional input, second article"
    breaks: ClassVar[dict[str, str]] = {
        "parameter_count": "nothing ties the copies of W: 3 rows of 4 features to 2 take 72 weights for 8",
        "nonfinite": "0 · inf: the zeros off the diagonal carry the inf of one row to the others",
        **trained_apart("nothing ties the copies of W, and nothing keeps the zeros off the diagonal at zero"),
    }
    fresh_entries_independent: ClassVar[bool] = False
    fresh_draws = "same"

    rows: Dim
    in_features: Dim
    out_features: Dim
    bias: bool

    x = Real("*batch rows in_features")

    def reference(self) -> nn.Module:
        """Apply Linear to the last axis."""
        return nn.Linear(self.in_features, self.out_features, self.bias)

    def candidate(self) -> nn.Module:
        """Apply one dense layer to all rows."""
        return KroneckerLinear(self.rows, self.in_features, self.out_features, self.bias)

    def carry(self, theta: Theta) -> Theta:
        """Repeat W down the diagonal, and b for every row."""
        carried = {"dense.weight": shared_matrix(theta["weight"], self.rows)}
        return carried | ({"dense.bias": theta["bias"].repeat(self.rows)} if self.bias else {})

    def reference_cost(self, batch: int) -> Counts:
        """rows · in_features · out_features multiply-adds for `rows` rows."""
        return dense(batch * self.rows, self.in_features, self.out_features, bias=self.bias)

    def candidate_cost(self, batch: int) -> Counts:
        """rows² · in_features · out_features: each row meets the weights of all rows."""
        return dense(batch, self.rows * self.in_features, self.rows * self.out_features, bias=self.bias)
