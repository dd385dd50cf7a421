"""What the tests of the reports share: an example, and its files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from properties.report.document import Report
from properties.report.page import write_page
from tests.report import example


@pytest.fixture(scope="session")
def report() -> Report:
    return example.report()


@pytest.fixture(scope="session")
def page(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Write the example's page."""
    pytest.importorskip("jinja2", reason="jinja2 comes with the extra `reports`")
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_page(report, path)
    yield path
    assert [path] == list(path.parent.iterdir()), "a report is one file"
