"""docs/sharing.md says what is measured now, and each of its measures can come out the other way."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from equivalence.claims.sharing import UnrolledIsShared
from equivalence.layers.sharing import SharedMLP, UnrolledMLP
from tests import sharing_page
from tests.sharing_page import FINDINGS, closed_form, networks, operations, page, tied

PAGE = Path(__file__).parent.parent / "docs" / "sharing.md"
RIGHT = {
    "fewer_parameters": True,
    "smaller_files": True,
    "smaller_files_of_torch_when_tied": True,
    "smaller_files_of_arrays_when_tied": False,
    "less_computation": False,
    "gradients_add": True,
    "the_same_after_a_step": False,
}


def test_the_page_has_the_figures_that_are_measured_now() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/sharing.md is stale: run `make sharing-page`"


def test_each_reason_for_sharing_is_right_or_wrong_as_expected() -> None:
    assert {finding.__name__: finding().holds for finding in FINDINGS} == RIGHT


@pytest.mark.parametrize("module", networks(), ids=["shared", "unrolled"])
def test_the_multiply_adds_are_those_of_the_closed_form(module: nn.Module) -> None:
    assert operations(module) == closed_form()


def test_tied_layers_are_one_weight_under_two_names() -> None:
    module = tied()
    assert len(module.state_dict()) == len(networks()[1].state_dict())
    assert len(list(module.parameters())) == len(list(networks()[0].parameters()))


class UsedOnce(SharedMLP):
    """The middle layer is left out once: less to compute, and less of a gradient."""

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.middle(self.first(x).relu()).relu())
        return y


class Averaged(UnrolledMLP):
    """Both uses read the mean of the copies: they stay one layer in training."""

    def forward(self, x: Tensor) -> Tensor:
        weight = (self.middle1.weight + self.middle2.weight) / 2
        bias = (self.middle1.bias + self.middle2.bias) / 2
        hidden = self.first(x).relu()
        for _ in range(2):
            hidden = nn.functional.linear(hidden, weight, bias).relu()
        y: Tensor = self.last(hidden)
        return y


@pytest.mark.parametrize(
    ("side", "form", "finding"),
    [
        ("reference", UsedOnce, "less_computation"),
        ("reference", UsedOnce, "gradients_add"),
        ("candidate", Averaged, "the_same_after_a_step"),
    ],
)
def test_a_finding_of_other_networks_is_another(
    side: str, form: type[nn.Module], finding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UnrolledIsShared, side, lambda claim: form(**vars(claim)))
    assert getattr(sharing_page, finding)().holds is not RIGHT[finding]


def test_files_and_counts_of_two_shared_networks_are_the_same_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing_page, "networks", lambda: (SharedMLP(784, 256, 10), SharedMLP(784, 256, 10)))
    assert not sharing_page.fewer_parameters().holds
    assert not sharing_page.smaller_files().holds
    monkeypatch.setattr(sharing_page, "tied", lambda: UnrolledMLP(784, 256, 10))
    monkeypatch.setattr(sharing_page, "networks", lambda: (None, UnrolledMLP(784, 256, 10)))
    assert not sharing_page.smaller_files_of_torch_when_tied().holds


def test_measuring_leaves_the_users_generator_as_it_was() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    page()
    assert torch.equal(torch.get_rng_state(), before)
