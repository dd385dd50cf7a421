"""What sharing a layer does and does not: `python -m tests.sharing_page --write docs/sharing.md`."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from equivalence.claims.sharing import UnrolledIsShared
from properties.cases.generators import generator_state
from properties.cases.sample import load
from properties.report.files import write_whole

SIZES = {"in_features": 784, "hidden_features": 256, "out_features": 10}
"""Of the network of the third article, on shared layers."""
SMALL = {"in_features": 6, "hidden_features": 4, "out_features": 3}
"""With integers of one digit, a network of these sizes is exact in float64, forward and backward."""
KILOBYTE = 1000
OPERATIONS = 2
"""A multiply and an add."""
RATE = 0.5
BATCH = 8
INTEGERS = (
    f"sizes {', '.join(map(str, SMALL.values()))}, batch {BATCH}, weights and inputs integers from -3 to 3"
)
OPENING = """# What sharing a layer does, and what it does not

The third of the four pieces of writing about `nn.Linear` in [the catalogue](catalogue.md), numbered as
`equivalence list` numbers them, is the article on shared layers. It gives reasons for sharing parameters
between layers. Here each is a statement that can be checked, held for its network, 784-256-256-256-10 with
the middle layer used twice, beside the unrolled copy that has a layer for each use. `make sharing-page`
measures and writes this page; a test measures again and compares.

| sharing gives | | shared | unrolled | measured |
|---|---|--:|--:|---|
"""
CLOSING = """

So sharing saves memory for parameters, for gradients and for an optimiser's state, and, where the layer is
one module used twice, room on disk. It saves no arithmetic. Where two names are tied by assignment, the
file is smaller only in a format that knows storages. And a network and its unrolled copy are the same
function with the same gradient, by `carry`, which sums; but not the same training run: `equivalence train
fashion-mnist` shows how far they part ([the experiments](experiments.md)). The claim `shared-unrolled` of
the catalogue holds the one and declares the other, `parameter_count`, in its `breaks`.
"""
Named = Mapping[str, Tensor]


@dataclass(frozen=True)
class Finding:
    """A reason for sharing as a statement, what was measured, and whether that bears the statement out."""

    statement: str
    holds: bool
    shared: str
    unrolled: str
    remark: str


def networks(sizes: Mapping[str, int] = SIZES) -> tuple[nn.Module, nn.Module]:
    """Give the network that uses one layer twice, and its unrolled copy of the same weights."""
    claim = UnrolledIsShared(**sizes)
    with generator_state(0):
        shared, unrolled = claim.reference(), claim.candidate()
    load(unrolled, claim.carry(dict(shared.named_parameters())))
    return shared, unrolled


def tied() -> nn.Module:
    """Give the unrolled network whose two layers hold one weight and one bias under two names."""
    _, unrolled = networks()
    unrolled.middle2.weight = unrolled.middle1.weight  # type: ignore[union-attr]
    unrolled.middle2.bias = unrolled.middle1.bias  # type: ignore[union-attr]
    return unrolled


def fewer_parameters() -> Finding:
    """Count the free scalars of both."""
    counts = [sum(value.numel() for value in one.parameters()) for one in networks()]
    hidden = SIZES["hidden_features"]
    return Finding(
        "fewer free parameters",
        counts[1] - counts[0] == hidden * (hidden + 1),
        f"{counts[0]:,}",
        f"{counts[1]:,}",
        f"hidden · (hidden + 1) = {counts[1] - counts[0]:,} fewer for each further use",
    )


def smaller_files() -> Finding:
    """Save both with torch.save."""
    sizes = [saved(one) for one in networks()]
    return Finding(
        "smaller files, the layer used twice",
        sizes[0] < sizes[1],
        kilobytes(sizes[0]),
        kilobytes(sizes[1]),
        "`torch.save` of the `state_dict`, which names the layer once",
    )


def smaller_files_of_torch_when_tied() -> Finding:
    """Save one weight under two names with torch.save, which writes a storage once."""
    module = tied()
    return Finding(
        "smaller files, one weight under two names, `torch.save`",
        saved(module) < saved(networks()[1]),
        kilobytes(saved(module)),
        kilobytes(saved(networks()[1])),
        f"the `state_dict` has {len(module.state_dict())} entries either way; a storage is written once",
    )


def smaller_files_of_arrays_when_tied() -> Finding:
    """Save one weight under two names with a format that writes every entry."""
    module = tied()
    return Finding(
        "smaller files, one weight under two names, every entry written",
        written(module) < written(networks()[1]),
        kilobytes(written(module)),
        kilobytes(written(networks()[1])),
        "`numpy.savez` of the `state_dict`; so does any format that knows names and values alone",
    )


def less_computation() -> Finding:
    """Count the multiply-adds of one image, forward and backward, and hold them against the closed form."""
    shared, unrolled = (operations(one) for one in networks())
    return Finding(
        "less computation",
        shared < unrolled,
        " and ".join(f"{count:,}" for count in shared),
        " and ".join(f"{count:,}" for count in unrolled),
        "multiply-adds of one image, forward and backward: each use is computed. Forward in·h + 2·h² + "
        "h·out; backward the same for the weights, and 2·h² + h·out for what the layers read",
    )


def closed_form() -> tuple[int, int]:
    """Give the multiply-adds of one image, forward and backward, of either network."""
    inputs, hidden, outputs = SIZES.values()
    above = 2 * hidden * hidden + hidden * outputs
    forward = inputs * hidden + above
    return forward, forward + above


def gradients_add() -> Finding:
    """Hold the shared layer's gradient against the sum of the copies', in exact integers, bitwise."""
    shared, unrolled = (integer(one) for one in networks(SMALL))
    mine, its = (gradients(one) for one in integer_pair(shared, unrolled))
    total = its["middle1.weight"] + its["middle2.weight"]
    return Finding(
        "gradients add over the uses",
        torch.equal(mine["middle.weight"], total) and bool(its["middle1.weight"].any()),
        f"‖g‖₁ = {mine['middle.weight'].abs().sum():,.0f}",
        f"‖g₁ + g₂‖₁ = {total.abs().sum():,.0f}",
        f"{INTEGERS}, of the sum of the outputs: exact in float64 and compared bitwise; ‖g‖₁ is the sum of "
        "the absolute values of the gradient of the middle layer's weight",
    )


def the_same_after_a_step() -> Finding:
    """Take one step of SGD with both, and look whether the copies are still one layer."""
    shared, unrolled = networks(SMALL)
    pair = integer_pair(integer(shared), integer(unrolled))
    steps = [
        {name: value.detach() - RATE * gradients(one)[name] for name, value in one.named_parameters()}
        for one in pair
    ]
    apart = (steps[1]["middle1.weight"] - steps[1]["middle2.weight"]).abs().max()
    return Finding(
        "an unrolled copy stays the same network in training",
        float(apart) == 0,
        "one layer",
        f"‖W₁ - W₂‖∞ = {apart:,.1f}",
        f"{INTEGERS}, after one step of SGD on the sum of the outputs, learning rate {RATE}: each copy "
        "takes its own part of the gradient; ‖·‖∞ is the largest absolute value",
    )


FINDINGS: tuple[Callable[[], Finding], ...] = (
    fewer_parameters,
    smaller_files,
    smaller_files_of_torch_when_tied,
    smaller_files_of_arrays_when_tied,
    less_computation,
    gradients_add,
    the_same_after_a_step,
)


def saved(module: nn.Module) -> int:
    """Return the bytes of torch.save of a module's state."""
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    return buffer.tell()


def written(module: nn.Module) -> int:
    """Return the bytes of every entry of a module's state, written one by one."""
    buffer = io.BytesIO()
    np.savez(buffer, **{name: value.numpy() for name, value in module.state_dict().items()})
    return len(buffer.getvalue())


def operations(module: nn.Module) -> tuple[int, int]:
    """Count the multiply-adds of one image: forward, and backward to the parameters."""
    x = torch.ones(1, SIZES["in_features"])
    with FlopCounterMode(display=False) as forward:
        y = module(x)
    with FlopCounterMode(display=False) as backward:
        torch.autograd.grad(y.sum(), list(module.parameters()))
    return forward.get_total_flops() // OPERATIONS, backward.get_total_flops() // OPERATIONS


def integer(module: nn.Module) -> nn.Module:
    """Give the module in float64 with integers from -3 to 3, drawn by name."""
    module = module.double()
    for name, value in module.named_parameters():
        generator = torch.Generator().manual_seed(len(name) + value.numel())
        value.data = torch.randint(-3, 4, value.shape, generator=generator).double()
    return module


def integer_pair(shared: nn.Module, unrolled: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Carry the shared network's integers to its copy."""
    load(unrolled, UnrolledIsShared(**SMALL).carry(dict(shared.named_parameters())))
    return shared, unrolled


def gradients(module: nn.Module) -> Named:
    """Give ∂⟨1, module(x)⟩/∂θ for a batch of integers x."""
    x = torch.randint(
        -3, 4, (BATCH, SMALL["in_features"]), generator=torch.Generator().manual_seed(1)
    ).double()
    named = dict(module.named_parameters())
    return dict(zip(named, torch.autograd.grad(module(x).sum(), list(named.values())), strict=True))


def kilobytes(size: int) -> str:
    """Return 1,081 kB."""
    return f"{size / KILOBYTE:,.0f} kB"


def row(finding: Finding) -> str:
    """Give a finding as a row of the table."""
    verdict = "**right**" if finding.holds else "**wrong**"
    cells = finding.statement, verdict, finding.shared, finding.unrolled, finding.remark
    return f"| {' | '.join(cells)} |"


def page() -> str:
    """Measure everything, and give the page."""
    return OPENING + "\n".join(row(finding()) for finding in FINDINGS) + CLOSING


def main() -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.sharing_page", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", required=True, help="the page")
    write_whole(page(), parser.parse_args().write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
