"""A failure as a file of text and numbers: enough to see it again on another machine, another day."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from properties.cases.definition import field_values
from properties.cases.regime import Integers, Regime
from properties.cases.sample import Values
from properties.cases.setting import USUAL, Setting
from properties.dtypes import named
from properties.refutation.counterexample import Refuted, place

SCHEMA_VERSION = 3
FOLDER = ".equivalence/failures"
MOST_BYTES = 1 << 22
"""Of a file that is read back."""
DISTRIBUTIONS = ("layer-equivalence", "torch", "numpy", "hypothesis")


@dataclass(frozen=True)
class Failure:
    """One case of one claim that fails one law, as plain data."""

    id: str
    claim: str
    """As the command line names it: a name of the catalogue, module:Class or file.py:Class."""
    law: str
    fields: Mapping[str, int | float | bool | str | None]
    axes: Mapping[str, Sequence[int]]
    seed: int
    look: str
    """What the values of the inputs look like."""
    under: Sequence[str]
    """In what circumstances the forms were used."""
    decided: str
    regime: Mapping[str, int | str]
    """The numbers that it was decided on: integers of so many bits, or reals, in a dtype."""
    values: Mapping[str, Mapping[str, Any]]
    """Name -> shape, dtype and entries of every tensor that was drawn."""
    difference: Mapping[str, int | float | str]
    versions: Mapping[str, str]
    dtype: str
    """Of the setting that the forms ran in; `regime` may have float32 in place of float64."""
    device: str
    schema: int = SCHEMA_VERSION


def described(refuted: Refuted, *, smallest: bool = False) -> Failure:
    """Describe a failure as it was found, or with the smallest values that still show it."""
    verdict, judge = refuted.verdict, refuted.judge
    difference = verdict.difference
    values = judge.values(verdict)
    if smallest:
        values, difference = refuted.smallest
    assert difference is not None  # noqa: S101  (a refutation has one)
    claim = place(verdict.case)
    return Failure(
        id=_identity(claim, judge.law.name, verdict.case.setting),
        claim=claim,
        law=judge.law.name,
        fields={name: kind.plain(value) for name, kind, value in field_values(verdict.case.claim)},
        axes={name: list(shape) for name, shape in verdict.case.axes.items()},
        seed=verdict.case.seed,
        look=verdict.case.values,
        under=list(verdict.case.under),
        decided=verdict.decided.word,
        regime=_regime(verdict.regime),
        values=_values(values),
        difference={
            "kind": difference.kind,
            "where": difference.where,
            "reference": difference.reference,
            "candidate": difference.candidate,
        },
        versions={"python": platform.python_version(), **{name: version(name) for name in DISTRIBUTIONS}},
        dtype=verdict.case.setting.dtype_name,
        device=str(verdict.case.setting.device),
    )


def write(failure: Failure, folder: str) -> Path | None:
    """Write a failure, whole or not at all; it replaces an earlier one of the same claim, law and setting.

    One that is too large to be read back is not written, and leaves no file: None. Its case replays it.
    """
    path = Path(folder) / f"{failure.id}.json"
    content = json.dumps(asdict(failure), indent=1, allow_nan=False)
    if len(content) >= MOST_BYTES:
        path.unlink(missing_ok=True)
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(content + "\n")
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
    return path


def _identity(claim: str, law: str, setting: Setting) -> str:
    words = [claim, law, *([str(setting)] if setting != USUAL else [])]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:8]


def _regime(regime: Regime) -> dict[str, int | str]:
    dtype = named(regime.dtype)
    if isinstance(regime, Integers):
        return {"numbers": "integers", "bits": regime.bits, "dtype": dtype}
    return {"numbers": "reals", "dtype": dtype}


def _values(values: Values) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "shape": list(value.shape),
            "dtype": named(value.dtype),
            "entries": value.reshape(-1).tolist(),
        }
        for name, value in values.items()
    }
