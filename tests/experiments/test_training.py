"""What a run says of two forms: equal to the last bit the ladder sees, within a spread, or neither."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from properties.experiments.conclusion import statements
from properties.experiments.images import SAMPLE, Source, load
from properties.experiments.lane import LaneRun
from properties.experiments.member import Member
from properties.experiments.outcome import Outcome
from properties.experiments.plan import Group, Lane, Settings
from properties.experiments.published import EXPERIMENTS, LINEAR, SHARED
from properties.experiments.records import Epoch, Measure
from properties.experiments.statistics import LEAST, QUANTILES, margin
from tests.experiments.conftest import AT, OUTPUT, Train

Captured = pytest.CaptureFixture[str]
SHORTEST = ["--epochs", "1", *OUTPUT]


def refuse(constant: str) -> None:
    raise AssertionError(constant)


def results() -> dict[str, Any]:
    text = Path("out", "results.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


def forms(name: str) -> list[str]:
    return ["--forms", f"forms.py:{name}", *AT, *SHORTEST]


def test_the_third_version_with_linears_weights_stays_linear_and_the_first_two_start_worse(
    train: Train, capsys: Captured
) -> None:
    assert train("mnist", "--epochs", "2", *OUTPUT) == 0
    found = results()
    assert [one["double"]["same"] for one in found["comparisons"]] == [True] * 3
    assert all(one["double"]["allowance"] < 0.1 for one in found["comparisons"])
    losses = {one["form"]: one["validation_loss"] for one in found["measures"] if one["epoch"] == 0}
    assert min(losses["TwoDFC v1"], losses["TwoDFC v2"]) > 4 * max(
        losses["flatten + Linear"], losses["TwoDFC v3"]
    )
    said = "TwoDFC v3, Linear's weights and flatten + Linear stay equal over 2 epochs and 1 seed, as far as"
    assert said in capsys.readouterr().out
    with Path("out", "curves.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 5 * 3


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        (
            "RowwiseIsLinear",
            0,
            "candidate, carried weights and reference stay equal over 1 epoch and 1 seed",
        ),
        (
            "DoubledIsLinear",
            1,
            "candidate, carried weights and reference are NOT equal after epoch 1 under seed 0",
        ),
        ("DivergingIsLinear", 1, "candidate, carried weights and reference are NOT equal after epoch 1"),
    ],
)
def test_the_forms_of_a_users_claim_are_told_equal_or_apart(
    name: str, code: int, said: str, train: Train, capsys: Captured
) -> None:
    assert train(*forms(name)) == code
    assert said in capsys.readouterr().out
    assert [one["form"] for one in results()["measures"][::2]] == [
        "reference",
        "candidate, carried weights",
        "candidate",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            forms("TwoInputs"),
            "TwoInputs: a form in training takes a batch of images of (28, 28) or their rows",
        ),
        (forms("NoParameter"), "the reference has no parameter to train"),
        (["mnist", "--forms", "two-d-fc", *SHORTEST], "takes a batch of images of (28, 28)"),
        (
            ["mnist", "--forms", "two-d-fc", "--at", "height=28,width=28,out_features=3", *SHORTEST],
            "gives 10 numbers or more for each image, but gives (2, 3) for 2",
        ),
        (["mnist", "--forms", "no-such-claim", *SHORTEST], "no claim is called 'no-such-claim'"),
        (["mnist", *AT, *SHORTEST], "--at is of --forms"),
        (SHORTEST, "an experiment is one of mnist, fashion-mnist, or the forms of a claim"),
    ],
)
def test_what_cannot_be_trained_gets_one_line_and_exit_2(
    words: Sequence[str], said: str, train: Train, capsys: Captured
) -> None:
    assert train(*words) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert said in err


def test_the_table_shows_a_shared_parameter_once(train: Train, capsys: Captured) -> None:
    assert train("fashion-mnist", *SHORTEST) == 0
    shared, _, others = capsys.readouterr().out.partition("parameter ")[2].partition("unrolled copy")
    assert shared.count("middle.weight   256 × 256   65,536") == 1
    assert "269,322" in shared
    assert "335,114" in others
    assert results()["parameters"]["shared MLP"] == {
        "first.weight": [256, 784],
        "first.bias": [256],
        "middle.weight": [256, 256],
        "middle.bias": [256],
        "last.weight": [10, 256],
        "last.bias": [10],
    }
    with Path("out", "gradients.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 6 + 8 + 8


def test_a_step_is_torchs_sgd_and_its_norms_are_the_mean_of_those_of_its_gradients() -> None:
    images = load(str(SAMPLE))
    member, other = (Member(LINEAR, 0, torch.float32, images) for _ in range(2))
    optimiser = torch.optim.SGD(other.module.parameters(), lr=0.25)
    norms = []
    member.begin_epoch()
    for step in range(2):
        pixels, classes = (part[200 * step : 200 * (step + 1)] for part in images.training)
        optimiser.zero_grad()
        loss = functional.cross_entropy(other.module(pixels / 255), classes)
        loss.backward()
        optimiser.step()
        norms.append([float(one.grad.norm()) for one in other.module.parameters() if one.grad is not None])
        assert member.step(pixels, classes, 0.25, (1, step)) == float(loss.detach())
    for mine, its in zip(member.module.parameters(), other.module.parameters(), strict=True):
        assert torch.equal(mine, its)
    assert list(member.gradient_norms().values()) == [sum(one) / 2 for one in zip(*norms, strict=True)]


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []

    def look(_: Member, pixels: torch.Tensor, *__: object) -> float:
        seen.append(pixels)
        return 0.0

    monkeypatch.setattr(Member, "step", look)
    images = load(str(SAMPLE))
    run = LaneRun(Lane(Group((LINEAR,)), 0), Settings(0.1, 400, 2), images)
    for _ in range(3):
        run.epoch(lambda: None)
    assert [len(pixels) for pixels in seen] == [400, 400, 400, 300] * 2
    first, second = torch.cat(seen[:4]).flatten(1), torch.cat(seen[4:]).flatten(1)
    assert not torch.equal(first, second)
    rows = sorted(map(tuple, images.training[0].flatten(1)[:, 150:350].tolist()))
    for order in (first, second):
        assert sorted(map(tuple, order[:, 150:350].tolist())) == rows


def test_dropout_is_the_published_one_in_training_and_none_in_validation() -> None:
    images = load(str(SAMPLE))
    member = Member(SHARED, 0, torch.float32, images)
    batch = images.training[0][:256], images.training[1][:256]
    rates: list[float] = []
    dropout = functional.dropout

    def counted(x: torch.Tensor, rate: float, training: bool) -> torch.Tensor:  # noqa: FBT001  (torch's own)
        rates.append(rate if training else 0.0)
        return dropout(x, rate, training)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functional, "dropout", counted)
        member.begin_epoch()
        member.step(*batch, 0.5, (1, 0))
        assert rates == [0.5, 0.3, 0.1]
        member.validated(images)
    assert set(rates[3:]) == {0.0}


def outcome_of(accuracies: dict[str, Sequence[float]]) -> Outcome:
    """Give a finished run of MNIST whose last epochs have these accuracies, and losses of 1 minus them."""
    settings = replace(EXPERIMENTS["mnist"].settings, epochs=1)
    experiment = replace(EXPERIMENTS["mnist"], settings=settings)
    epochs = []
    for lane in experiment.lanes():
        for epoch in (0, 1):
            measures = [
                Measure(one.label, lane.seed, epoch, None, 1 - accuracy, accuracy, {})
                for one in lane.group.variants
                for accuracy in [accuracies.get(one.label, accuracies["flatten + Linear"])[lane.seed]]
            ]
            epochs.append(Epoch(lane.name, measures, None))
    return Outcome(experiment, Source(str(SAMPLE), ""), epochs)


def test_within_the_spread_is_decided_by_the_stated_rule() -> None:
    # s = 0.001, so that the margin is 14.089 · 0.001 · √(2/3) = 0.0115.
    linear = [0.889, 0.890, 0.891]
    for shift, place in ((0.0114, "within"), (-0.0114, "within"), (0.0116, "outside"), (-0.0116, "outside")):
        outcome = outcome_of({"flatten + Linear": linear, "TwoDFC v1": [one + shift for one in linear]})
        said = {one.text.partition(",")[0]: one.text for one in statements(outcome)}
        assert f"ends {place} flatten + Linear's spread" in said["TwoDFC v1"]
        assert "ends within flatten + Linear's spread" in said["TwoDFC v3"]
        assert "margin 0.0115" in said["TwoDFC v1"]


def test_an_unfinished_run_says_nothing_of_the_spread() -> None:
    outcome = outcome_of({"flatten + Linear": [0.8, 0.9, 0.7]})
    outcome.epochs.pop()
    assert not [one for one in statements(outcome) if "spread" in one.text]


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_are_no_spread(seeds: int) -> None:
    whole = outcome_of({"flatten + Linear": [0.8, 0.9, 0.7]})
    experiment = replace(whole.experiment, seeds=seeds)
    kept = [epoch for epoch in whole.epochs if epoch.measures[0].seed < seeds]
    said = [one.text for one in statements(Outcome(experiment, whole.source, kept))]
    assert len(said) == 1
    assert f"a spread takes 3 seeds or more, but this run has {seeds}: give --seeds 3" in said[0]


@pytest.mark.parametrize("runs", range(LEAST, LEAST + len(QUANTILES)))
def test_runs_of_one_form_leave_one_margin_or_the_other_once_in_a_hundred(runs: int) -> None:
    """Draw quantities that know nothing of each other: then the two leave their margins the most often."""
    draws = np.random.default_rng(runs).normal(size=(4000, 2, 2, runs))
    outside = np.array(
        [[abs(one.mean() - other.mean()) > margin(one.tolist(), runs) for one, other in run] for run in draws]
    )
    # Five deviations of a count of 4,000: each at 0.5 %, both together just below 1 %.
    assert (abs(outside.sum(0) - 20) < 5 * 20**0.5).all()
    assert abs(outside.any(1).sum() - 40) < 5 * 40**0.5
