"""A run as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from properties.experiments.conclusion import statements
from properties.experiments.outcome import Outcome, parameters
from properties.experiments.plan import Variant
from properties.experiments.statistics import spread
from properties.report.numbers import plural


def lines(outcome: Outcome) -> Iterator[str]:
    """Give the curves, the parameters with their gradients, and the statements."""
    yield from curves(outcome)
    yield ""
    yield from gradients(outcome)
    yield ""
    yield from (f"* {statement.text}" for statement in statements(outcome))


def curves(outcome: Outcome) -> Iterator[str]:
    """Give accuracy and loss of every variant after the first, the middle and the last epoch."""
    epochs = shown_epochs(outcome)
    seeds = plural(outcome.experiment.seeds, "seed")
    rows = [["", *(f"after {epoch}" for epoch in epochs), f"accuracy over {seeds}", "loss"]]
    for variant in outcome.experiment.variants:
        found = [[one.accuracy for one in outcome.of(variant, epoch)] for epoch in epochs]
        losses = [one.validation_loss for one in outcome.of(variant, epochs[-1])]
        if all(found):
            means = [f"{spread(one)[0]:.4f}" for one in found]
            rows.append([variant.label, *means, _range(found[-1]), _range(losses)])
    yield from _columns(rows)


def gradients(outcome: Outcome) -> Iterator[str]:
    """Give every parameter, a shared one once, with the mean norm of its gradient in three epochs."""
    epochs = shown_epochs(outcome)
    rows = [["parameter", "shape", "scalars", *(f"‖gradient‖ in {epoch}" for epoch in epochs)]]
    for variant in outcome.experiment.variants:
        named = parameters(variant, outcome.source)
        rows.append([variant.label, "", f"{sum(prod(shape) for _, shape in named):,}", *[""] * len(epochs)])
        for name, shape in named:
            size = " × ".join(map(str, shape)) or "a scalar"
            norms = [_norm(outcome, variant, name, epoch) for epoch in epochs]
            rows.append([f"  {name}", size, f"{prod(shape):,}", *norms])
    yield from _columns(rows)


def shown_epochs(outcome: Outcome) -> list[int]:
    """Name the first epoch, the middle one and the last that any variant has come to."""
    last = max((one.epoch for one in outcome.measures), default=0)
    return sorted({min(1, last), (last + 1) // 2, last})


def _norm(outcome: Outcome, variant: Variant, parameter: str, epoch: int) -> str:
    norms = [
        one.gradient_norms[parameter] for one in outcome.of(variant, epoch) if parameter in one.gradient_norms
    ]
    return f"{spread(norms)[0]:.4f}" if norms else ""


def _range(values: Sequence[float]) -> str:
    mean, least, largest = spread(values)
    return f"{mean:.4f} ({least:.4f} to {largest:.4f})" if len(values) > 1 else f"{mean:.4f}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([f"{first:<{widths[0]}}", *cells]).rstrip()
