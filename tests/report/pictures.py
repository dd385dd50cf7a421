"""Pictures of the report: `python -m tests.report.pictures DIR [--json FILE]`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from selenium.webdriver import Chrome

from properties.report.page import write_page
from tests.report import browser, example, reading

LARGEST = 200_000
"""Bytes of a picture that may stand in the repository."""


class Picture(NamedTuple):
    """One picture, of the matrix or of the first counterexample."""

    name: str
    width: int
    height: int
    dark: bool
    opened: bool


PICTURES = (
    Picture("report-1440.png", 1440, 1160, dark=False, opened=False),
    Picture("report-390.png", 390, 1240, dark=False, opened=True),
    Picture("report-dark.png", 1440, 860, dark=True, opened=True),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the pictures into a folder; SystemExit where there is no browser or one comes out too large."""
    parser = argparse.ArgumentParser("python -m tests.report.pictures", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, metavar="FILE", help="a JSON report (default: the example)")
    options = parser.parse_args(arguments)
    if browser.absence():
        parser.error(browser.absence())
    report = reading.read(options.json) if options.json else example.report()
    options.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, browser.browser() as driver:
        page = Path(folder) / "report.html"
        write_page(report, page)
        for picture in PICTURES:
            _take(driver, page, picture, options.folder)


def _take(driver: Chrome, page: Path, picture: Picture, folder: Path) -> None:
    browser.size(driver, picture.width, picture.height)
    browser.dark(driver, wanted=picture.dark)
    browser.open_file(driver, page)
    if picture.opened:
        driver.execute_script("document.querySelector('button[data-finding]').click()")
        driver.execute_script(
            "document.getAnimations().forEach((one) => one.finish()); document.activeElement.blur()"
        )
    path = folder / picture.name
    driver.save_screenshot(str(path))
    if path.stat().st_size > LARGEST:
        message = (
            f"a picture is at most {LARGEST:,} bytes, but {path} is {path.stat().st_size:,}; make it smaller"
        )
        raise SystemExit(message)


if __name__ == "__main__":
    main()
