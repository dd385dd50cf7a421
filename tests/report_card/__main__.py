"""Measure the product's own report card: `python -m tests.report_card --write docs/report-card.md`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from properties.report.files import write_whole
from tests.report_card.card import QUICK, Extent, measured
from tests.report_card.page import page
from tests.report_card.pictures import draw


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything, and write the page and the pictures beside it."""
    parser = argparse.ArgumentParser(prog="python -m tests.report_card", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", required=True, help="the page")
    parser.add_argument("--quick", action="store_true", help="measure a little of everything, in seconds")
    given = parser.parse_args(arguments)
    started = time.monotonic()

    def progress(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - started:5.0f} s  {text}\n")

    card = measured(QUICK if given.quick else Extent(), progress)
    draw(card, given.write.parent / "pictures")
    write_whole(page(card), given.write)
    progress("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
