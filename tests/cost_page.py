"""The page of what the forms cost: `python -m tests.cost_page --write docs/cost.md`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from equivalence.catalogue import CATALOGUE
from equivalence.layers.two_d_fc import FlattenMatmulTwoDFC, TwoDFC
from equivalence.variable import Mask
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.fields import mask_of
from properties.cases.regime import Reals
from properties.cases.sample import Sample
from properties.cost import Cost, cost
from properties.cost.growth import growth
from properties.report.files import write_whole
from tests.cost_words import GROWTH, LAW, OPENING

SIZES = (20, 6, 12, 8)
"""The sizes of a claim's fields in the table, in their order."""
ROWS = 32
"""The size of a free axis in the table."""
ALONE = 8
"""Every size but the one that doubles."""
ONE_IN = 20
"""One entry of a mask lives in so many."""
COLUMNS = (
    ("free", "free_parameters"),
    ("stored", "parameters"),
    ("buffers", "buffers"),
    ("multiply-adds", "multiply_adds"),
    ("useful", "useful_multiply_adds"),
    ("backward", "backward_multiply_adds"),
    ("read", "bytes_read"),
    ("written", "bytes_written"),
    ("extra forward", "peak_forward_bytes"),
    ("extra training", "peak_training_bytes"),
    ("kernels", "kernels"),
)


def case(domain: Domain, sizes: dict[str, int]) -> Case:
    """Give the case of a claim with these sizes, one live entry in ONE_IN, and the first of every option."""
    values: dict[str, Any] = {name: kind.values[0] for name, kind in domain.choices.items()}
    values |= {name: kind.within(sizes[name]) for name, kind in domain.sized.items()}
    for name in domain.masks:
        values[name] = thinned(domain.mask_shape(name, values))
    return Case(domain.configure(values), {name: (sizes[name],) for name in domain.axes}, 0)


def thinned(shape: tuple[int, int]) -> Mask:
    """Let one entry in ONE_IN live, the first of them."""
    digits = "".join("1" if place % ONE_IN == 0 else "0" for place in range(prod(shape)))
    return mask_of(digits, shape)


def table_sizes(domain: Domain) -> dict[str, int]:
    """Give the sizes of the table."""
    return dict(zip(domain.sized, cycle(SIZES), strict=False)) | dict.fromkeys(domain.axes, ROWS)


def costs(at: Case) -> Iterator[tuple[str, Cost, int]]:
    """Give, for each form, its side, what it costs, and what torch's own counter makes of it."""
    sample = Sample(at, Reals(torch.float32))
    dead = {"reference": at.claim.dead_in_reference(), "candidate": at.claim.dead_in_candidate()}
    for form in (sample.reference, sample.candidate):
        measured = cost(form.module, sample.inputs, dead[form.side])
        yield form.side, measured, torchs_count(form.module, sample.inputs)


def torchs_count(module: nn.Module, inputs: Sequence[Tensor]) -> int:
    """Count a forward by torch's own counter, in multiply-adds of two operations each."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module(*inputs)
    return int(counter.get_total_flops()) // 2


def catalogue() -> Iterator[str]:
    """Give the table of every form of the catalogue."""
    yield from (f"| claim | form | {' | '.join(name for name, _ in COLUMNS)} | torch counts |",)
    yield "|---|---|" + "--:|" * (len(COLUMNS) + 1)
    for name, claim in CATALOGUE.items():
        domain = Domain(claim)
        for side, measured, counted in costs(case(domain, table_sizes(domain))):
            numbers = [f"{getattr(measured, attribute):,}" for _, attribute in COLUMNS]
            yield f"| {name} | {side} | {' | '.join(numbers)} | {counted:,} |"


def growths() -> Iterator[str]:
    """Give the table of the exponents, each claim that has not the rows of another before it."""
    yield from ("| claim | form | multiply-adds | extra forward | extra training |", "|---|---|---|---|---|")
    seen: dict[tuple[str, ...], str] = {}
    for name, claim in CATALOGUE.items():
        rows = tuple(f"{side} | {' | '.join(cells)} |" for side, cells in powers(Domain(claim)))
        if rows in seen:
            yield f"| {name} | both | as {seen[rows]} | | |"
        else:
            seen[rows] = name
            yield from (f"| {name} | {row}" for row in rows)


def powers(domain: Domain) -> Iterator[tuple[str, list[str]]]:
    """Give, for each form, its costs as products of powers of the sizes."""
    sizes = [
        *(name for name, kind in domain.sized.items() if kind.high is None),
        *domain.axes,
    ]
    for side in ("reference", "candidate"):
        fitted = {name: growth(partial(measured, domain, side, name)) for name in sizes}
        yield (
            side,
            [
                power({name: getattr(one, attribute) for name, one in fitted.items()})
                for attribute in ("multiply_adds", "peak_forward_bytes", "peak_training_bytes")
            ],
        )


def measured(domain: Domain, side: str, name: str, size: int) -> Cost:
    """Measure one form of a claim with one size as given, and every other ALONE."""
    alone = dict.fromkeys([*domain.sized, *domain.axes], ALONE)
    return next(one for form, one, _ in costs(case(domain, alone | {name: size})) if form == side)


def power(exponents: dict[str, float | None]) -> str:
    """Write a product of powers, exponents of less than 0.05 left out; none where nothing is needed."""
    if None in exponents.values():
        return "none"
    rounded = {name: round(value or 0, 1) for name, value in exponents.items()}
    factors = [name if value == 1 else f"{name}^{value:g}" for name, value in rounded.items() if value]
    return " · ".join(factors) or "constant"


def by_hand() -> Iterator[str]:
    """Give a few costs that can be checked by hand."""
    shown: Sequence[tuple[str, nn.Module, tuple[int, ...]]] = (
        ("Linear(4, 2)", nn.Linear(4, 2, bias=False), (32, 3, 4)),
        ("Linear(12, 6), the same on 3 rows flattened", nn.Linear(12, 6, bias=False), (32, 12)),
        ("TwoDFC(28 × 28, 10), broadcast", TwoDFC((28, 28), 10, bias=False), (32, 28, 28)),
        ("TwoDFC(28 × 28, 10), flattened", FlattenMatmulTwoDFC((28, 28), 10, bias=False), (32, 28, 28)),
    )
    yield "| layer | input | parameters | multiply-adds | for each of the 32 | torch counts | extra floats |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for name, module, shape in shown:
        inputs = [torch.zeros(shape)]
        one = cost(module, inputs)
        numbers = (
            one.parameters,
            one.multiply_adds,
            one.multiply_adds // shape[0],
            torchs_count(module, inputs),
            one.peak_forward_bytes // inputs[0].element_size(),
        )
        yield f"| {name} | {shape} | {' | '.join(f'{number:,}' for number in numbers)} |"


def page() -> str:
    """Give the whole page."""
    return "\n".join(
        [
            *OPENING.splitlines(),
            *by_hand(),
            *LAW.splitlines(),
            *catalogue(),
            *GROWTH.splitlines(),
            *growths(),
            "",
        ]
    )


def main() -> int:
    """Measure every form of the catalogue, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.cost_page", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", required=True, help="the page")
    torch.set_num_threads(1)
    write_whole(page(), parser.parse_args().write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
