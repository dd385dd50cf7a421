"""Measure the constant of the precision ladder: `python -m tests.calibration` prints the table of its page.

For right pairs, the largest float64 difference in units of 2^-29 noise, which the tolerance must exceed.
For wrong pairs, the smallest relative change of a single output that is still seen at the tolerance in use.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from properties.oracle.precision import SHRINKAGE, TOLERANCE, beyond_rounding, noise
from torch import Tensor
from torch.nn import functional

TERMS = tuple(4**power for power in range(8))
"""K from 1 to 16,384."""
TRIALS = 60
ROWS = 4
TOLERANCES = (1, 4, 16, 64, 256, 1024, 4096)
CHANGES = tuple(10.0**-power for power in range(1, 17))

Function = Callable[..., Tensor]
Side = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Pair:
    """Two right ways to compute one thing from x (rows, K) and w (K, 3)."""

    name: str
    reference: Function
    candidate: Function


def _loop(x: Tensor, weight: Tensor) -> Tensor:
    total = x.new_zeros(len(x), weight.shape[1])
    for chunk, rows in zip(
        x.split(1 + x.shape[1] // 7, dim=1), weight.split(1 + x.shape[1] // 7), strict=True
    ):
        total = total + (chunk.unsqueeze(-1) * rows).sum(1)
    return total


def _variance(x: Tensor, _: Tensor) -> Tensor:
    return (x + 30).square().mean(1) - (x + 30).mean(1).square()


def _attention(x: Tensor, weight: Tensor) -> Tensor:
    scores = x @ x.mT / math.sqrt(x.shape[1])
    return (scores.exp() / scores.exp().sum(-1, keepdim=True)) @ (x @ weight)


def _gradient(function: Function) -> Function:
    def gradient(x: Tensor, weight: Tensor) -> Tensor:
        leaf = x.detach().requires_grad_()
        return torch.autograd.grad(function(leaf, weight).square().sum(), leaf)[0]

    return gradient


PAIRS = (
    Pair("matmul, blocked sum", torch.matmul, _loop),
    Pair("matmul, reversed sum", torch.matmul, lambda x, w: (x.flip(1).unsqueeze(-1) * w.flip(0)).sum(1)),
    Pair("matmul, einsum of products", torch.matmul, lambda x, w: torch.einsum("bk,ko->bo", x * 3, w / 3)),
    Pair("matmul, its gradient", _gradient(torch.matmul), _gradient(_loop)),
    Pair(
        "softmax, unshifted", lambda x, _: x.softmax(1), lambda x, _: x.exp() / x.exp().sum(1, keepdim=True)
    ),
    Pair(
        "layer norm, formula",
        lambda x, _: functional.layer_norm(x, x.shape[1:]),
        lambda x, _: (x - x.mean(1, keepdim=True)) / (x.var(1, correction=0, keepdim=True) + 1e-5).sqrt(),
    ),
    Pair("variance, shifted by 30", lambda x, _: (x + 30).var(1, correction=0), _variance),
    Pair(
        "attention, by hand",
        lambda x, w: functional.scaled_dot_product_attention(x[None], x[None], (x @ w)[None])[0],
        _attention,
    ),
    Pair("gelu, by erf", lambda x, _: functional.gelu(x), lambda x, _: x * (1 + torch.erf(x / 2**0.5)) / 2),
)


def sides(pair: Pair, terms: int, seed: int) -> tuple[Side, Side]:
    """Run both ways in float32 and float64 on the same values."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(ROWS, terms, generator=generator)
    weight = torch.randn(terms, 3, generator=generator)
    reference, candidate = (
        (function(x, weight), function(x.double(), weight.double()))
        for function in (pair.reference, pair.candidate)
    )
    return reference, candidate


def ratio(reference: Side, candidate: Side) -> float:
    """Give the largest float64 difference in units of 2^-29 noise."""
    unit = SHRINKAGE * noise(reference, candidate)
    largest = (reference[1] - candidate[1]).abs().max().item()
    return largest / unit if unit else 0.0


def smallest_seen(reference: Side) -> float:
    """Give the smallest relative change of one output that the tolerance in use still sees."""
    seen = [change for change in CHANGES if beyond_rounding(reference, _changed(reference, change)).any()]
    return min(seen, default=math.inf)


def _changed(side: Side, change: float) -> Side:
    single, double = (value.clone() for value in side)
    place = int(double.abs().argmax())
    for value in (single, double):
        value.view(-1)[place] *= 1 + change
    return single, double


def table(trials: int) -> Iterator[str]:
    """Give the calibration as a Markdown table, then the false alarms by tolerance."""
    yield "| right pair | " + " | ".join(f"K={terms:,}" for terms in TERMS) + " | smallest change seen |"
    yield "|---|" + "---|" * (len(TERMS) + 1)
    everything: list[float] = []
    for pair in PAIRS:
        rows = [[sides(pair, terms, seed) for seed in range(trials)] for terms in TERMS]
        ratios = [[ratio(*both) for both in row] for row in rows]
        everything += [value for row in ratios for value in row]
        seen = max(smallest_seen(reference) for row in rows for reference, _ in row[:5] if reference[1].any())
        yield f"| {pair.name} | " + " | ".join(f"{max(row):.2f}" for row in ratios) + f" | {seen:.0e} |"
    yield ""
    yield f"{len(everything):,} comparisons of right pairs, {trials} seeds each. In use: {TOLERANCE:g}."
    yield ""
    yield "| tolerance | " + " | ".join(map(str, TOLERANCES)) + " |"
    yield "|---|" + "---|" * len(TOLERANCES)
    alarms = [sum(value > tolerance for value in everything) for tolerance in TOLERANCES]
    yield "| false alarms | " + " | ".join(map(str, alarms)) + " |"


def main() -> None:
    """Print the table; an argument gives the number of seeds."""
    for line in table(int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS):
        print(line, flush=True)


if __name__ == "__main__":
    main()
