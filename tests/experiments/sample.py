"""The sample of real digits that ships: `python -m tests.experiments.sample --from DIR --write DIR`."""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path

from torch import Tensor

from properties.experiments.images import SAMPLE
from properties.reading.images import LABELS, load_labelled
from properties.report.files import write_bytes

COUNTS = {"train": 1500, "t10k": 500}


def idx(values: Tensor) -> bytes:
    """Give the bytes of an IDX file of integers 0 to 255, compressed, the same every time."""
    header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    return gzip.compress(header + values.numpy().tobytes(), mtime=0)


def main() -> int:
    """Write the first images of each part, with their labels."""
    parser = argparse.ArgumentParser(prog="python -m tests.experiments.sample", description=__doc__)
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="DIR", required=True, help="MNIST's files"
    )
    parser.add_argument("--write", type=Path, metavar="DIR", default=SAMPLE, help="the folder of the sample")
    options = parser.parse_args()
    for part, count in COUNTS.items():
        images, labels = load_labelled(options.source, part)
        write_bytes(idx(images[:count]), options.write / f"{part}-images-idx3-ubyte.gz")
        write_bytes(idx(labels[:count]), options.write / f"{LABELS[part]}.gz")
    return 0


if __name__ == "__main__":
    sys.exit(main())
