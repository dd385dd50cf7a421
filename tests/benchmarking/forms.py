"""Claims whose forms count their own work: a clock that reads the count knows no noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from equivalence.claim import Dim, Equivalence, Real

HERE = "tests.benchmarking.forms"


class Work:
    """What all forms have done so far, in units of one Linear; a unit is a millisecond."""

    units = 0

    @classmethod
    def seconds(cls) -> float:
        return cls.units / 1000


class Counted(nn.Linear):
    times = 1

    def forward(self, x: Tensor) -> Tensor:
        Work.units += self.times
        return super().forward(x)


class Triple(Counted):
    times = 3


class Remembering(Counted):
    """Gives the output of an input that it has seen, whatever stands in it by now."""

    def forward(self, x: Tensor) -> Tensor:
        if getattr(self, "seen", None) is not x:
            self.seen, self.output = x, super().forward(x)
        Work.units += 1
        return self.output


class Frozen(Counted):
    """Keeps the weight of its first call."""

    kept: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.kept is None or self.kept.dtype != x.dtype or torch.is_grad_enabled():
            self.kept = self.weight.detach().clone()
        Work.units += 1
        weight = self.weight if torch.is_grad_enabled() else self.kept
        return nn.functional.linear(x, weight, self.bias)


class Shifted(Counted):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 1


class Flipped(Counted):
    """Sums in another order: the same function, rounded otherwise."""

    def forward(self, x: Tensor) -> Tensor:
        Work.units += 1
        return (x.unsqueeze(-2).flip(-1) * self.weight.flip(-1)).sum(-1) + self.bias


class DoubleOnly(Counted):
    def forward(self, x: Tensor) -> Tensor:
        if x.dtype != torch.float64:
            message = "float64 only"
            raise TypeError(message)
        return super().forward(x)


class Uncounted(Counted):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + 0 * torch.special.bessel_j0(x.detach()))


class CopyIsLinear(Equivalence):
    """Linear equals Linear."""

    form = Counted

    features: Dim

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Counted(self.features, self.features)

    def candidate(self) -> nn.Module:
        return self.form(self.features, self.features)


class TripleIsLinear(CopyIsLinear):
    """Linear equals a Linear that does the work three times."""

    form = Triple


class RememberingIsLinear(CopyIsLinear):
    """Linear equals a Linear that keeps its last output."""

    form = Remembering


class FrozenIsLinear(CopyIsLinear):
    """Linear equals a Linear that keeps its first weight."""

    form = Frozen


class ShiftedIsLinear(CopyIsLinear):
    """Linear equals Linear plus 1, which is wrong."""

    form = Shifted


class DeclaredShiftedIsLinear(ShiftedIsLinear):
    """Linear equals Linear plus 1, which it says itself is wrong."""

    breaks = {"forward": "1 is added"}  # noqa: RUF012


class FlippedIsLinear(CopyIsLinear):
    """Linear equals a Linear that sums in another order."""

    form = Flipped


class DoubleOnlyIsLinear(CopyIsLinear):
    """Linear equals a Linear that runs in float64 alone."""

    form = DoubleOnly


class UncountedIsLinear(CopyIsLinear):
    """Linear equals Linear beside an operation that no counter knows."""

    form = Uncounted


class RefusingIsLinear(CopyIsLinear):
    """Linear equals Linear from 100 features on: the reference refuses fewer."""

    def reference(self) -> nn.Module:
        if self.features < 100:
            message = "100 features at least"
            raise ValueError(message)
        return super().reference()
