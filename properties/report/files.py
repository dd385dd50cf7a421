"""Reports as files: written whole or not at all."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from properties.report.document import Report


class ReportError(Exception):
    """A report that cannot be written: one clear line, with the remedy."""


def check_writable(path: Path) -> None:
    """Try whether a file could be written, and leave nothing behind; ReportError where it could not."""
    try:
        _check_regular(path)
        # The nearest folder that is there: those below it are made when the file is.
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        beside = folder / _beside(path).name
        beside.touch()
        beside.unlink()
    except OSError as error:
        raise ReportError(_unwritable(path, error)) from error


def write_json(report: Report, path: Path) -> None:
    """Write the document that schema.json describes; ReportError where the file cannot be written."""
    # Without NaN, which is not JSON: a tensor's entries have it as a word.
    write_whole(json.dumps(asdict(report), indent=1, allow_nan=False) + "\n", path)


def write_whole(text: str, path: Path) -> None:
    """Write a text as UTF-8, as `write_bytes` does."""
    # A name from a claim may hold what UTF-8 has no bytes for.
    write_bytes(text.encode("utf-8", "backslashreplace"), path)


def write_bytes(content: bytes, path: Path) -> None:
    """Write a file, atomically, and make its folder; ReportError where that is impossible."""
    _check_regular(path)
    beside = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise ReportError(_unwritable(path, error)) from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _check_regular(path: Path) -> None:
    if path.exists() and not path.is_file():
        message = f"a report is written to a regular file, but {path} is none; give the path of a file"
        raise ReportError(message)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def _unwritable(path: Path, error: OSError) -> str:
    return f"a report needs a folder that can be written, but {path}: {error.strerror}; give another"
