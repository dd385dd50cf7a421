"""From a JSON report back to its data, held against the schema first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema

from properties.report.document import (
    CellRecord,
    ClaimRecord,
    CounterexampleRecord,
    Environment,
    LawRecord,
    Report,
    TensorRecord,
)


def schema() -> Any:
    return json.loads((files("properties.report") / "schema.json").read_text(encoding="utf-8"))


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def read(path: Path) -> Report:
    """Read what write_json wrote; jsonschema's ValidationError for anything else."""
    document = json.loads(path.read_text(encoding="utf-8"))
    validator().validate(document)
    nested = {
        "environment": Environment(**document["environment"]),
        "claims": [ClaimRecord(**claim) for claim in document["claims"]],
        "laws": [LawRecord(**law) for law in document["laws"]],
        "cells": [_cell(cell) for cell in document["cells"]],
    }
    return Report(**{**document, **nested})


def _cell(cell: Mapping[str, Any]) -> CellRecord:
    found = cell["counterexample"]
    return CellRecord(**{**cell, "counterexample": found and _counterexample(found)})


def _counterexample(found: Mapping[str, Any]) -> CounterexampleRecord:
    sides = {
        name: found[name] and TensorRecord(**found[name]) for name in ("reference_output", "candidate_output")
    }
    return CounterexampleRecord(
        **{**found, **sides, "values": [TensorRecord(**one) for one in found["values"]]}
    )
