"""What training tells: one record an epoch and variant, one an epoch and pair. Names and numbers only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """One variant after one epoch; epoch 0 is before the first step."""

    form: str
    seed: int
    epoch: int
    training_loss: float | None
    """The mean over the epoch's batches, dropout included."""
    validation_loss: float
    accuracy: float
    gradient_norms: dict[str, float]
    """By parameter: the mean of ‖∂loss/∂parameter‖₂ over the epoch's batches."""


@dataclass(frozen=True)
class Double:
    """The same two forms trained in float64, to tell rounding from a difference."""

    logits: float
    """The largest difference over the validation images."""
    allowance: float
    """The part of what rounding explains that this difference uses: 1 is the limit."""
    same: bool
    """The ladder's word."""


@dataclass(frozen=True)
class Comparison:
    """The largest differences of two forms after an epoch, from the same weights on the same batches."""

    reference: str
    candidate: str
    seed: int
    epoch: int
    loss: float
    """Of a batch's loss, over the epoch, in float32."""
    logits: float
    """Over the validation images, in float32."""
    parameters: dict[str, float]
    """|φ(θ) - θ'| by the candidate's parameter, in float32."""
    double: Double | None = None
    """Where a ladder was asked for."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch of a lane came to."""

    lane: str
    measures: list[Measure]
    comparison: Comparison | None


def epoch_from(data: dict[str, Any]) -> Epoch:
    """Read what `asdict` wrote; KeyError or TypeError for anything else."""
    measures = [Measure(**measure) for measure in data["measures"]]
    if data["comparison"] is None:
        return Epoch(data["lane"], measures, None)
    compared = dict(data["comparison"])
    double = compared.pop("double")
    return Epoch(data["lane"], measures, Comparison(**compared, double=Double(**double) if double else None))


def epoch_data(epoch: Epoch) -> dict[str, Any]:
    """Give an epoch as plain data."""
    return asdict(epoch)
