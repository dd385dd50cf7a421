"""A verdict says what was looked at, from the records alone, and in one line what was not."""

from dataclasses import replace

import pytest

from properties.circumstances import CIRCUMSTANCES
from properties.circumstances.transforms import COMPILER
from properties.laws import LAWS
from properties.report.document import CellRecord
from properties.running import table
from properties.running.checking import check
from properties.running.looked import looked_at
from properties.running.recording import Status
from properties.running.request import Request

CLAIM = "n-d-linear"


@pytest.fixture(scope="module")
def held() -> CellRecord:
    (record,) = check(Request((CLAIM,), ("parameter_count",)), CLAIM)
    return replace(
        record, sizes={"height": {"0": 2, "19": 1}, "bias": {"True": 3}, "batch": {"none": 1, "2x31": 1}}
    )


def cell(held: CellRecord, law: str, decided: str) -> CellRecord:
    return replace(held, law=law, decided={decided: 25}, executed=25)


def test_cases_sizes_dtypes_and_values_are_those_of_the_records(held: CellRecord) -> None:
    said, left = looked_at([cell(held, "forward", "exact"), cell(held, "state", "exact")])
    assert said == "looked at: 50 cases, sizes 0 to 31, float64, now and then float32; whole numbers"
    assert left == (
        "not looked at: larger sizes, values beyond 1e4, float16 and bfloat16, other devices than the CPU, "
        f"{len(LAWS) - 2} other laws, under torch.func.jvp, under torch.func.grad, "
        "made without memory and filled by load_state_dict, saved and loaded by safetensors, "
        f"compiled by {COMPILER}, exported, {len(CIRCUMSTANCES) - 6} other circumstances"
    )


def test_every_kind_of_values_is_named(held: CellRecord) -> None:
    ways = {"forward": "rounding", "initialisation": "statistics", "nonfinite": "directly", "rows": "exact"}
    said, _ = looked_at([cell(held, law, decided) for law, decided in ways.items()], fed=True)
    assert said == (
        "looked at: 100 cases, sizes 0 to 31, float64, now and then float32; whole numbers, reals, fresh "
        "parameters, an inf or a nan in one place, inputs from the data given"
    )


def test_the_looks_of_the_values_are_named(held: CellRecord) -> None:
    drawn = {"values": {"normal": 10, "zeros": 2, "thousands": 1}}
    said, _ = looked_at([replace(cell(held, "forward", "rounding"), sizes=drawn)])
    assert said.endswith("; reals, inputs with exact zeros and a row of them, inputs up to 1e4")


def test_what_is_told_of_cases_that_hold_is_told_once(held: CellRecord) -> None:
    one, other = (replace(held, notes=[note]) for note in ("rounded to bfloat16", "a buffer stays"))
    assert list(looked_at([one, other, one]))[-2:] == ["rounded to bfloat16", "a buffer stays"]


def test_notes_of_one_kind_are_told_by_the_first(held: CellRecord) -> None:
    notes = [f"differs just below overflow: at {place}" for place in range(5)]
    told = list(looked_at([replace(held, notes=[*notes, "a buffer stays"])]))
    assert told[-2:] == [f"{notes[0]} (and 4 more like it)", "a buffer stays"]


def test_what_was_not_drawn_is_named(held: CellRecord) -> None:
    fixed = replace(cell(held, "forward", "directly"), sizes={"height": {"28": 25}, "mode": {"sum": 25}})
    said, left = looked_at([fixed])
    assert said == "looked at: 25 cases, size 28, float64; reals"
    assert "larger sizes, size 0, " in left
    bare = replace(fixed, sizes={})
    assert [line.count("size") for line in looked_at([bare])] == [0, 0]


def test_laws_that_were_all_asked_leave_none(held: CellRecord) -> None:
    skipped = replace(held, law="masked", executed=0, status=Status.DOES_NOT_APPLY)
    *_, left = looked_at([skipped, *(cell(held, law, "exact") for law in LAWS if law != "masked")])
    assert "other law" not in left


def test_the_circumstances_are_named_by_what_they_change(held: CellRecord) -> None:
    drawn = {"under": {"none": 20, "eval+no_grad": 1, "transposed": 1}}
    _, used, left = looked_at([replace(cell(held, "forward", "rounding"), sizes=drawn)])
    assert used == "used in 3 circumstances: mode, gradients, inputs"
    assert left.endswith(f"{len(CIRCUMSTANCES) - 9} other circumstances")


def test_a_dear_circumstance_is_named_until_it_was_tried(held: CellRecord) -> None:
    drawn = {"under": {name: 1 for name in CIRCUMSTANCES if name != "exported"}}
    *_, left = looked_at([replace(cell(held, "forward", "rounding"), sizes=drawn)])
    assert left.endswith(f"{len(LAWS) - 1} other laws, exported")


def test_nothing_is_said_where_nothing_ran(held: CellRecord) -> None:
    assert list(looked_at([replace(held, executed=0, status=Status.DOES_NOT_APPLY)])) == []


def test_few_claims_have_a_paragraph_each_and_many_none(held: CellRecord) -> None:
    for claims, told in ((1, 1), (table.FEW, table.FEW), (table.FEW + 1, 0)):
        records = [replace(held, claim=f"claim {number}") for number in range(claims)]
        lines = list(table.verdicts(records, fed=False))
        assert sum(line.startswith("  looked at: ") for line in lines) == told
        assert all(len(line) <= 100 for line in lines)
        heads = [line.partition(":")[0] for line in lines if line.startswith("claim")]
        assert heads == [f"claim {number}" for number in range(told)]
