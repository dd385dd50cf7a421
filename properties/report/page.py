"""The report as one HTML file that asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from properties.report import numbers, pictures, view, words
from properties.report.document import Report
from properties.report.extras import library
from properties.report.files import write_whole

TEMPLATE = "page.html.jinja"
PARTS = ("page.css", "page.js")


def write_page(report: Report, path: Path) -> None:
    """Write the report as an HTML page; ReportError where jinja2 is missing or the file cannot be written."""
    write_whole(page(report), path)


def page(report: Report) -> str:
    """Return the page's HTML; ReportError where jinja2 is missing."""
    style, script = (_read(name) for name in PARTS)
    text: str = _template().render(
        report=report,
        groups=view.groups(report),
        segments=list(view.segments(report)),
        verdict=view.verdict(report),
        missing=view.missing(report),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        statuses=words.STATUSES,
        decided=words.DECIDED,
        corners=words.CORNERS,
        pictures=pictures,
    )
    return text


def _template() -> Any:
    jinja2 = library("jinja2", "an HTML report", "reports")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for formatter in (numbers.duration, numbers.count, numbers.scientific, numbers.plural):
        environment.filters[formatter.__name__] = formatter
    return environment.from_string(_read(TEMPLATE))


def _read(name: str) -> str:
    return (files("properties.report") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the word by which the page's policy knows its one style and its one script, and no other."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
