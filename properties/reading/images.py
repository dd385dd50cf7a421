"""Images and labels in the IDX format (MNIST, Fashion-MNIST), read strictly: anything odd is refused."""

from __future__ import annotations

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from properties.report.text import one_line

IMAGES = ("t10k-images-idx3-ubyte", "train-images-idx3-ubyte")
LABELS = {"t10k": "t10k-labels-idx1-ubyte", "train": "train-labels-idx1-ubyte"}
MAGIC = b"\x00\x00\x08"
"""Unsigned bytes, in as many axes as the next byte says: images, rows, columns; or labels alone."""
WORD = 4
"""Bytes of the magic number, and of each size after it."""
IMAGE_AXES = 3
LARGEST = 1 << 28
"""Bytes; the largest of these files has 47 million."""


class DataError(Exception):
    """A folder or file that does not hold what it should: names it, the rule and what was found."""


def load_images(folder: str | Path) -> Tensor:
    """Read a folder's images, (images, rows, columns) of integers 0 to 255; DataError if there are none."""
    found = _found(Path(folder), IMAGES)
    return parse_images(_read(found, IMAGE_AXES), one_line(str(found)))


def load_labelled(folder: str | Path, part: str) -> tuple[Tensor, Tensor]:
    """Read (images, rows, columns) and (images,) of `part`, t10k or train; DataError without them."""
    images = _found(Path(folder), tuple(name for name in IMAGES if name.startswith(part)))
    labels = _found(Path(folder), (LABELS[part],))
    pictures = parse_images(_read(images, IMAGE_AXES), one_line(str(images)))
    classes = parse_labels(_read(labels, 1), one_line(str(labels)))
    if len(pictures) != len(classes):
        message = (
            f"{one_line(str(labels))}: holds a label for every image of {images.name}, but holds "
            f"{len(classes)} for {len(pictures)}; take both files from one source"
        )
        raise DataError(message)
    return pictures, classes


def parse_images(content: bytes, name: str) -> Tensor:
    """Read (images, rows, columns) from the bytes of an IDX file; DataError for anything else."""
    return _parse(content, name, "image", IMAGE_AXES)


def parse_labels(content: bytes, name: str) -> Tensor:
    """Read (labels,) of integers 0 to 255 from the bytes of an IDX file; DataError for anything else."""
    return _parse(content, name, "label", 1)


def _parse(content: bytes, name: str, kind: str, axes: int) -> Tensor:
    header, magic = _header(axes), MAGIC + bytes([axes])
    if len(content) < header or content[:WORD] != magic:
        message = (
            f"{name}: an IDX {kind} file begins with {magic.hex()}, but this begins with "
            f"{content[:WORD].hex()}"
        )
        raise DataError(message)
    shape, promised = _shape(content, axes), _promised(content, axes)
    if not header < promised <= LARGEST:
        message = (
            f"{name}: its header promises one {kind} or more, in {LARGEST} bytes or less, "
            f"but promises {shape}"
        )
        raise DataError(message)
    if len(content) != promised:
        has = len(content) if len(content) < promised else "more"
        message = f"{name}: its header promises {shape} in {promised} bytes, but it has {has}"
        raise DataError(message)
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy())


def _found(folder: Path, names: tuple[str, ...]) -> Path:
    paths = [folder / (name + ending) for name in names for ending in ("", ".gz")]
    try:
        # Asked first: opening a pipe waits until someone writes.
        found = next((path for path in paths if path.is_file()), None)
    except OSError as error:
        message = f"{one_line(str(folder))}: cannot be read: {error.strerror}"
        raise DataError(message) from error
    if found is None:
        missing = "neither was" if len(names) > 1 else "it was not"
        message = f"{one_line(str(folder))}: holds {' or '.join(names)}, plain or .gz, but {missing} found"
        raise DataError(message)
    return found


def _read(path: Path, axes: int) -> bytes:
    """Read as much as the header promises and one byte more: an archive may unpack to anything."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(_header(axes))
            promised = _promised(header, axes)
            return header + file.read(promised - _header(axes) + 1 if promised <= LARGEST else 0)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{one_line(str(path))}: cannot be read: {one_line(str(error))}"
        raise DataError(message) from error


def _header(axes: int) -> int:
    return WORD + WORD * axes


def _promised(header: bytes, axes: int) -> int:
    return _header(axes) + prod(_shape(header, axes))


def _shape(header: bytes, axes: int) -> tuple[int, ...]:
    starts = range(WORD, _header(axes), WORD)
    return tuple(int.from_bytes(header[start : start + WORD], "big") for start in starts)
