"""Libraries that only an extra brings."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from properties.report.files import ReportError


def library(name: str, what: str, extra: str) -> Any:
    """Import a library for what needs it, as 'a picture'; ReportError naming the extra if missing."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        message = (
            f"{what} needs {name.partition('.')[0]}, which is not installed; "
            f'pip install "layer-equivalence[{extra}]"'
        )
        raise ReportError(message) from error
