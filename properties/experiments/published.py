"""The two published experiments, and the one of a user's own claim."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from equivalence.claims.sharing import UnrolledIsShared
from equivalence.layers.sharing import SharedMLP, UnrolledMLP
from properties.experiments.plan import Experiment, Group, Settings, Variant

DROPOUT = (0.5, 0.3, 0.1)
"""After each use of a hidden layer, as the third article, on shared layers, has it."""
MAP = "height=28,width=28,out_features=10,bias="
WIDTHS = "in_features=784,hidden_features=256,out_features=10"
DROPOUT_CLAIM = f"{__name__}:UnrolledDropoutIsShared"


class SharedDropoutMLP(SharedMLP):
    """y = last(d₃(r(middle(d₂(r(middle(d₁(r(first(x))))))))), r = relu, dᵢ = dropout of 0.5, 0.3, 0.1.

    (*batch, in_features) -> (*batch, out_features). Raises what SharedMLP raises. Source: the third article.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, in_features) -> (*batch, out_features)."""
        return self.last(_hidden(x, (self.first, self.middle, self.middle), training=self.training))  # type: ignore[no-any-return]


class UnrolledDropoutMLP(UnrolledMLP):
    """SharedDropoutMLP with a middle layer for each use, (*batch, in_features) -> (*batch, out_features).

    Raises what UnrolledMLP raises.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(*batch, in_features) -> (*batch, out_features)."""
        return self.last(_hidden(x, (self.first, self.middle1, self.middle2), training=self.training))  # type: ignore[no-any-return]


def _hidden(x: Tensor, layers: Sequence[nn.Module], *, training: bool) -> Tensor:
    for layer, rate in zip(layers, DROPOUT, strict=True):
        x = functional.dropout(layer(x).relu(), rate, training)
    return x


class UnrolledDropoutIsShared(UnrolledIsShared):
    """A network that uses one layer twice equals one with two of the same weights, dropout included."""

    def reference(self) -> nn.Module:
        """Use one layer twice."""
        return SharedDropoutMLP(self.in_features, self.hidden_features, self.out_features)

    def candidate(self) -> nn.Module:
        """Write out a layer for each use."""
        return UnrolledDropoutMLP(self.in_features, self.hidden_features, self.out_features)


LINEAR = Variant("flatten + Linear", "two-d-fc", MAP + "true", "reference")
SHARED = Variant("shared MLP", DROPOUT_CLAIM, WIDTHS, "reference")

EXPERIMENTS = {
    "mnist": Experiment(
        name="mnist",
        title="Three versions of one layer on MNIST: only the initial weights tell them apart",
        story="v1, which has no bias, and v2 draw their weights from N(0, 1), v3 draws them as Linear does.",
        images="mnist",
        groups=(
            Group(
                (
                    LINEAR,
                    Variant(
                        "TwoDFC v3, Linear's weights", "two-d-fc", MAP + "true", "candidate", carried=True
                    ),
                ),
                ladder=True,
            ),
            Group((Variant("TwoDFC v3", "two-d-fc", MAP + "true", "candidate"),)),
            Group((Variant("TwoDFC v1", "two-d-fc-v1", MAP + "false", "candidate"),)),
            Group((Variant("TwoDFC v2", "two-d-fc-v2", MAP + "true", "candidate"),)),
        ),
        settings=Settings(learning_rate=0.01, batch=200, epochs=10),
        seeds=3,
    ),
    "fashion-mnist": Experiment(
        name="fashion-mnist",
        title="One layer used twice, two copies of it, and two layers of their own, on Fashion-MNIST",
        story="The unrolled copy begins with the shared weights in both layers, the untied MLP with its own.",
        images="fashion-mnist",
        groups=(
            Group((SHARED, Variant("unrolled copy", DROPOUT_CLAIM, WIDTHS, "candidate", carried=True))),
            Group((Variant("untied MLP", DROPOUT_CLAIM, WIDTHS, "candidate"),)),
        ),
        settings=Settings(learning_rate=0.5, batch=256, epochs=30),
        seeds=1,
        layer="middle",
    ),
}


def experiment_of_forms(claim: str, at: str, on: Experiment) -> Experiment:
    """Train the two forms of a claim, the candidate from carried weights and from its own."""
    reference = Variant("reference", claim, at, "reference")
    carried = Variant("candidate, carried weights", claim, at, "candidate", carried=True)
    own = Variant("candidate", claim, at, "candidate")
    return Experiment(
        name="forms-" + re.sub(r"[^A-Za-z0-9]+", "-", claim).strip("-"),
        title=f"The two forms of {claim.rpartition(':')[2]} on {on.images}",
        story="Once the candidate begins with the reference's weights, through carry, and once with its own.",
        images=on.images,
        groups=(Group((reference, carried), ladder=True), Group((own,))),
        settings=on.settings,
        seeds=on.seeds,
    )
