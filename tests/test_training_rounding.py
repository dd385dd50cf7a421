"""Optimisers whose steps keep their size: what rounds 0 is no gradient, and what is tiny excuses nothing."""

from __future__ import annotations

import math
from typing import Annotated

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from equivalence import Between, Equivalence, Real
from equivalence.claim import Theta
from properties.cases.domain import Domain
from properties.laws import LAWS, recipes
from properties.laws.recipes import ADAFACTOR, MUON, RECIPES, Optimisation, Recipe
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell, Plan

Size = Annotated[int, Between(1, 4)]
ADAFACTOR_LAW, MUON_LAW = "training_adafactor", "training_muon"
NEEDED = 60
"""Examples that the rarest of the false alarms took."""


def by_hand(scores: Tensor) -> Tensor:
    """Give the softmax of scores, by its formula."""
    powers = scores.exp()
    return powers / powers.sum(-1, keepdim=True)


class Norm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return centred / (centred.square().mean(-1, keepdim=True) + self.eps).sqrt() * self.weight + self.bias


class NormByHand(Equivalence):
    """A layer norm is its formula; of one feature, its weight has no gradient."""

    n: Size
    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.LayerNorm(self.n)

    def candidate(self) -> nn.Module:
        return Norm(self.n)


class LinearNormByHand(Equivalence):
    """A linear layer before a layer norm; of one feature, it has no gradient."""

    n: Size
    m: Size
    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.n, self.m), nn.LayerNorm(self.m))

    def candidate(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.n, self.m), Norm(self.m))


class LinearByHand(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return by_hand(super().forward(x))


class SoftmaxByHand(Equivalence):
    """A softmax is its formula; of one score, it is constant."""

    n: Size
    m: Size
    x = Real("*batch n")

    def reference(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.n, self.m), nn.Softmax(-1))

    def candidate(self) -> nn.Module:
        return nn.Sequential(LinearByHand(self.n, self.m))


class Attention(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(n, n), nn.Linear(n, n), nn.Linear(n, n)

    def forward(self, x: Tensor) -> Tensor:
        return scaled_dot_product_attention(self.q(x), self.k(x), self.v(x))


class ScoresByHand(Attention):
    def forward(self, x: Tensor) -> Tensor:
        scores = self.q(x) @ self.k(x).mT / math.sqrt(x.shape[-1])
        return torch.matmul(by_hand(scores), self.v(x))


class AttentionByHand(Equivalence):
    """Attention is its formula; a key's bias shifts all scores alike, and never has a gradient."""

    n: Size
    x = Real("batch time n")

    def reference(self) -> nn.Module:
        return Attention(self.n)

    def candidate(self) -> nn.Module:
        return ScoresByHand(self.n)


class Unscaled(Attention):
    def forward(self, x: Tensor) -> Tensor:
        return torch.matmul(by_hand(self.q(x) @ self.k(x).mT / x.shape[-1]), self.v(x))


class AttentionScaledWrongly(AttentionByHand):
    """The scores are divided by n, not by its root."""

    def candidate(self) -> nn.Module:
        return Unscaled(self.n)


class WithKernel(ScoresByHand):
    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.v.weight = nn.Parameter(self.v.weight.detach().unsqueeze(-1))

    def forward(self, x: Tensor) -> Tensor:
        scores = self.q(x) @ self.k(x).mT / math.sqrt(x.shape[-1])
        return by_hand(scores) @ nn.functional.linear(x, self.v.weight[..., 0], self.v.bias)


class AttentionKeptAsKernel(AttentionByHand):
    """The same function, with a weight of three axes: optimisers of matrices alone see it."""

    def candidate(self) -> nn.Module:
        return WithKernel(self.n)

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "v.weight": theta["v.weight"].unsqueeze(-1)}


def check(claim: type[Equivalence], law: str, examples: int = NEEDED) -> None:
    """Run a claim under a law, and let nothing be excused."""
    cell = Cell(Domain(claim), LAWS[law])
    cell.test(Plan(examples=examples))()
    assert not cell.tally.outside


RIGHT = [
    (NormByHand, ADAFACTOR_LAW),
    (LinearNormByHand, ADAFACTOR_LAW),
    (LinearNormByHand, MUON_LAW),
    (SoftmaxByHand, ADAFACTOR_LAW),
    (SoftmaxByHand, MUON_LAW),
    (AttentionByHand, ADAFACTOR_LAW),
    (AttentionByHand, MUON_LAW),
]


@pytest.mark.parametrize(("claim", "law"), RIGHT)
def test_what_rounds_a_gradient_of_0_refutes_no_right_form(claim: type[Equivalence], law: str) -> None:
    check(claim, law)


@pytest.mark.parametrize("law", [ADAFACTOR_LAW, MUON_LAW])
@pytest.mark.parametrize("claim", [AttentionScaledWrongly, AttentionKeptAsKernel])
def test_a_gradient_that_is_always_rounding_excuses_no_wrong_form(claim: type[Equivalence], law: str) -> None:
    with pytest.raises(Refuted):
        check(claim, law, examples=2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("size", "kept"),
    [(1.0, 1e-4), (1e6, 1e-4), (1e-3, 0.1)],
    ids=["of size 1", "beside the largest of them all", "never beside less than 1"],
)
def test_rounding_is_measured_by_the_largest_gradient_of_the_step(
    dtype: torch.dtype, size: float, kept: float
) -> None:
    rounded = 4 * torch.finfo(dtype).eps * size
    gradients = [torch.tensor(values, dtype=dtype) for values in ([size, -rounded], [kept * size])]
    expected = [torch.tensor(values, dtype=dtype) for values in ([size, 0.0], [kept * size])]
    recipes.set_rounding_to_zero(gradients)
    assert all(map(torch.equal, gradients, expected))


@pytest.mark.parametrize("recipe", [*RECIPES, ADAFACTOR, MUON], ids=lambda recipe: recipe.name)
def test_only_optimisers_whose_steps_keep_their_size_lose_it(recipe: Recipe) -> None:
    weight = nn.Parameter(torch.zeros(2, 2))
    weight.grad = torch.tensor([[1.0, 1e-6], [-1e-6, 1.0]])
    Optimisation(recipe, [weight]).step()
    assert (weight.grad[0, 1] == 0) == (recipe in (ADAFACTOR, MUON))
