"""Where the text of a claim is kept: for a moment, for its replay lines, or for good."""

from __future__ import annotations

import os
import tempfile
import zlib
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

from equivalence.claim import Equivalence
from properties.comparison.claim_text import Comparison
from properties.reading.claims import UsageError, load_claim

SCRATCH = Path(".equivalence") / "claims"
"""Holds the claims of comparisons that were refuted: their replay lines name them."""


def drafted(comparison: Comparison) -> type[Equivalence]:
    """Load the claim from a temporary file; UsageError where its text does not import."""
    with tempfile.TemporaryDirectory(prefix="equivalence_") as folder:
        path = Path(folder) / "draft.py"
        write_atomically(path, comparison.source(path.parent, suite=False))
        return load_claim(f"{path}:{comparison.name}")


def check_free(path: Path, *, force: bool) -> None:
    """UsageError where the claim cannot be kept in this file, or another file would be lost."""
    if path.suffix != ".py":
        message = f"--write keeps a Python file, as in --write claim.py, but got {str(path)!r}"
        raise UsageError(message)
    if not path.parent.is_dir():
        message = f"--write needs a folder that is there, but {path.parent} is none"
        raise UsageError(message)
    if path.is_dir() or (path.exists() and not force):
        message = f"{path} is there already: name another file, or replace it with --force"
        raise UsageError(message)


def put_aside(name: str, text: str) -> Path:
    """Write the text of a claim into a file of its own below SCRATCH, and return its path."""
    path = SCRATCH / f"{name}_{zlib.crc32(text.encode(errors='replace')):08x}.py"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{path.parent} cannot be made ({error}): name a file for the claim with --write"
        raise UsageError(message) from error
    write_atomically(path, text)
    return path


def forget(path: Path) -> None:
    """Remove a claim that has no replay line, and the folders that were made for it."""
    compiled = Path(cache_from_source(path))
    for file in (path, compiled):
        file.unlink(missing_ok=True)
    with suppress(OSError):
        compiled.parent.rmdir()
    with suppress(OSError):
        path.parent.rmdir()
        path.parent.parent.rmdir()


def write_atomically(path: Path, text: str) -> None:
    """Write a file whole or not at all; UsageError where that fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError as error:
        message = f"{path} cannot be written: {error}"
        raise UsageError(message) from error
    finally:
        temporary.unlink(missing_ok=True)
