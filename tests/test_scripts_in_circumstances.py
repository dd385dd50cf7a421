"""A script uses the forms as its case does, by the source of the circumstances themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
import torch
from torch import Tensor, nn

from equivalence.claim import AtLeast, Equivalence, Real
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.circumstances import CIRCUMSTANCES
from properties.judging.judge import Judge
from properties.laws import LAWS
from properties.replaying.replay import Replay
from properties.replaying.scripting import script, tried_script
from tests.libraries import skip_without_library
from tests.replays import Answer, in_this_process

Positive = Annotated[int, AtLeast(1)]


class Doubled(nn.Module):
    def __init__(self, layer: nn.Module, factor: float) -> None:
        super().__init__()
        self.layer = layer
        self.factor = factor

    def forward(self, x: Tensor) -> Any:
        return self.layer(x) * self.factor


class DoubledIsLinear(Equivalence):
    """A slip that is there in every circumstance."""

    features: Positive
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Doubled(nn.Linear(self.features, 2), 1.0)

    def candidate(self) -> nn.Module:
        return Doubled(nn.Linear(self.features, 2), 2.0)


class Remembers(nn.Linear):
    """Adds what it saw first."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        if not hasattr(self, "rows"):
            self.rows = input.shape[0]
        return super().forward(input) + float(self.rows != input.shape[0])


class ReadsMemory(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return super().forward(torch.as_strided(input, input.shape, (input.shape[-1], 1)))


class Trains(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return super().forward(input) + float(not torch.is_grad_enabled())


class Evaluates(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return super().forward(input) + float(not self.training)


class Freezes(nn.Linear):
    """Scales its gradients once a part of it is frozen."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        output = super().forward(input)
        frozen = not all(value.requires_grad for value in self.parameters())
        return output.detach() + (output - output.detach()) * 2 if frozen else output


class Kept(Equivalence):
    """A form of one circumstance."""

    form = nn.Linear
    features: Positive
    x = Real("batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 2)

    def candidate(self) -> nn.Module:
        return self.form(self.features, 2)


class RemembersIsLinear(Kept):
    form = Remembers


class ReadsMemoryIsLinear(Kept):
    form = ReadsMemory


class TrainsIsLinear(Kept):
    form = Trains


class EvaluatesIsLinear(Kept):
    """Used in evaluation alone."""

    form = Evaluates
    circumstances = ("eval",)


class FreezesIsLinear(Kept):
    form = Freezes


def found(claim: Equivalence, law: str, *under: str) -> Replay:
    domain = Domain(type(claim))
    return Replay(Judge(domain, LAWS[law]), Case(claim, dict.fromkeys(domain.axes, (3,)), 0, under=under))


def played(text: str, folder: Path) -> Answer:
    path = folder / "played.py"
    path.write_text(text)
    return in_this_process(path)


ALONE = [
    (RemembersIsLinear(features=2), "forward", "after_longer"),
    (RemembersIsLinear(features=2), "forward", "after_shorter"),
    (ReadsMemoryIsLinear(features=2), "forward", "transposed"),
    (TrainsIsLinear(features=2), "forward", "no_grad"),
    (TrainsIsLinear(features=2), "forward", "inference"),
    (EvaluatesIsLinear(features=2), "forward", "eval"),
    (FreezesIsLinear(features=2), "input_gradient", "frozen"),
    (FreezesIsLinear(features=2), "parameter_gradient", "first_frozen"),
]


@pytest.mark.parametrize(("claim", "law", "under"), ALONE)
def test_a_failure_in_one_circumstance_alone_is_shown_there_and_nowhere_else(
    claim: Equivalence, law: str, under: str, tmp_path: Path
) -> None:
    text = script(found(claim, law, under).finding)
    assert f"def {CIRCUMSTANCES[under].change.__name__}(" in text
    code, printed = played(text, tmp_path)
    assert (code, printed.splitlines()[-1].partition(":")[0]) == (1, "AssertionError"), printed
    form = vars(type(claim))["form"].__name__
    code, printed = played(text.replace(f"form = {form}", "form = nn.Linear"), tmp_path)
    assert (code, printed.splitlines()[-1]) == (0, "FIXED"), printed
    assert played(script(found(claim, law).finding), tmp_path)[0] == 0


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("under", [name for name, one in CIRCUMSTANCES.items() if one.aspect != "mode"])
def test_a_script_shows_a_slip_in_every_circumstance(under: str, tmp_path: Path) -> None:
    one = CIRCUMSTANCES[under]
    skip_without_library(under)
    assert not one.needs(DoubledIsLinear(features=2))
    law = "input_gradient" if one.shown == "gradients" else "forward"
    text = script(found(DoubledIsLinear(features=2), law, under).finding)
    assert f"def {one.change.__name__}(" in text
    code, printed = played(text, tmp_path)
    assert (code, printed.splitlines()[-1].partition(":")[0]) == (1, "AssertionError"), printed
    code, printed = played(text.replace("self.features, 2), 2.0)", "self.features, 2), 1.0)"), tmp_path)
    assert (code, printed.splitlines()[-1]) == (0, "FIXED"), printed


def test_several_circumstances_are_put_around_each_other_as_the_suite_does(tmp_path: Path) -> None:
    replay = found(
        RemembersIsLinear(features=2), "forward", "second_frozen", "no_grad", "after_longer", "transposed"
    )
    text = tried_script(replay.finding)
    order = [text.index(f'"{aspect}": ') for aspect in ("parameters", "gradients", "calls", "inputs")]
    assert order == sorted(order)
    assert played(text, tmp_path)[0] == 1
    assert 'print("FIXED")' in text
