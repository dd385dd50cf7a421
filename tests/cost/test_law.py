"""The closed forms of the catalogue, and that the law sees what is counted wrongly."""

from dataclasses import replace

import pytest
from torch import Tensor, nn
from torch.nn import functional

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Dim, Equivalence, Mask, Real, Theta
from equivalence.claims.linear import FlattenLinearIsLinear, KroneckerIsLinear
from equivalence.claims.masked import SparseIsMasked, WhereMaskedIsMasked
from equivalence.claims.sharing import UnrolledIsShared
from equivalence.claims.two_d_fc import TwoDFCIsFlattenLinear
from equivalence.counts import Counts
from properties.cases.domain import Domain
from properties.cost import UncountedOperationError
from properties.laws import LAWS
from properties.operations.table import OPERATIONS
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan
from properties.running.recording import Status, record

KRONECKER = KroneckerIsLinear(rows=3, in_features=4, out_features=2, bias=False)
FIVE_PERCENT = Mask("/".join(["1" + "0" * 19] * 10))
WHERE = WhereMaskedIsMasked(out_features=10, in_features=20, mask=FIVE_PERCENT, bias=False)
SPARSE = SparseIsMasked(out_features=10, in_features=20, mask=FIVE_PERCENT, bias=False)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (FlattenLinearIsLinear(in_features=4, out_features=2, bias=False).reference_cost(96), Counts(8, 768)),
        (KRONECKER.reference_cost(32), Counts(8, 768)),
        (KRONECKER.candidate_cost(32), Counts(72, 2304)),
        (
            TwoDFCIsFlattenLinear(height=28, width=28, out_features=10, bias=True).candidate_cost(1),
            Counts(7850, 7840),
        ),
        (
            UnrolledIsShared(in_features=4, hidden_features=5, out_features=3).reference_cost(2),
            Counts(73, 170),
        ),
        (
            UnrolledIsShared(in_features=4, hidden_features=5, out_features=3).candidate_cost(2),
            Counts(103, 170),
        ),
        (WHERE.candidate_cost(7), Counts(200, 1400, dead=190, buffers=200)),
        (SPARSE.candidate_cost(7), Counts(200, 70, dead=190, buffers=220)),
    ],
)
def test_closed_forms_give_the_numbers_counted_by_hand(stated: Counts, expected: Counts) -> None:
    assert stated == expected


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_claim_of_the_catalogue_states_what_both_forms_cost(name: str) -> None:
    claim = Domain(CATALOGUE[name]).exemplar
    assert claim.reference_cost(3) is not None
    assert claim.candidate_cost(3) is not None


class Silent(Equivalence):
    """A claim that states no cost."""

    size: Dim

    x = Real("*batch size")

    def reference(self) -> nn.Module:
        return nn.Linear(self.size, 1)

    def candidate(self) -> nn.Module:
        return nn.Linear(self.size, 1)


class HalfStated(Silent):
    """A claim that states the cost of its candidate alone, and wrongly."""

    def candidate_cost(self, batch: int) -> Counts:
        return Counts(self.size + 1, batch * self.size + 1)


class SmoothLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return functional.logsigmoid(super().forward(x))


class Uncounted(Silent):
    """A claim whose candidate runs what nobody counts."""

    def candidate(self) -> nn.Module:
        return SmoothLinear(self.size, 1)

    def candidate_cost(self, batch: int) -> Counts:
        return Counts(self.size + 1, batch * self.size)


def run(claim: type[Equivalence]) -> None:
    Cell(Domain(claim), LAWS["cost"]).test(Plan())()


def test_a_claim_without_a_closed_form_is_told_why_the_law_does_not_apply() -> None:
    assert Cell(Domain(Silent), LAWS["cost"]).inapplicable == "no closed form of what the forms cost"


def test_a_closed_form_of_one_form_is_held_alone() -> None:
    with pytest.raises(Refuted, match="multiply-adds of the candidate, measured against stated"):
        run(HalfStated)


def test_a_form_that_runs_an_unknown_operation_is_an_error_that_names_it() -> None:
    with pytest.raises(UncountedOperationError, match="log_sigmoid") as caught:
        run(Uncounted)
    cell = Cell(Domain(Uncounted), LAWS["cost"])
    found = record(cell, "Uncounted", 0.0, caught.value)
    assert found.status == Status.ERROR
    assert found.text == str(caught.value)
    assert "\n" not in found.text


@pytest.mark.parametrize("name", ["mm", "addmm"])
def test_products_that_are_counted_wrongly_are_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = OPERATIONS[name].products
    assert right

    def wrong(*call: object) -> int:
        return 2 * right.dense(*call)  # type: ignore[arg-type]

    run(FlattenLinearIsLinear)
    monkeypatch.setitem(OPERATIONS, name, replace(OPERATIONS[name], products=right._replace(dense=wrong)))
    with pytest.raises(Refuted, match="multiply-adds"):
        run(FlattenLinearIsLinear)


class CarryMultiplies(FlattenLinearIsLinear):
    """A claim that is right, and whose carry takes products of its own."""

    def carry(self, theta: Theta) -> Theta:
        return {name: value * 2 * 0.5 for name, value in theta.items()}


def test_what_carry_multiplies_is_not_counted() -> None:
    run(CarryMultiplies)


@pytest.mark.parametrize("count", ["parameters", "multiply_adds", "dead", "buffers"])
def test_a_claim_that_states_one_too_many_is_refuted(count: str) -> None:
    class OneMore(TwoDFCIsFlattenLinear):
        """A claim that states one too many of something."""

        def candidate_cost(self, batch: int) -> Counts:
            right = super().candidate_cost(batch)
            return replace(right, **{count: getattr(right, count) + 1})

    with pytest.raises(Refuted):
        run(OneMore)
