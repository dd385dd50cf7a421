"""Pictures of the report and of the terminal: `python -m tests.report.pictures DIR [--json FILE]`."""

from __future__ import annotations

import argparse
import html
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from selenium.webdriver import Chrome

from properties.report.page import write_page
from tests.report import browser, example, reading

LARGEST = 400_000
"""Bytes of a picture that may stand in the repository."""


class Picture(NamedTuple):
    """One picture, of the matrix or of the first counterexample."""

    name: str
    width: int
    height: int
    dark: bool
    opened: bool


SHOWN_COMMAND = ("verify", "two-d-fc", "masked-output")
TERMINAL = """<!doctype html><meta charset="utf-8"><title>terminal</title>
<body style="margin: 0; background: #14161a; color: #d7dae0">
<pre style="margin: 0; padding: 24px; font: 14px/1.45 monospace; white-space: pre-wrap"><b>$ {command}</b>
{printed}</pre>
"""
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
    parser.add_argument(
        "--open", default="", metavar="CLAIM/LAW", help="the cell to show (default: the first)"
    )
    options = parser.parse_args(arguments)
    if browser.absence():
        parser.error(browser.absence())
    report = reading.read(options.json) if options.json else example.report()
    options.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, browser.browser() as driver:
        page = Path(folder) / "report.html"
        write_page(report, page)
        for picture in PICTURES:
            _take(driver, page, picture, options)
        _take_terminal(driver, Path(folder) / "terminal.html", options.folder)


def _take(driver: Chrome, page: Path, picture: Picture, options: argparse.Namespace) -> None:
    browser.size(driver, picture.width, picture.height)
    browser.dark(driver, wanted=picture.dark)
    browser.open_file(driver, page)
    if picture.opened:
        link = f"button[data-link='{options.open}']" if options.open else "button[data-finding]"
        driver.execute_script("document.querySelector(arguments[0]).click()", link)
        driver.execute_script(
            "document.getAnimations().forEach((one) => one.finish()); document.activeElement.blur()"
        )
    _save(driver, options.folder / picture.name)


def _take_terminal(driver: Chrome, page: Path, folder: Path) -> None:
    """Show what a command prints, in the colours of a terminal."""
    command = [sys.executable, "-m", "properties", *SHOWN_COMMAND]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  (our own)
    shown = TERMINAL.format(command=" ".join(["equivalence", *SHOWN_COMMAND]), printed=html.escape(printed))
    page.write_text(shown, encoding="utf-8")
    browser.size(driver, 1240, 60 + 21 * len(printed.splitlines()))
    browser.open_file(driver, page)
    _save(driver, folder / "terminal.png")


def _save(driver: Chrome, path: Path) -> None:
    driver.save_screenshot(str(path))
    if path.stat().st_size > LARGEST:
        message = (
            f"a picture is at most {LARGEST:,} bytes, but {path} is {path.stat().st_size:,}; make it smaller"
        )
        raise SystemExit(message)


if __name__ == "__main__":
    main()
