"""One cause is told once: a claim that fails many laws is one failure, the plainest law first."""

from dataclasses import replace

import pytest

from properties.report.document import CellRecord
from properties.running import table
from properties.running.checking import check
from properties.running.recording import Status
from properties.running.request import Request

CLAIM = "masked-output"


@pytest.fixture(scope="module")
def held() -> CellRecord:
    (record,) = check(Request((CLAIM,), ("parameter_count",)), CLAIM)
    return record


def cell(held: CellRecord, law: str, status: Status, text: str = "") -> CellRecord:
    return replace(held, law=law, status=status, text=text or f"the text of {law}")


def lines(records: list[CellRecord], *, full: bool = False) -> list[str]:
    return [line for line in table.failures(records, full=full) if line]


def test_refutations_are_one_failure_told_by_the_plainest(held: CellRecord) -> None:
    laws = ("training", "rejects", "rows", "input_gradient")
    records = [cell(held, law, Status.REFUTED) for law in laws]
    assert lines(records) == [
        f"REFUTED: {CLAIM}, input_gradient",
        "the text of input_gradient",
        "  also           rows, rejects, training (--law rows shows it; --all shows all)",
    ]
    assert [line for line in lines(records, full=True) if line.startswith("the text")] == [
        f"the text of {law}" for law in laws
    ]
    assert not any("also" in line for line in lines(records, full=True))


def test_what_is_not_claimed_is_told_with_what_is(held: CellRecord) -> None:
    records = [cell(held, "training", Status.NOT_CLAIMED), cell(held, "rows", Status.REFUTED)]
    assert list(table.refutations(records, full=False)) == []
    assert lines(records) == [
        f"REFUTED: {CLAIM}, rows",
        "the text of rows",
        "  also           training (--law training shows it; --all shows all)",
    ]
    assert lines(records[:1]) == []


def test_claims_are_told_apart(held: CellRecord) -> None:
    records = [cell(held, "rows", Status.REFUTED), cell(held, "forward", Status.REFUTED)]
    other = [replace(record, claim="another") for record in records]
    assert [line for line in lines([*records, *other]) if line.startswith("REFUTED")] == [
        f"REFUTED: {CLAIM}, forward",
        "REFUTED: another, forward",
    ]


def test_errors_are_one_where_they_end_alike(held: CellRecord) -> None:
    raised = {
        "rows": "here\nNameError: a slip",
        "forward": "there\nNameError: a slip",
        "state": "TypeError: 1",
    }
    records = [cell(held, law, Status.ERROR, text) for law, text in raised.items()]
    records.append(cell(held, "layout", Status.BREAK_NOT_FOUND))
    records.append(cell(held, "modes", Status.BREAK_NOT_FOUND))
    told = lines(records)
    assert [line for line in told if ": " + CLAIM in line] == [
        f"ERROR: {CLAIM}, forward",
        f"ERROR: {CLAIM}, state",
        f"DECLARED BREAK NOT FOUND: {CLAIM}, layout",
        f"DECLARED BREAK NOT FOUND: {CLAIM}, modes",
    ]
    assert "  also           rows (--law rows shows it; --all shows all)" in told


def test_what_is_declared_is_told_once_too(held: CellRecord) -> None:
    records = [
        cell(held, "nonfinite", Status.REFUTED_AS_DECLARED),
        cell(held, "training", Status.NOT_CLAIMED),
        cell(held, "modes", Status.REFUTED_AS_DECLARED),
    ]
    assert list(table.refutations(records, full=False)) == [
        "",
        "the text of modes",
        "  also           nonfinite, training (--law nonfinite shows it; --all shows all)",
    ]
    assert len([line for line in table.refutations(records, full=True) if line.startswith("the text")]) == 3
