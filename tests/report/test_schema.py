"""The JSON report is what its schema says, and nothing else passes."""

import copy
import json
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from properties.report import document, words
from properties.report.document import Report
from properties.report.files import write_json
from properties.running.recording import Status

pytest.importorskip("jsonschema", reason="jsonschema comes with the dev group")

from tests.report.reading import read, schema, validator

SCHEMA = schema()
RECORDS = {**SCHEMA["$defs"], "Report": SCHEMA}


@pytest.fixture(scope="module")
def written(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("json") / "report.json"
    write_json(report, path)
    return path


@pytest.fixture
def plain(written: Path) -> Any:
    return json.loads(written.read_text(encoding="utf-8"))


def test_the_schema_is_one_of_the_draft_that_it_names() -> None:
    validator().check_schema(SCHEMA)


def test_the_example_is_valid(plain: Any) -> None:
    validator().validate(plain)


def test_the_example_survives_being_written_and_read(report: Report, written: Path) -> None:
    assert json.dumps(asdict(read(written))) == json.dumps(asdict(report))


@pytest.mark.parametrize("name", RECORDS)
def test_the_schema_and_the_data_name_the_same_fields(name: str) -> None:
    named = [one.name for one in fields(getattr(document, name))]
    assert list(RECORDS[name]["properties"]) == RECORDS[name]["required"] == named


@pytest.mark.parametrize("name", RECORDS)
def test_the_schema_takes_no_other_fields(name: str) -> None:
    assert RECORDS[name]["additionalProperties"] is False


def test_statuses_are_those_of_a_run() -> None:
    named = SCHEMA["$defs"]["CellRecord"]["properties"]["status"]["enum"]
    assert named == list(words.STATUSES)
    assert set(named) == {str(status) for status in Status}


@pytest.mark.parametrize(("field", "known"), [("decided", words.DECIDED), ("corners", words.CORNERS)])
def test_the_schema_and_the_page_know_the_same_words(field: str, known: Any) -> None:
    assert list(SCHEMA["$defs"]["CellRecord"]["properties"][field]["properties"]) == list(known)


def test_the_schema_is_of_this_version() -> None:
    assert SCHEMA["properties"]["schema"]["const"] == document.SCHEMA_VERSION
    assert SCHEMA["$id"].endswith(f":{document.SCHEMA_VERSION}")


def _refuted(plain: Any) -> Any:
    return next(cell for cell in plain["cells"] if cell["counterexample"])


def _tensor(plain: Any) -> Any:
    return _refuted(plain)["counterexample"]["values"][0]


BROKEN: dict[str, Callable[[Any], Any]] = {
    "another version": lambda plain: plain.update(schema=2),
    "a missing field": lambda plain: plain.pop("seed"),
    "a field too many": lambda plain: plain.update(verdict="fine"),
    "a field too many in a cell": lambda plain: plain["cells"][0].update(note=""),
    "a time that is none": lambda plain: plain.update(created="yesterday"),
    "a status that is none": lambda plain: plain["cells"][0].update(status="probably holds"),
    "fewer than no cases": lambda plain: plain["cells"][0].update(executed=-1),
    "half a case": lambda plain: plain["cells"][0].update(executed=0.5),
    "a probability above one": lambda plain: plain["cells"][0].update(miss_probability=1.5),
    "a decider that is none": lambda plain: plain["cells"][0].update(decided={"tolerance": 3}),
    "a corner that is none": lambda plain: plain["cells"][0].update(corners={"large": 3}),
    "sizes without counts": lambda plain: plain["cells"][0].update(sizes={"height": [1, 2]}),
    "a counterexample as a word": lambda plain: plain["cells"][0].update(counterexample="x = 1"),
    "no thread": lambda plain: plain["environment"].update(threads=0),
    "an entry that is no number": lambda plain: _tensor(plain).update(entries=["NaN"]),
    "entries that are omitted and there": lambda plain: _tensor(plain).update(omitted=True),
    "a place twice": lambda plain: _tensor(plain).update(wrong=[0, 0]),
    "a shape below zero": lambda plain: _tensor(plain).update(shape=[-1]),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_document_is_refused(plain: Any, change: Callable[[Any], Any]) -> None:
    broken = copy.deepcopy(plain)
    change(broken)
    assert len(list(validator().iter_errors(broken))) == 1
