"""Training as a law: every recipe comes up, and a law that tells nothing apart is an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from equivalence import Dim, Equivalence, Real
from equivalence.catalogue import CATALOGUE
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.judging.judge import Judge
from properties.judging.numbers import DOUBLE
from properties.judging.power import TURNS, PowerlessError, require_power
from properties.laws import LAWS
from properties.laws import training as law_file
from properties.laws.recipes import ADAFACTOR, MUON, RECIPES, Optimisation, Recipe
from properties.laws.registry import Controlled
from properties.oracle.agreement import Equation
from properties.oracle.widening import Widening
from properties.refutation.counterexample import Refuted
from properties.running import cell as cell_file
from properties.running.cell import Cell, Plan
from properties.running.recording import Status, record

TRAINING = ("training", "training_adafactor", "training_muon")
LINEAR = CATALOGUE["n-d-linear-flatten"]


def run(claim: type[Equivalence], law: str) -> Cell:
    cell = Cell(Domain(claim), LAWS[law])
    cell.test(Plan(examples=2))()
    return cell


def test_every_recipe_comes_up_in_a_cell_and_is_named() -> None:
    cell = Cell(Domain(LINEAR), LAWS["training"])
    seeds = [case.seed for case in cell.examples()]
    assert sorted(seeds) == list(range(len(RECIPES)))
    for case in cell.examples():
        names = cell.judge.statement.equation(case, DOUBLE).reference
        assert all(name.startswith(f"{RECIPES[case.seed].name}: ") for name in names)


def test_the_recipes_are_those_that_the_law_speaks_of() -> None:
    optimisers = {recipe.optimiser for recipe in RECIPES}
    assert optimisers == {"SGD", "Adam", "AdamW", "Adagrad", "RMSprop"}
    options = {name for recipe in RECIPES for name in recipe.options}
    assert {"momentum", "nesterov", "weight_decay"} <= options
    usual = Recipe("")
    assert {
        name
        for recipe in RECIPES
        for name in ("accumulated", "clip_norm", "clip_value", "decay", "set_to_none")
        if getattr(recipe, name) != getattr(usual, name)
    } == {"accumulated", "clip_norm", "clip_value", "decay", "set_to_none"}


@pytest.mark.parametrize("law", TRAINING)
def test_a_right_claim_holds_and_tells_every_wrong_run_apart(law: str) -> None:
    cell = run(LINEAR, law)
    found = record(cell, "linear", 0.0, None)
    assert found.status == Status.HOLDS
    assert set(found.decided) == {"rounding"}
    assert len(found.controls) == 4
    assert all(found.controls.values())


def unchanged(run_of: Callable[..., Any]) -> Callable[..., Any]:
    """Give the right run under the name of every wrong one."""

    def wrong(recipe: Recipe) -> dict[str, law_file.WrongRun]:
        return {name: lambda one: law_file.trained(one.candidate, one, recipe) for name in run_of(recipe)}

    return wrong


@pytest.mark.parametrize("law", TRAINING)
def test_a_wrong_run_that_is_the_right_one_is_an_error_that_names_it(
    law: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(law_file, "wrong_runs", unchanged(law_file.wrong_runs))
    with pytest.raises(PowerlessError, match="but a frozen form"):
        run(LINEAR, law)


def test_a_cell_without_power_is_recorded_as_an_error() -> None:
    error = PowerlessError("the law tells nothing apart")
    found = record(Cell(Domain(LINEAR), LAWS["training"]), "linear", 0.0, error)
    assert (found.status, found.text) == (Status.ERROR, str(error))


class Constant(nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * 0


class NothingIsLearnt(Equivalence):
    """A layer without a gradient equals itself."""

    features: Dim
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Constant(self.features, 1)

    def candidate(self) -> nn.Module:
        return Constant(self.features, 1)


def test_without_a_gradient_nothing_must_be_told_apart() -> None:
    assert run(NothingIsLearnt, "training_adafactor").tally.told_apart == {}


class Argmax(nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).argmax(-1)


class Chosen(Equivalence):
    """The place of the largest output equals itself."""

    features: Dim
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Argmax(self.features, 3)

    def candidate(self) -> nn.Module:
        return Argmax(self.features, 3)


@pytest.mark.parametrize("law", TRAINING)
def test_where_no_output_is_real_there_is_nothing_to_learn(law: str) -> None:
    cell = run(Chosen, law)
    assert record(cell, "chosen", 0.0, None).status == Status.HOLDS
    assert cell.tally.told_apart == {}


@pytest.mark.parametrize("seed", [0, 5])
def test_with_a_pinned_seed_its_recipe_is_asked_for_every_control(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[tuple[str, str]] = set()
    ask = law_file.controlled

    def noted(sample: Any, recipe: Recipe, names: Any) -> Controlled:
        asked.update((recipe.name, name) for name in names)
        return ask(sample, recipe, names)

    monkeypatch.setattr(law_file, "controlled", noted)
    cell = Cell(Domain(LINEAR, {"seed": seed}), LAWS["training"])
    cell.test(Plan(examples=2))()
    recipe = RECIPES[seed]
    assert asked == {(recipe.name, name) for name in law_file.wrong_runs(recipe)}
    assert len(cell.tally.told_apart) == 4 == TURNS


@pytest.mark.parametrize("seed", range(4))
def test_a_control_that_is_not_told_is_tried_again_and_not_another(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(law_file, "wrong_runs", unchanged(law_file.wrong_runs))
    control = list(law_file.wrong_runs(RECIPES[seed]))[seed]
    judge = Judge(Domain(LINEAR), LAWS["training"])
    with pytest.raises(PowerlessError, match=f"but {re.escape(control)} was not"):
        require_power(judge, replace(judge.domain.typical, seed=seed))


UNCLIPPED = [one for one in (*RECIPES, ADAFACTOR, MUON) if not (one.clip_norm or one.clip_value)]


@pytest.mark.parametrize("recipe", UNCLIPPED, ids=lambda recipe: recipe.name)
def test_a_recipe_does_to_a_weight_what_torch_does(recipe: Recipe) -> None:
    ours, theirs = (nn.Parameter(torch.linspace(-1, 1, 6).reshape(2, 3)) for _ in range(2))
    optimisation = Optimisation(recipe, [ours])
    extra = {} if recipe.matrices_only else {"foreach": False}
    optimiser = getattr(torch.optim, recipe.optimiser)([theirs], **recipe.options, **extra)
    for step in range(3):
        for weight in (ours, theirs):
            weight.grad = torch.full_like(weight, 0.01 * (step + 1))
        optimisation.step()
        optimiser.param_groups[0]["lr"] = recipe.options["lr"] * recipe.decay**step
        # A step by Muon computes in bfloat16 inside.
        with Widening():
            optimiser.step()
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("name", "largest"), [("clipping by norm", 0.5), ("clipping by value", 0.1 * 6**0.5)]
)
def test_gradients_are_clipped(name: str, largest: float) -> None:
    (recipe,) = (one for one in RECIPES if one.name == name)
    weight = nn.Parameter(torch.zeros(6))
    weight.grad = torch.full((6,), 5.0)
    Optimisation(recipe, [weight]).step()
    assert float(weight.grad.norm()) == pytest.approx(largest, rel=1e-4)


@pytest.mark.parametrize("recipe", [*RECIPES, ADAFACTOR, MUON], ids=lambda recipe: recipe.name)
def test_where_nothing_has_a_gradient_nothing_moves(recipe: Recipe) -> None:
    weight = nn.Parameter(torch.ones(2, 2))
    for parameters in ([], [nn.Parameter(torch.ones(0, 2))], [weight]):
        optimisation = Optimisation(recipe, parameters)
        optimisation.zero_grad()
        optimisation.step()
    assert torch.equal(weight, torch.ones(2, 2))


def test_muon_leaves_what_is_no_matrix_to_sgd() -> None:
    parameters = [nn.Parameter(torch.zeros(shape)) for shape in ((2, 3), (2,), (1, 2, 3), (0, 3))]
    taken = {
        type(one).__name__: [tuple(each.shape) for each in one.param_groups[0]["params"]]
        for one in Optimisation(MUON, parameters).optimisers
    }
    assert taken == {"Muon": [(2, 3)], "SGD": [(2,), (1, 2, 3)]}


@pytest.mark.parametrize(("shape", "told"), [((2, 2), True), ((1, 3), False), ((3, 1), False), ((3,), True)])
def test_muon_keeps_the_direction_alone_of_a_single_row_or_column(
    shape: tuple[int, ...], *, told: bool
) -> None:
    weight = nn.Parameter(torch.zeros(shape))
    weight.grad = torch.ones(shape)
    assert Optimisation(MUON, [weight]).shows() == told
    assert Optimisation(ADAFACTOR, [weight]).shows()


def test_no_step_pulls_as_another_alone_or_accumulated() -> None:
    alone = law_file.PULLS[: law_file.STEPS]
    accumulated = [law_file.PULLS[2 * step] + law_file.PULLS[2 * step + 1] for step in range(law_file.STEPS)]
    for pulls in (alone, accumulated):
        assert list(pulls) != list(pulls)[::-1]
        assert len(set(pulls)) > 1


@pytest.mark.parametrize("law", ["parameter_gradient", *TRAINING])
def test_tied_and_unrolled_agree_for_one_gradient_and_drift_apart_in_training(law: str) -> None:
    judge = Judge(Domain(CATALOGUE["shared-unrolled"]), LAWS[law])
    sizes = {"in_features": 3, "hidden_features": 4, "out_features": 2}
    case = Case(CATALOGUE["shared-unrolled"](**sizes), {"batch": (5,)}, 0)
    assert judge.verdict(case).holds == (law == "parameter_gradient")


def test_dead_entries_are_not_compared() -> None:
    domain = Domain(CATALOGUE["local-masked"])
    judge = Judge(domain, LAWS["training"])
    case = replace(domain.typical, seed=0)
    equation: Equation = judge.statement.equation(case, DOUBLE)
    weight = equation.candidate[f"SGD: 1.weight after {law_file.STEPS} steps"]
    assert not weight[case.claim.dead_in_candidate()["1.weight"]].any()


def test_the_free_axes_of_a_first_case_have_several_rows() -> None:
    cases = list(Cell(Domain(LINEAR), LAWS["training_adafactor"]).examples())
    assert {case.axes["batch"] for case in cases} == {(cell_file.ROWS,)}


def test_the_page_of_training_asks_every_claim_and_gives_every_reason() -> None:
    page = (Path(__file__).parent.parent / "docs" / "training.md").read_text(encoding="utf-8")
    stale = "docs/training.md is stale: run `make training-table`"
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert rows == list(CATALOGUE), stale
    for name, claim in CATALOGUE.items():
        for law in set(TRAINING) & claim.breaks.keys():
            assert any(
                line.startswith(f"* `{name}`") and f"`{law}`" in line and line.endswith(claim.breaks[law])
                for line in page.splitlines()
            ), stale


def test_training_leaves_the_state_of_torch_as_it_was() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with torch.no_grad():
        run(LINEAR, "training_muon")
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), before)


class Tracking(nn.Module):
    """x w, a moving average of it, how often, and a table that is the form's own."""

    average: torch.Tensor
    calls: torch.Tensor
    table: torch.Tensor

    def __init__(self, momentum: float = 0.1, *, steps: int = 1, table: int = 0, grows: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.momentum, self.steps, self.grows = momentum, steps, grows
        self.register_buffer("average", torch.zeros(2))
        self.register_buffer("calls", torch.tensor(0))
        self.register_buffer("table", torch.full((1,), table), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = x * self.weight
        if self.training and len(x):
            self.average.lerp_(y.detach().mean(0), self.momentum)
            self.calls += self.steps
            self.table = torch.zeros(len(x) + 1, dtype=self.table.dtype) if self.grows else self.table
        return y


class TrackingIsTracking(Equivalence):
    """An average that training moves is that average."""

    form: ClassVar[Any] = Tracking
    x = Real("rows 2")

    def reference(self) -> nn.Module:
        return Tracking()

    def candidate(self) -> nn.Module:
        form: nn.Module = type(self).form()
        return form


class TableGrows(TrackingIsTracking):
    """A reference that keeps what a call has made longer."""

    def reference(self) -> nn.Module:
        return Tracking(grows=True)


class AveragesCarried(TrackingIsTracking):
    """A candidate whose buffers have names of their own, but for one that is left out."""

    def carry(self, theta: Any) -> Any:
        return {"weight": theta["weight"], "average": theta["average"]}


def tracking(base: type[Equivalence], law: str, **options: Any) -> Any:
    claim = type("Tracks", (base,), {"form": staticmethod(lambda: Tracking(**options))})
    return Judge(Domain(claim), LAWS[law]).verdict(Case(claim(), {"rows": (3,)}, 0))


@pytest.mark.parametrize("law", TRAINING[:2])
def test_buffers_that_training_moves_are_compared(law: str) -> None:
    assert tracking(TrackingIsTracking, law).holds
    for wrong, buffer in (({"momentum": 0.2}, "average"), ({"steps": 2}, "calls"), ({"steps": 0}, "calls")):
        assert f": {buffer} after" in tracking(TrackingIsTracking, law, **wrong).difference.where


def test_a_buffer_that_training_leaves_alone_is_the_candidates_own() -> None:
    for own in ({"table": 3}, {"grows": True}):
        assert tracking(TrackingIsTracking, "training", **own).holds
    assert tracking(TableGrows, "training").holds


def test_a_buffer_that_carry_does_not_name_is_the_candidates_own() -> None:
    assert tracking(AveragesCarried, "training", steps=2).holds
    assert not tracking(AveragesCarried, "training", momentum=0.2).holds


class Normed(Equivalence):
    """A batch norm is another one."""

    features: Dim
    other: ClassVar[Any] = nn.BatchNorm1d
    x = Real("rows features")

    def reference(self) -> nn.Module:
        return nn.BatchNorm1d(self.features)

    def candidate(self) -> nn.Module:
        other: nn.Module = type(self).other(self.features)
        return other


class Biased(nn.BatchNorm1d):
    """The running variance without Bessel's correction."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        before = self.running_var.clone()  # type: ignore[union-attr]
        y = super().forward(x)
        if self.training:
            self.running_var = before.lerp(x.detach().var(0, unbiased=False), 0.1)
        return y


class Twice(nn.BatchNorm1d):
    """A call in training that updates the running statistics twice."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            super().forward(x)
        return super().forward(x)


class Momentous(nn.BatchNorm1d):
    """Another momentum."""

    def __init__(self, features: int) -> None:
        super().__init__(features, momentum=0.2)


@pytest.mark.parametrize("other", [Biased, Twice, Momentous])
@pytest.mark.parametrize("law", TRAINING[:2])
def test_a_batch_norm_that_tracks_otherwise_is_refuted(law: str, other: type[nn.Module]) -> None:
    for form, holds in ((nn.BatchNorm1d, True), (other, False)):
        claim = type("Norms", (Normed,), {"other": form})
        case = Case(claim(features=2), {"rows": (5,)}, 1)
        assert Judge(Domain(claim), LAWS[law]).verdict(case).holds == holds


class KeepsTheLastBatch(Equivalence):
    """Running moments of the last batch for the mean of all: equal batches do not tell."""

    features: Dim
    x = Real("batch features")

    def reference(self) -> nn.Module:
        return nn.BatchNorm1d(self.features, momentum=None)

    def candidate(self) -> nn.Module:
        return nn.BatchNorm1d(self.features, momentum=1.0)


def test_each_step_has_a_batch_of_its_own() -> None:
    with pytest.raises(Refuted):
        Cell(Domain(KeepsTheLastBatch), LAWS["training"]).test(Plan())()
