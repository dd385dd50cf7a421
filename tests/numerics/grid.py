"""A look at pairs without the suite: values and two derivatives on a grid of awkward numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from equivalence.claim import Equivalence
from equivalence.variable import Index, Variable
from properties.cases.definition import fields_of
from properties.cases.fields import SizeField

SIZES = (1, 5)
ROWS = 4
SEED = 3
USUAL = 1e-6
ILL_CONDITIONED = {
    "AttentionInBlocks": 1e-3,
    "LogisticMap": math.inf,
    "SingleLayerNorm": math.inf,
    "SingleRMSNorm": 1e-4,
    "SingleSoftmax": math.inf,
    "VarianceInOnePass": 1e-4,
}
"""The part of 1 + the largest entry by which two forms may differ in float64."""
Fill = Callable[[tuple[int, ...], torch.Generator], Tensor]


def scaled(scale: float) -> Fill:
    return lambda shape, generator: scale * torch.randn(shape, generator=generator)


def zeros(shape: tuple[int, ...], _: torch.Generator) -> Tensor:
    return torch.zeros(shape)


def constant_rows(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return 1e4 * torch.randn((*shape[:-1], 1), generator=generator).clamp(-1, 1).expand(shape)


def ties(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randint(-3, 4, shape, generator=generator).float()


def rows_of_zeros(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator) * torch.randint(2, (*shape[:-1], 1), generator=generator)


def extremes(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return 1e4 * torch.randint(-1, 2, shape, generator=generator).float()


def mixed(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    powers = torch.randint(-3, 5, shape, generator=generator)
    return torch.randn(shape, generator=generator).clamp(-1, 1) * 10.0**powers


FILLS: Mapping[str, Fill] = {
    "zeros": zeros,
    "constant rows": constant_rows,
    "ties": ties,
    "rows of zeros": rows_of_zeros,
    "extremes": extremes,
    "mixed scales": mixed,
    **{f"scale {scale:g}": scaled(scale) for scale in (1e-3, 1.0, 1e2, 3e3)},
}


def configured(claim: type[Equivalence], size: int) -> Equivalence:
    """Give the claim with every size as near to this one as it allows."""
    kinds = fields_of(claim)
    highs = {
        name: kind.high
        for name, kind in kinds.items()
        if isinstance(kind, SizeField) and kind.high is not None
    }
    return claim(**{name: min(size, highs.get(name, size)) for name in kinds})


def shape(claim: Equivalence, variable: Variable) -> tuple[int, ...]:
    axes = (axis.removeprefix("*") for axis in variable.axes.split())
    return tuple(int(axis) if axis.isdigit() else getattr(claim, axis, ROWS) for axis in axes)


def inputs(claim: Equivalence, fill: Fill, generator: torch.Generator) -> list[Tensor]:
    return [
        torch.randint(getattr(claim, one.below), shape(claim, one), generator=generator)
        if isinstance(one, Index)
        else fill(shape(claim, one), generator)
        for one in claim.inputs().values()
    ]


def parameters(claim: Equivalence, dtype: torch.dtype, generator: torch.Generator) -> dict[str, Tensor]:
    """Draw parameters by their fan in, and buffers as positive numbers."""
    module = claim.reference()
    drawn = {
        name: torch.randn(value.shape, generator=generator) / math.sqrt(max(1, math.prod(value.shape[1:])))
        for name, value in module.named_parameters()
    }
    buffers = {
        name: torch.rand(value.shape, generator=generator).to(dtype) + 0.5
        for name, value in module.named_buffers()
        if value.is_floating_point()
    }
    return {name: cast(value, dtype) for name, value in drawn.items()} | buffers


def seen(
    module: nn.Module,
    state: Mapping[str, Tensor],
    x: Sequence[Tensor],
    leaves: Sequence[Tensor],
    *,
    twice: bool,
) -> dict[str, list[Tensor]]:
    """Give what a module computes, its gradients for one cotangent, the second derivative along one line."""
    torch.manual_seed(0)
    put_in(module, state)
    y = module(*x)
    y = y[0] if isinstance(y, tuple) else y
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).to(y.dtype)
    first = gradients([y], leaves, [weights], create_graph=twice)
    found = {"value": [y], "gradient": first}
    if twice:
        generator = torch.Generator().manual_seed(2)
        tangents = [torch.randn(one.shape, generator=generator).to(one.dtype) for one in first]
        found["second derivative"] = gradients(first, leaves, tangents, create_graph=False)
    return {name: [one.detach() for one in values] for name, values in found.items()}


def put_in(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Let tensors stand in for parameters and buffers, in backward too."""
    for name, value in state.items():
        path, _, own = name.rpartition(".")
        part = module.get_submodule(path)
        kept: dict[str, Any] = part._parameters if own in part._parameters else part._buffers
        kept[own] = value


def gradients(
    outputs: Sequence[Tensor], leaves: Sequence[Tensor], weights: Sequence[Tensor], *, create_graph: bool
) -> list[Tensor]:
    pairs = [(one, weight) for one, weight in zip(outputs, weights, strict=True) if one.requires_grad]
    if not pairs:
        return [torch.zeros_like(leaf) for leaf in leaves]
    values, cotangents = zip(*pairs, strict=True)
    return list(
        torch.autograd.grad(
            values, leaves, cotangents, create_graph=create_graph, allow_unused=True, materialize_grads=True
        )
    )


def differences(claim: type[Equivalence], *, twice: bool) -> Iterator[str]:
    """Say where a pair differs on the grid: by more than rounding in float64, by its range in float32."""
    tolerances = {torch.float64: ILL_CONDITIONED.get(claim.__name__, USUAL), torch.float32: math.inf}
    for size, (name, fill), dtype in product(SIZES, FILLS.items(), tolerances):
        for what, reference, candidate in both(configured(claim, size), fill, dtype, twice=twice):
            if told := difference(reference, candidate, tolerances[dtype]):
                yield f"{name}, size {size}, {dtype}: {what} {told}"


def both(
    claim: Equivalence, fill: Fill, dtype: torch.dtype, *, twice: bool
) -> Iterator[tuple[str, Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(SEED)
    x = [cast(one, dtype) for one in inputs(claim, fill, generator)]
    theta = parameters(claim, dtype, generator)
    leaves = [one for one in (*x, *theta.values()) if one.requires_grad]
    reference = seen(claim.reference().to(dtype), theta, x, leaves, twice=twice)
    candidate = seen(claim.candidate().to(dtype), claim.carry(theta), x, leaves, twice=twice)
    for what, values in reference.items():
        for one, other in zip(values, candidate[what], strict=True):
            yield what, one, other


def cast(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.to(dtype).requires_grad_() if value.is_floating_point() else value


def difference(reference: Tensor, candidate: Tensor, tolerance: float) -> str:
    """Say how two tensors differ; empty where they do not."""
    if reference.shape != candidate.shape or reference.dtype != candidate.dtype:
        return f"{reference.dtype} {tuple(reference.shape)} beside {candidate.dtype} {tuple(candidate.shape)}"
    finite = reference.isfinite()
    if not finite.equal(candidate.isfinite()):
        place = finite != candidate.isfinite()
        return f"is {candidate[place][0].item()} beside {reference[place][0].item()}"
    if not finite.any():
        return ""
    apart = (reference - candidate)[finite].abs().max().item()
    allowed = tolerance * (1 + reference[finite].abs().max().item())
    return "" if apart <= allowed else f"is {apart:.3g} apart, {allowed:.3g} allowed"
