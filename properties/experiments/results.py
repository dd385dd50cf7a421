"""A run as files: everything as JSON, the curves and the gradients as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from properties.experiments.conclusion import statements
from properties.experiments.outcome import Outcome, parameters
from properties.report.files import write_whole

RESULTS, CURVES, GRADIENTS = "results.json", "curves.csv", "gradients.csv"


def write_results(outcome: Outcome, folder: Path) -> list[Path]:
    """Write the three files, each atomically, and name them; ReportError where that is impossible."""
    texts = {RESULTS: document(outcome), CURVES: _csv(_curves(outcome)), GRADIENTS: _csv(_gradients(outcome))}
    for name, text in texts.items():
        write_whole(text, folder / name)
    return [folder / name for name in texts]


def document(outcome: Outcome) -> str:
    """Return everything as JSON."""
    content = {
        "experiment": asdict(outcome.experiment),
        "images": outcome.source.told,
        "torch": torch.__version__,
        "complete": outcome.complete,
        "parameters": {
            variant.label: {name: list(shape) for name, shape in parameters(variant, outcome.source)}
            for variant in outcome.experiment.variants
        },
        "measures": [asdict(one) for one in outcome.measures],
        "comparisons": [asdict(one) for one in outcome.comparisons],
        "conclusion": [asdict(one) for one in statements(outcome)],
    }
    return json.dumps(_plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Write inf and nan, which JSON has not, as words: a run may diverge."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _curves(outcome: Outcome) -> Iterator[Sequence[object]]:
    yield "form", "seed", "epoch", "training_loss", "validation_loss", "accuracy"
    for one in outcome.measures:
        yield one.form, one.seed, one.epoch, one.training_loss, one.validation_loss, one.accuracy


def _gradients(outcome: Outcome) -> Iterator[Sequence[object]]:
    yield "form", "seed", "epoch", "parameter", "norm"
    for one in outcome.measures:
        for name, norm in one.gradient_norms.items():
            yield one.form, one.seed, one.epoch, name, norm


def _csv(rows: Iterator[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
