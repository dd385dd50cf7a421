"""How much a claim claims, in one word: what is beyond it is run and told, and is no failure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from equivalence import ClaimError, Dim, Equivalence, Real
from equivalence.claim import Scope
from properties.cases.domain import Domain
from properties.cases.form import Form
from properties.cases.sample import Sample
from properties.laws import LAWS
from properties.laws.registry import law, plainest_first
from properties.report.document import CellRecord
from properties.running import table
from properties.running.cell import Cell
from properties.running.checking import check
from properties.running.recording import Status, as_claimed
from properties.running.request import Request
from properties.running.suites import cells
from properties.running.verdict import verdict

PLAINEST_FIRST = {
    "function": [
        "forward",
        "input_gradient",
        "parameter_gradient",
        "second_derivative",
        "precision",
        "rows",
        "layout",
    ],
    "module": ["state", "modes", "masked", "parameter_count", "nonfinite", "rejects"],
    "layer": ["initialisation", "training", "training_adafactor", "training_muon", "cost"],
}


class Plain(nn.Linear):
    """Linear as a product that checks nothing."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("...i,oi->...o", x, self.weight) + self.bias


class PlainIsLinear(Equivalence):
    """An einsum is Linear, as a function."""

    same: ClassVar[Scope] = "function"
    features: Dim
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 3)

    def candidate(self) -> nn.Module:
        return Plain(self.features, 3)


class PlainIsTheModule(PlainIsLinear):
    """The same, claimed with what a module refuses."""

    same: ClassVar[Scope] = "module"


class Contradiction(PlainIsLinear):
    """A break of what is not claimed."""

    breaks: ClassVar[Mapping[str, str]] = {"rejects": "einsum broadcasts"}


class Everything(PlainIsLinear):
    """A word that is none."""

    same: ClassVar[Scope] = "all"  # type: ignore[assignment]


def checked(claim: type[Equivalence], *laws: str) -> list[CellRecord]:
    return check(Request((f"{__name__}:{claim.__name__}",), laws), f"{__name__}:{claim.__name__}")


def test_every_law_has_a_scope_and_a_phrase() -> None:
    assert {name: one.scope for name, one in LAWS.items()} == {
        name: scope for scope, names in PLAINEST_FIRST.items() for name in names
    }
    assert all(one.otherwise for one in LAWS.values())
    assert len({one.otherwise for one in LAWS.values()}) == len(LAWS)


def test_the_plainest_law_comes_first() -> None:
    ranked = [name for names in PLAINEST_FIRST.values() for name in names]
    assert plainest_first(["of another process", *reversed(ranked)]) == [*ranked, "of another process"]


def test_a_law_beyond_the_word_is_told_and_is_no_failure() -> None:
    records = checked(PlainIsLinear, "forward", "rejects")
    assert [record.status for record in records] == [Status.HOLDS, Status.NOT_CLAIMED]
    assert all(map(as_claimed, records))
    (beyond,) = [record for record in records if record.counterexample]
    assert beyond.reason == "beyond the claimed function"
    assert beyond.text.startswith("PlainIsLinear is refuted by rejects, beyond the claimed function\n")
    said, *_ = table.verdicts(records, fed=False)
    told = r"the same function, as far as \d+ cases of 1 law tell; accepts inputs that the reference refuses"
    assert re.search(f": {told}$", said)
    assert any(re.search(r" =  - +\d+$", line) for line in table.matrix(records))
    assert "hold 1, not claimed 1" in table.totals(records, 0.0)


def test_a_law_within_the_word_is_a_failure() -> None:
    records = checked(PlainIsTheModule, "forward", "rejects")
    assert records[1].status == Status.REFUTED
    assert verdict(records).startswith("NOT the same module: refuted by rejects; the same function, as far")


def test_nothing_is_kept_of_what_is_not_claimed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for claim, kept in ((PlainIsLinear, 0), (PlainIsTheModule, 1)):
        request = Request((f"{__name__}:{claim.__name__}",), ("rejects",))
        request = replace(request, plan=replace(request.plan, failures="failures"))
        check(request, request.claims[0])
        assert len(list(tmp_path.glob("failures/*"))) == kept


def test_a_break_beyond_the_word_is_refused() -> None:
    with pytest.raises(ClaimError, match=r"take 'rejects' out of breaks, or say same = 'module'"):
        cells(Domain(Contradiction))


def test_a_word_that_is_none_is_refused() -> None:
    with pytest.raises(ClaimError, match=r"same is one of function, module, layer, but is 'all'"):
        cells(Domain(Everything))
    with pytest.raises(ClaimError, match=r"scope is one of function, module, layer, but got 'all'"):
        law(scope="all")(Cell(Domain(PlainIsLinear), LAWS["forward"]).law.observe)  # type: ignore[arg-type]


@pytest.fixture
def fresh_law() -> Iterator[str]:
    @law(scope="module", otherwise="is called otherwise")
    def called(form: Form, _: Sample) -> str:
        """reference = candidate."""
        return form.side

    yield called.__name__
    del LAWS["called"]


def test_a_law_of_another_distribution_has_a_scope_too(fresh_law: str) -> None:
    (record,) = checked(PlainIsLinear, fresh_law)
    assert record.status == Status.NOT_CLAIMED
    assert verdict([record]) == "NOT the same module, which is not claimed: is called otherwise; 0 laws held"


def cell(law: str, status: Status) -> CellRecord:
    (record,) = checked(PlainIsLinear, "parameter_count")
    return replace(record, law=law, status=status)


H, X, N = Status.HOLDS, Status.REFUTED_AS_DECLARED, Status.NOT_CLAIMED
SAID = [
    ({"forward": H, "state": H, "training": H}, "the same layer, as far as 75 cases of 3 laws tell"),
    ({"forward": H, "training": H}, "the same function, as far as 50 cases of 2 laws tell"),
    (
        {"forward": H, "state": H, "training": X, "training_muon": X, "initialisation": N},
        "the same module, as far as 50 cases of 2 laws tell; other initial weights; trains otherwise",
    ),
    (
        {"forward": H, "state": Status.DOES_NOT_APPLY, "training_muon": N},
        "the same module, as far as 25 cases of 1 law tell; trains otherwise under Muon",
    ),
    ({"rows": H}, "1 law held"),
    ({"forward": X, "rows": X, "state": H}, "NOT the same function, as declared: other outputs; 1 law held"),
    (
        {"rejects": Status.REFUTED, "cost": Status.REFUTED, "forward": H},
        (
            "NOT the same module: refuted by rejects and 1 other law; the same function, as far as 25 cases "
            "of 1 law tell; accepts inputs that the reference refuses; costs something else than is stated"
        ),
    ),
    ({"forward": H, "state": Status.ERROR}, "no answer: state ended in an error; 1 law held"),
    ({"rows": Status.BREAK_NOT_FOUND}, "NOT as declared: no break of rows was found; 0 laws held"),
    ({"state": Status.DOES_NOT_APPLY}, "no answer: no law was put to the test and held"),
    ({}, ""),
]


@pytest.mark.parametrize(("found", "said"), SAID)
def test_the_verdict_leads_with_what_is_the_same(found: dict[str, Status], said: str) -> None:
    assert verdict([replace(cell(law, status), executed=25) for law, status in found.items()]) == said
