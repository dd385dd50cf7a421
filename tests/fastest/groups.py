"""The fastest form known of each family and its rivals, with equal parameters, at sizes worth measuring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from einops.layers.torch import EinMix
from torch import Tensor, nn

from equivalence.layers.kronecker import shared_matrix
from equivalence.layers.local import (
    BatchedLocalLinear,
    GroupedConvolutionLinear,
    GroupedReshapeLinear,
    LocalLinear,
    block_diagonal,
)
from equivalence.layers.masked import MaskedLinear, SparseLinear, WhereMaskedLinear
from equivalence.layers.masked_fast import BlockLinear, LiveLinear
from equivalence.layers.sharing import SharedMLP
from equivalence.layers.two_d_fc import FlattenMatmulTwoDFC, OutputMajorTwoDFC, TwoDFC
from tests.fastest.tried import (
    DirectMLP,
    InPlaceMLP,
    MergedGroups,
    MultiplySum,
    RowsFirst,
    StridedTwoDFC,
)

DENSE_FEATURES = 4096
"""Beyond these a dense weight takes a gigabyte and more."""
WRITTEN_TERMS = 2**21
"""Beyond these a form that writes every product takes hundreds of megabytes, and tells nothing new."""


@dataclass(frozen=True)
class Group:
    """Forms with equal parameters, of which the first is compared with each of the others."""

    size: str
    forms: Mapping[str, nn.Module]
    x: Tensor
    threads: tuple[int, ...] = (1,)


def filled(form: nn.Module, weight: Tensor, bias: Tensor | None) -> nn.Module:
    """Give the form these parameters, in the layout of its own memory."""
    with torch.no_grad():
        parameters = dict(form.named_parameters())
        parameters["weight"].copy_(weight.reshape(parameters["weight"].shape))
        if bias is not None:
            parameters["bias"].copy_(bias.reshape(parameters["bias"].shape))
    return form


def two_d_fc() -> Iterator[Group]:
    """TwoDFC beside flatten and Linear."""
    for batch, side, outputs in [(1, 8, 4), (200, 28, 10), (4096, 28, 10), (200, 64, 256)]:
        linear = nn.Linear(side * side, outputs)
        fast = OutputMajorTwoDFC((side, side), outputs)
        fast.load_state_dict(linear.state_dict())
        forms = {"output-major": fast, "flatten + Linear": nn.Sequential(nn.Flatten(-2), linear)}
        rivals: dict[str, type[TwoDFC]] = {
            "TwoDFC as published": TwoDFC,
            "flatten, matmul": FlattenMatmulTwoDFC,
            "strided (tried)": StridedTwoDFC,
        }
        for name, form in rivals.items():
            layer = form((side, side), outputs)
            if form is not TwoDFC or batch * side * side * outputs <= WRITTEN_TERMS:
                forms[name] = filled(layer, linear.weight.T, linear.bias)
        size = f"{batch} × {side}×{side} → {outputs}"
        yield Group(size, forms, torch.randn(batch, side, side), threads=(1, 2))


def local() -> Iterator[Group]:
    """LocalLinear without its dense product."""
    rows = [(256, 1), (256, 32), (256, 256), (1024, 32), (4096, 32), (16384, 1), (16384, 32)]
    for features, batch in rows:
        for kernel in (2, 4, 16, 64):
            forms = local_forms(features, batch, kernel)
            size = f"{features} features, kernel {kernel}, batch {batch}"
            threads = (1, 2) if (features, kernel) == (16384, 16) else (1,)
            yield Group(size, forms, torch.randn(batch, features), threads)


def local_forms(features: int, batch: int, kernel: int) -> dict[str, nn.Module]:
    """Give every form with square blocks."""
    groups = features // kernel
    right = GroupedReshapeLinear(groups, kernel, kernel)
    forms: dict[str, type[LocalLinear]] = {
        "batched": BatchedLocalLinear,
        "einsum": GroupedReshapeLinear,
        "grouped convolution": GroupedConvolutionLinear,
        "rows first (tried)": RowsFirst,
    }
    if features <= DENSE_FEATURES:
        forms["block_diag"] = LocalLinear
    if features * batch * kernel <= WRITTEN_TERMS:
        forms["multiply, sum (tried)"] = MultiplySum
    if kernel < MergedGroups.merged_size:
        forms["merged groups (tried)"] = MergedGroups
    layers = {name: form(groups, kernel, kernel) for name, form in forms.items()}
    built = {name: filled(layer, right.weight, right.bias) for name, layer in layers.items()}
    axes: dict[str, Any] = {
        "weight_shape": "g o k",
        "bias_shape": "g o",
        "g": groups,
        "k": kernel,
        "o": kernel,
    }
    mixed = EinMix("b (g k) -> b (g o)", **axes)
    built["EinMix"] = filled(mixed, right.weight, right.bias)
    if features <= DENSE_FEATURES:
        masked = MaskedLinear(shared_matrix(torch.ones(kernel, kernel), groups))
        built["masked dense"] = filled(masked, block_diagonal(right.weight.detach()), right.bias)
    return built


def masked() -> Iterator[Group]:
    """MaskedLinear with a few of its connections alive."""
    for features, batch in [(256, 32), (1024, 1), (1024, 32), (1024, 256)]:
        for percent in (1, 5, 20):
            mask = torch.rand(features, features) < percent / 100
            dense = MaskedLinear(mask)
            forms = {"live": filled(LiveLinear(mask), dense.weight[mask], dense.bias), "masked dense": dense}
            forms["where"] = filled(WhereMaskedLinear(mask), dense.weight, dense.bias)
            if batch * int(mask.sum()) <= WRITTEN_TERMS:
                forms["index_add"] = filled(SparseLinear(mask), dense.weight, dense.bias)
            size = f"{features} → {features}, {percent} % alive, batch {batch}"
            yield Group(size, forms, torch.randn(batch, features), (1, 2) if percent == 5 else (1,))


def blocks() -> Iterator[Group]:
    """MaskedLinear with a few blocks alive."""
    features = 1024
    for side, batch in [(16, 32), (16, 256), (64, 32), (64, 256)]:
        for percent in (5, 20, 50):
            grid = torch.rand(features // side, features // side) < percent / 100
            mask = grid.repeat_interleave(side, 0).repeat_interleave(side, 1)
            dense = MaskedLinear(mask)
            shape = (features // side, side, features // side, side)
            live = dense.weight.reshape(shape).transpose(1, 2)[grid]
            forms = {
                "blocks": filled(BlockLinear(grid, (side, side)), live, dense.bias),
                "masked dense": dense,
                "live": filled(LiveLinear(mask), dense.weight[mask], dense.bias),
            }
            size = f"blocks of {side}×{side}, {percent} % alive, batch {batch}"
            yield Group(size, forms, torch.randn(batch, features))


def tied() -> Iterator[Group]:
    """The network that uses one layer twice."""
    for inputs, hidden, outputs, batch in [(8, 16, 4, 1), (784, 128, 10, 200), (32, 32, 32, 16384)]:
        shared = SharedMLP(inputs, hidden, outputs)
        forms: dict[str, nn.Module] = {"shared": shared}
        tried = {"in place (tried)": InPlaceMLP, "direct, in place (tried)": DirectMLP}
        for name, form in tried.items():
            forms[name] = form(inputs, hidden, outputs)
            forms[name].load_state_dict(shared.state_dict())
        size = f"{inputs}-{hidden}-{hidden}-{outputs}, batch {batch}"
        yield Group(size, forms, torch.randn(batch, inputs), threads=(1, 2))
