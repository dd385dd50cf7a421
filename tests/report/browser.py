"""A real browser that opens a file, and what it said and asked for meanwhile."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)
"""Started by root, without a display, and talking to nobody."""


def absence() -> str:
    """Say why there is no browser; empty where there is one."""
    if _browser() and shutil.which("chromedriver"):
        return ""
    return os.environ.get("EQUIVALENCE_NO_BROWSER") or (
        "no chromium and chromedriver on the path; as root on Debian, sh tests/report/install_browser.sh"
    )


@contextmanager
def browser(*arguments: str) -> Iterator[Chrome]:
    """Start a browser with an empty profile of its own, and end it."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = _browser()
        for argument in (*QUIET, f"--user-data-dir={profile}", *arguments):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = Chrome(options, Service(shutil.which("chromedriver")))
        try:
            # What the browser asks for to start with is no page's doing.
            driver.get("about:blank")
            requests(driver)
            yield driver
        finally:
            driver.quit()


def complaints(driver: Chrome) -> Sequence[str]:
    """Give what the console has said since it was last asked."""
    return [entry["message"] for entry in driver.get_log("browser")]  # type: ignore[no-untyped-call]


def requests(driver: Chrome) -> Sequence[str]:
    """Give the addresses that the page has asked for since it was last asked."""
    entries = driver.get_log("performance")  # type: ignore[no-untyped-call]
    messages = [json.loads(entry["message"])["message"] for entry in entries]
    sent = [message for message in messages if message["method"] == "Network.requestWillBeSent"]
    return [message["params"]["request"]["url"] for message in sent]


def size(driver: Chrome, width: int, height: int) -> None:
    """Make the page's window so large, to the pixel, as a phone's or a screen's."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )


def dark(driver: Chrome, *, wanted: bool) -> None:
    """Let the page know which colours its reader prefers."""
    scheme = "dark" if wanted else "light"
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )


def open_file(driver: Chrome, path: Path, fragment: str = "") -> None:
    """Open a file, at #fragment."""
    driver.get("about:blank")
    driver.get(f"{path.as_uri()}#{fragment}" if fragment else path.as_uri())


def _browser() -> str:
    return next(filter(None, map(shutil.which, BROWSERS)), "")
