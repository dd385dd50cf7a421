"""Images in the IDX format (MNIST, Fashion-MNIST), read strictly: anything odd is refused."""

from __future__ import annotations

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from properties.reading.failures import one_line

IMAGES = ("t10k-images-idx3-ubyte", "train-images-idx3-ubyte")
MAGIC = b"\x00\x00\x08\x03"
"""Unsigned bytes in three axes: images, rows, columns."""
HEADER = 16
LARGEST = 1 << 28
"""Bytes; the largest of these files has 47 million."""


class DataError(Exception):
    """A folder or file that does not hold what it should: names it, the rule and what was found."""


def load_images(folder: str | Path) -> Tensor:
    """Read a folder's images, (images, rows, columns) of integers 0 to 255; DataError if there are none."""
    found = _found(Path(folder))
    return parse_images(_read(found), one_line(str(found)))


def parse_images(content: bytes, name: str) -> Tensor:
    """Read (images, rows, columns) from the bytes of an IDX file; DataError for anything else."""
    if len(content) < HEADER or content[:4] != MAGIC:
        message = (
            f"{name}: an IDX image file begins with {MAGIC.hex()}, but this begins with {content[:4].hex()}"
        )
        raise DataError(message)
    shape, promised = _shape(content), _promised(content)
    if not HEADER < promised <= LARGEST:
        message = (
            f"{name}: its header promises one image or more, in {LARGEST} bytes or less, but promises {shape}"
        )
        raise DataError(message)
    if len(content) != promised:
        has = len(content) if len(content) < promised else "more"
        message = f"{name}: its header promises {shape} in {promised} bytes, but it has {has}"
        raise DataError(message)
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=HEADER).reshape(shape).copy())


def _found(folder: Path) -> Path:
    paths = [folder / (name + ending) for name in IMAGES for ending in ("", ".gz")]
    try:
        # Asked first: opening a pipe waits until someone writes.
        found = next((path for path in paths if path.is_file()), None)
    except OSError as error:
        message = f"{one_line(str(folder))}: cannot be read: {error.strerror}"
        raise DataError(message) from error
    if found is None:
        message = (
            f"{one_line(str(folder))}: holds {IMAGES[0]} or {IMAGES[1]}, plain or .gz, but neither was found"
        )
        raise DataError(message)
    return found


def _read(path: Path) -> bytes:
    """Read as much as the header promises and one byte more: an archive may unpack to anything."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(HEADER)
            promised = _promised(header)
            return header + file.read(promised - HEADER + 1 if promised <= LARGEST else 0)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{one_line(str(path))}: cannot be read: {one_line(str(error))}"
        raise DataError(message) from error


def _promised(header: bytes) -> int:
    return HEADER + prod(_shape(header))


def _shape(header: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(header[start : start + 4], "big") for start in (4, 8, 12))
