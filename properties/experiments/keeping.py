"""A lane on disk: written whole after every epoch, read back to the bit, and never unpickled."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from properties.experiments.records import Epoch, epoch_data, epoch_from
from properties.reading.images import DataError
from properties.report.files import write_bytes
from properties.report.text import one_line

TEXT = "text"
"""The name of the array of JSON's bytes; the others are <member>/<parameter>."""

UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a file that is no lane's may raise, and copying its tensors into modules that have others."""


@dataclass(frozen=True)
class Kept:
    """What stands in a file: which run it is, every member's tensors, and the epochs behind them."""

    identity: dict[str, object]
    states: list[dict[str, np.ndarray]]
    history: list[Epoch]


def keep(path: Path, run: Kept) -> None:
    """Write a lane, atomically; ReportError where the folder cannot be written."""
    text = json.dumps(
        {
            "identity": run.identity,
            "history": [epoch_data(epoch) for epoch in run.history],
        }
    )
    content: dict[str, Any] = {TEXT: np.frombuffer(text.encode(), np.uint8)}
    for place, state in enumerate(run.states):
        content |= {f"{place}/{name}": value for name, value in state.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **content)
    write_bytes(buffer.getvalue(), path)


def kept(path: Path, identity: dict[str, object]) -> Kept | None:
    """Read a lane, None where none is kept; DataError for a file of another run, or one that is no lane's."""
    if not path.exists():
        return None
    try:
        found = _read(path)
    except UNREADABLE as error:
        raise unreadable(path, error) from error
    for name, value in identity.items():
        if found.identity.get(name) != value:
            raise _of_another_run(path, name, value, found.identity.get(name))
    return found


def _of_another_run(path: Path, name: str, value: object, other: object) -> DataError:
    # The digest of the images tells a reader nothing.
    same, had = (name, "other images") if name == "images" else (f"{name}, {value}", other)
    message = (
        f"{path}: a run is resumed with the same {same}, but this one had {had}; "
        "ask for that, or leave out --resume to train anew"
    )
    return DataError(one_line(message))


def unreadable(path: Path, error: Exception) -> DataError:
    """Return the error of a file that is no lane's, or of a lane of other members."""
    return DataError(
        f"{one_line(str(path))}: keeps the epochs of a run, but cannot be read "
        f"({type(error).__name__}); leave out --resume to train anew"
    )


def _read(path: Path) -> Kept:
    # Of its bytes: given a path, numpy leaves a broken archive open.
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
        text: dict[str, Any] = json.loads(file[TEXT].tobytes())
        states: dict[int, dict[str, np.ndarray]] = {}
        for name in file.files:
            place, separator, tensor = name.partition("/")
            if separator:
                states.setdefault(int(place), {})[tensor] = file[name]
    if not isinstance(text["identity"], dict):
        message = "the identity of a run is a mapping"
        raise TypeError(message)
    members = [states[place] for place in range(len(states))]
    return Kept(text["identity"], members, [epoch_from(epoch) for epoch in text["history"]])
