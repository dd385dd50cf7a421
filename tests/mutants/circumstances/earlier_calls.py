"""Bugs of what a form keeps from one call to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.claim import Equivalence, Real
from properties.circumstances import CIRCUMSTANCES
from tests.mutants.circumstances.right import (
    OUT,
    Affine,
    ByFunction,
    CentredBySum,
    CentredIsBySum,
    FunctionIsLinear,
    Of,
    RampByMatrix,
    RampIsDiagonal,
    Scaled,
    ScaledByWeight,
    ScaledIsInItsWeight,
    applied,
    gradients,
)
from tests.mutants.modules import Positive
from tests.mutants.planted import mutant

LATER = [name for name, one in CIRCUMSTANCES.items() if one.aspect == "calls" and name != "again"]


class LongestTable(RampByMatrix):
    kept: Tensor | None = None

    def table(self, x: Tensor) -> Tensor:
        size = x.shape[-1]
        if self.kept is None or len(self.kept) < size or self.kept.dtype != x.dtype:
            self.kept = super().table(x)
        return self.kept[:size]


@mutant("forward", "after_longer")
class CutsTableOfLongerCall(RampIsDiagonal):
    """A table is cut from that of a longer call, whose entries depend on its length."""

    form = LongestTable


class Workspace(CentredBySum):
    work: Tensor | None = None

    def mean(self, x: Tensor) -> Tensor:
        if self.work is None or len(self.work) < len(x) or self.work.dtype != x.dtype:
            self.work = torch.zeros_like(x)
        self.work = torch.cat([x, self.work[len(x) :]])
        return self.work.sum(0) / len(x)


@mutant("forward", "after_longer")
class SumsRowsOfLongerCall(CentredIsBySum):
    """Work memory is summed to its end, with the rows that a longer call has left in it."""

    form = Workspace


class FirstTable(RampByMatrix):
    size: int | None = None

    def table(self, x: Tensor) -> Tensor:
        self.size = self.size or x.shape[-1]
        table = super().table(x)
        return table[torch.arange(x.shape[-1]).clamp(max=max(0, self.size - 1))]


@mutant("forward", "after_shorter", "after_longer")
class ClampsToFirstLength(RampIsDiagonal):
    """Steps beyond the length of the first call are taken for its last."""

    form = FirstTable


class FirstRows(Scaled):
    rows: int | None = None

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        self.rows = len(x) if self.rows is None else self.rows
        return y if x.ndim == 1 else torch.cat([y[: self.rows], torch.zeros_like(y[self.rows :])])


@mutant("forward", "after_shorter")
class ComputesRowsOfFirstCall(ScaledIsInItsWeight):
    """As many rows are computed as the first call had, as a recorded graph does; the others are zeros."""

    form = FirstRows


class MeanOfShape(CentredBySum):
    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[Any, Tensor] = {}

    def mean(self, x: Tensor) -> Tensor:
        return self.kept.setdefault((x.shape, x.dtype), super().mean(x))


@mutant("forward", "after_others")
class KeepsMeanByShape(CentredIsBySum):
    """The mean is kept by the shape of x."""

    form = MeanOfShape


class FirstMean(CentredBySum):
    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[torch.dtype, Tensor] = {}

    def mean(self, x: Tensor) -> Tensor:
        return self.kept.setdefault(x.dtype, super().mean(x))


@mutant("forward", "after_others", "after_longer", "after_shorter")
class KeepsMeanOfFirstCall(CentredIsBySum):
    """The mean is that of the first call, as a calibration keeps it."""

    form = FirstMean


class RememberingProduct(Scaled):
    last: Tensor | None = None
    kept: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if x is self.last and self.kept is not None:
            return self.kept
        self.last, self.kept = x, functional.linear(x, self.weight, self.bias)
        return self.scale * self.kept


@mutant("forward", "again", "after_backward", "after_writing", "after_loading")
class RemembersUnscaledOutput(ScaledIsInItsWeight):
    """What is kept for the same x is the output before it is scaled."""

    form = RememberingProduct


class Counting(Scaled):
    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        y = self.unbiased(x) if self.calls else super().forward(x)
        self.calls += 1
        return y


@mutant("forward", "again", *LATER)
class ForgetsBiasAfterFirstCall(ScaledIsInItsWeight):
    """The first call prepares the layer, and later ones forget the bias."""

    form = Counting


class KeepingWeight(ScaledByWeight):
    """Keeps the scaled weight while the weight is as it was."""

    kept: Tensor | None = None
    of: Any = None

    def scaled(self) -> Tensor:
        if self.kept is None or self.of != self.key():
            self.kept, self.of = self.made(), self.key()
        return self.kept

    def made(self) -> Tensor:
        return super().scaled()

    def key(self) -> Any:
        return self.weight._version, self.weight.dtype


@mutant("parameter_gradient", "after_evaluation", "after_backward")
class KeepsWeightWithoutGraph(ScaledIsInItsWeight):
    """The scaled weight that a call without gradients has made serves a call with them."""

    form = KeepingWeight


class RecordingAsAtFirst(Scaled):
    records: bool | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.records is None:
            self.records = torch.is_grad_enabled()
        with torch.set_grad_enabled(self.records and torch.is_grad_enabled()):
            return super().forward(x)


@mutant("input_gradient", "after_evaluation")
class RecordsAsAtFirst(ScaledIsInItsWeight):
    """Whether gradients are recorded is asked at the first call alone."""

    form = RecordingAsAtFirst


class KeepingGraph(KeepingWeight):
    def made(self) -> Tensor:
        return self.weight * torch.full((), self.scale, dtype=self.weight.dtype)

    def key(self) -> Any:
        # What was made without a graph is made again with one.
        return super().key(), torch.is_grad_enabled()


@mutant("parameter_gradient", "after_backward")
class KeepsFreedGraph(ScaledIsInItsWeight):
    """The scaled weight is kept with a graph that the first backward frees."""

    form = KeepingGraph


class Accumulating(Affine):
    @staticmethod
    def forward(ctx: Any, layer: Any, *values: Tensor) -> Tensor:
        ctx.layer = layer
        return Affine.forward(ctx, *values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_input, by_weight, by_bias = gradients(ctx, gradient)
        ctx.layer.total = ctx.layer.total + by_weight
        return None, by_input, ctx.layer.total, by_bias


class AccumulatingLayer(ByFunction):
    total: Any = 0

    def forward(self, x: Tensor) -> Tensor:
        return applied(self.function, self, x, self.weight, self.bias)


@mutant("parameter_gradient", "after_backward", "kept_graph")
class AccumulatesInItsOwnMemory(FunctionIsLinear):
    """The backward adds the gradient of the weight to a sum of its own, and returns that."""

    def candidate(self) -> nn.Module:
        return AccumulatingLayer(self.features, OUT, Accumulating)


class First(Of):
    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(-1, torch.arange(1))


class FirstByMask(Of):
    def forward(self, x: Tensor) -> Tensor:
        return x[..., torch.arange(x.shape[-1]) < 1]


class FirstIsByMask(Equivalence):
    """Selecting the first feature by its index equals selecting it by a mask."""

    features: Positive

    form: ClassVar[type[nn.Module]] = FirstByMask
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return First()

    def candidate(self) -> nn.Module:
        return self.form()


class FirstByView(Of):
    def forward(self, x: Tensor) -> Tensor:
        return x[..., :1]


@mutant("forward", "after_writing")
class ReturnsViewOfInput(FirstIsByMask):
    """The output is a view of x, and who writes to it writes to x."""

    form = FirstByView


class BiasAlone(nn.Module):
    """b for every row, whatever the row."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        return self.bias.repeat(*x.shape[:-1], 1)


class BiasAdded(BiasAlone):
    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(x.shape) + self.bias


class BiasIsAdded(Equivalence):
    """Repeating a bias for every row equals adding it to zeros."""

    features: Positive

    form: ClassVar[type[nn.Module]] = BiasAdded
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return BiasAlone(self.features)

    def candidate(self) -> nn.Module:
        return self.form(self.features)


class BiasExpanded(BiasAlone):
    def forward(self, x: Tensor) -> Tensor:
        return self.bias.expand(x.shape)


@mutant("forward", "after_writing")
class ReturnsExpandedParameter(BiasIsAdded):
    """The output is the bias, expanded: every row of it is the same memory."""

    form = BiasExpanded


class RememberingOutput(Scaled):
    last: Tensor | None = None
    kept: tuple[int, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        version = self.weight._version
        if x is not self.last or self.kept is None or self.kept[0] != version:
            self.last, self.kept = x, (version, super().forward(x))
        return self.kept[1]


@mutant("forward", "after_writing")
class ReturnsKeptOutput(ScaledIsInItsWeight):
    """The output that is kept for the same x is handed out itself."""

    form = RememberingOutput


class Unit(Of):
    """x over its largest entry, and the least that x can tell from 1."""

    def forward(self, x: Tensor) -> Tensor:
        return x / (x.abs().sum(-1, keepdim=True) + self.least(x))

    def least(self, x: Tensor) -> float:
        return torch.finfo(x.dtype).eps


class UnitByReciprocal(Unit):
    def forward(self, x: Tensor) -> Tensor:
        return x * (x.abs().sum(-1, keepdim=True) + self.least(x)).reciprocal()


class UnitIsByReciprocal(Equivalence):
    """Dividing by the sum of absolute values equals a product with its reciprocal."""

    features: Positive

    form: ClassVar[type[nn.Module]] = UnitByReciprocal
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Unit()

    def candidate(self) -> nn.Module:
        return self.form()


class FirstLeast(UnitByReciprocal):
    kept: float | None = None

    def least(self, x: Tensor) -> float:
        self.kept = self.kept or super().least(x)
        return self.kept


@mutant("forward", "after_float")
class KeepsLeastOfFirstDtype(UnitIsByReciprocal):
    """The least number is that of the dtype of the first call."""

    form = FirstLeast


class MatrixOfSize(RampByMatrix):
    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, Tensor] = {}

    def matrix(self, x: Tensor) -> Tensor:
        return self.kept.setdefault(x.shape[-1], super().matrix(x))


@mutant("forward", "after_float")
class KeepsMatrixOfFirstDtype(RampIsDiagonal):
    """The matrix is kept by its size, in the dtype of the first call."""

    form = MatrixOfSize


class KeptInEval(ScaledByWeight):
    kept: Tensor | None = None

    def train(self, mode: bool = True) -> KeptInEval:  # noqa: FBT001, FBT002
        self.kept = None if mode else self.kept
        return super().train(mode)

    def scaled(self) -> Tensor:
        if self.training:
            return super().scaled()
        self.kept = super().scaled() if self.kept is None else self.kept
        return self.kept


@mutant("forward", "after_loading", "after_float")
class KeepsMergedWeightInEval(ScaledIsInItsWeight):
    """The weight is merged at the first call in eval, and stays so when others are loaded."""

    form = KeptInEval


class KeptForParameter(KeepingWeight):
    def key(self) -> Any:
        return id(self.weight), self.weight.dtype


@mutant("forward", "after_loading")
class KeepsWeightByItsIdentity(ScaledIsInItsWeight):
    """The scaled weight is kept while the weight is the same tensor, whatever is loaded into it."""

    form = KeptForParameter


class CopiedAnew(Scaled):
    def __deepcopy__(self, _: Mapping[int, Any]) -> CopiedAnew:
        with torch.device("meta"):
            copied = type(self)(self.in_features, self.out_features)
        values = {name: value.clone() for name, value in self.state_dict().items()}
        copied.load_state_dict(values, assign=True)
        return copied.train(self.training)


@mutant("forward", "copied")
class LosesOptionInCopy(ScaledIsInItsWeight):
    """__deepcopy__ constructs the layer anew, without its options."""

    form = CopiedAnew


class DroppingState(Scaled):
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "scale"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({"scale": 1.0, **state})  # type: ignore[no-untyped-call]


@mutant("forward", "copied")
class DropsScaleFromState(ScaledIsInItsWeight):
    """What a copy is made of leaves out the scale."""

    form = DroppingState


class Closed(Scaled):
    def __init__(self, in_features: int, out_features: int, scale: float = 1.0) -> None:
        super().__init__(in_features, out_features, scale)
        self.product: Any = lambda x: functional.linear(x, self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.scale * self.product(x)
        return y


@mutant("forward", "copied")
class ClosesOverItself(ScaledIsInItsWeight):
    """A function made in the constructor reads the parameters of the layer that a copy is made of."""

    form = Closed
