"""A report is written whole or not at all."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from properties.report.document import Report
from properties.report.files import ReportError, write_json, write_whole
from tests.report.example import HOSTILE


def test_the_folder_is_made(report: Report, tmp_path: Path) -> None:
    write_json(report, tmp_path / "new" / "folder" / "report.json")
    assert json.loads((tmp_path / "new" / "folder" / "report.json").read_text())["schema"] == 1


def test_json_holds_names_as_they_are(report: Report, tmp_path: Path) -> None:
    write_json(report, tmp_path / "report.json")
    assert HOSTILE in {
        claim["name"] for claim in json.loads((tmp_path / "report.json").read_text())["claims"]
    }


def test_a_nan_is_not_written_and_the_old_file_stays(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(replace(report, seconds=float("nan")), path)
    assert path.read_text() == "old"


def test_a_failed_replacement_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "report.html"
    path.write_text("old")
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(ReportError, match=r"a folder that can be written, but .*No space left on device"):
        write_whole("new", path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("report.html", "old")]


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="a regular file"):
        write_whole("new", tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="give another"):
        write_whole("new", tmp_path / "file" / "report.html")


def test_what_utf_8_cannot_hold_is_written_as_an_escape(tmp_path: Path) -> None:
    write_whole("\udc80", tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == b"\\udc80"
