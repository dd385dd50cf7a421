"""Images in the IDX format (MNIST, Fashion-MNIST), read strictly: anything odd is refused."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

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
    candidates = [Path(folder) / (name + ending) for name in IMAGES for ending in ("", ".gz")]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        message = f"{folder}: holds {IMAGES[0]} or {IMAGES[1]}, plain or .gz, but neither was found"
        raise DataError(message)
    return parse_images(_read(found), str(found))


def parse_images(content: bytes, name: str) -> Tensor:
    """Read (images, rows, columns) from the bytes of an IDX file; DataError for anything else."""
    if len(content) < HEADER or content[:4] != MAGIC:
        message = (
            f"{name}: an IDX image file begins with {MAGIC.hex()}, but this begins with {content[:4].hex()}"
        )
        raise DataError(message)
    shape = tuple(int.from_bytes(content[start : start + 4], "big") for start in (4, 8, 12))
    expected = HEADER + shape[0] * shape[1] * shape[2]
    if len(content) != expected:
        message = f"{name}: its header promises {shape} in {expected} bytes, but it has {len(content)}"
        raise DataError(message)
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=HEADER).reshape(shape).copy())


def _read(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path}: cannot be read: {error}"
        raise DataError(message) from error
    if len(content) > LARGEST:
        message = f"{path}: has more than {LARGEST} bytes, which no image file of this kind has"
        raise DataError(message)
    return content
