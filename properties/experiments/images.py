"""Where the images come from: a folder, a fetch with checksums, or the sample that ships."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor

from properties.reading.images import DataError, load_labelled

SAMPLE = Path(__file__).parent / "sample"
SAMPLED = "mnist"
"""Whose images the sample holds."""
HOMES = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
}
CHECKSUMS = {
    "mnist": {
        "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
    },
}
"""As the homes publish them."""
PATIENCE = 20
"""Seconds that a server may be silent."""


@dataclass(frozen=True)
class Source:
    """A folder with the four IDX files, and what a reader is told of it."""

    folder: str
    told: str


@dataclass(frozen=True)
class Images:
    """Images (n, rows, columns) of integers 0 to 255, and their classes (n,), to train and to validate on."""

    training: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]

    @property
    def classes(self) -> int:
        """The number of classes: one more than the largest label."""
        return int(max(self.training[1].max(), self.validation[1].max())) + 1


@cache
def load(folder: str) -> Images:
    """Read the four files of a folder; DataError where one is missing, truncated or foreign."""
    training, validation = load_labelled(folder, "train"), load_labelled(folder, "t10k")
    shapes = training[0].shape[1:], validation[0].shape[1:]
    if shapes[0] != shapes[1]:
        message = (
            f"{folder}: its training and validation images have one shape, but have {tuple(shapes[0])} and "
            f"{tuple(shapes[1])}; take the four files from one source"
        )
        raise DataError(message)
    return Images((training[0], training[1].long()), (validation[0], validation[1].long()))


def source(folder: str | None, name: str) -> Source:
    """Give the user's folder; else the fetched one; else the sample, and why.

    Raises DataError where nothing was fetched and the sample is of other images.
    """
    if folder is not None:
        return Source(folder, f"images from {folder}")
    try:
        return Source(_fetched(name), f"images of {name}, fetched from {HOMES[name]} and kept")
    except ImportError:
        reason = 'pooch is not installed (pip install "layer-equivalence[data]")'
    except (OSError, ValueError) as error:
        reason = f"{HOMES[name]} gave none ({type(error).__name__})"
    if name != SAMPLED:
        message = f"the images of {name} are needed, but {reason}; name a folder with --data"
        raise DataError(message)
    return Source(
        str(SAMPLE), f"a small sample of real digits, which shows little: {reason}; name a folder with --data"
    )


def _fetched(name: str) -> str:
    """Fetch what is not kept yet, and give the folder; ImportError without pooch, OSError without network."""
    pooch: Any = import_module("pooch")  # An extra: a folder of one's own does without.
    keep = pooch.create(
        path=pooch.os_cache("layer-equivalence") / name,
        base_url=HOMES[name],
        registry=CHECKSUMS[name],
    )
    pooch.get_logger().setLevel("ERROR")
    for file in CHECKSUMS[name]:
        keep.fetch(file, downloader=pooch.HTTPDownloader(timeout=PATIENCE))
    return str(keep.abspath)
