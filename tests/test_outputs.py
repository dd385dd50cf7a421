"""What a form may return: any nest of tensors, each named by its path; both forms of one structure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from equivalence.claim import ClaimError, Dim, Equivalence, Real
from properties.cases.domain import Domain
from properties.cases.outputs import taken_apart
from properties.laws import LAWS
from properties.oracle.agreement import Difference, Equation, first_difference
from properties.refutation.counterexample import Refuted
from properties.replaying.scripting import Finding, script
from properties.running.cell import Cell, Plan
from tests.replays import in_a_process


@dataclass
class Answer:
    """What a model answers."""

    logits: Tensor
    past: Any = None
    norm: float = 0.0


class Pair(NamedTuple):
    """Two of them."""

    first: Tensor
    second: Tensor | None


@dataclass
class Named(OrderedDict[str, Any]):
    """A mapping that is a dataclass, and leaves out what is None, as the outputs of some libraries are."""

    logits: Tensor
    past: Any = None

    def __post_init__(self) -> None:
        self.update({name: value for name, value in vars(self).items() if value is not None})


X = torch.ones(2)
NESTS = [
    (X, ("",), "tensor"),
    ((X, X), ("[0]", "[1]"), "tuple(tensor, tensor)"),
    ([X], ("[0]",), "list(tensor)"),
    ({"b": (X, None), "a": X}, ('["a"]', '["b"][0]'), 'dict(["a"]=tensor, ["b"]=tuple(tensor, None))'),
    ({1: X, 0: 2}, ("[1]",), "dict([0]=2, [1]=tensor)"),
    (
        Answer(X, [X, True]),
        (".logits", ".past[0]", ".norm"),
        "Answer(logits=tensor, past=list(tensor, True), norm=number)",
    ),
    ((X, None), ("[0]",), "tuple(tensor, None)"),
    ((X, 2.0), ("[0]", "[1]"), "tuple(tensor, number)"),
    ({1: None, "1": X}, ('["1"]',), 'dict(["1"]=tensor, [1]=None)'),
    (Pair(X, None), (".first",), "Pair(first=tensor, second=None)"),
    (Named(X), (".logits",), "Named(logits=tensor, past=None)"),
]


@pytest.mark.parametrize(("nest", "paths", "structure"), NESTS, ids=[one[-1] for one in NESTS])
def test_a_nest_is_taken_apart(nest: Any, paths: tuple[str, ...], structure: str) -> None:
    found = taken_apart(nest)
    assert (found.paths, found.structure) == (paths, structure)
    assert all(isinstance(one, Tensor) for one in found.tensors)
    assert len(found.tensors) == len(paths)
    assert found.flat == (structure in ("tensor", "tuple(tensor, tensor)", "list(tensor)"))


def test_a_tensor_that_is_kept_otherwise_is_compared_as_a_plain_one() -> None:
    found = taken_apart((X.to_sparse(), X))
    assert found.structure == "tuple(sparse_coo tensor, tensor)"
    assert all(torch.equal(one, X) for one in found.tensors)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (iter([X]), "list_iterator"),
        ({"y": X.numpy()}, r'ndarray at \["y"\]'),
        ([X, torch.nested.nested_tensor([X, X], layout=torch.jagged)], r"nested tensor at \[1\]"),
        ([X] * 10_001, "more than 10,000 parts"),
    ],
)
def test_what_cannot_be_compared_is_named(output: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        taken_apart(output)


class Answers(nn.Linear):
    """y = W x + b in a nest, with what is left of it for the next call, and its size."""

    def __init__(self, features: int) -> None:
        super().__init__(features, features)

    def forward(self, x: Tensor) -> Any:
        y = super().forward(x)
        return Answer(y, {"past": (y.relu(), None), "calls": 3}, float(y.detach().norm()))


class Changed(Answers):
    """The same by einsum, one thing changed."""

    def __init__(self, features: int, change: Callable[[Any], Any]) -> None:
        super().__init__(features)
        self.change = change

    def forward(self, x: Tensor) -> Any:
        y = torch.einsum("...i,oi->...o", x, self.weight) + self.bias
        past = {"calls": 3, "past": (y.relu(), None)}
        return self.change(Answer(y, past, float(torch.linalg.vector_norm(y.detach()))))


def unchanged(answer: Answer) -> Answer:
    return answer


class EinsumAnswers(Equivalence):
    """einsum in a nest equals Linear in a nest."""

    same = "function"
    features: Dim
    x = Real("rows features")
    changed = staticmethod(unchanged)

    def reference(self) -> nn.Module:
        return Answers(self.features)

    def candidate(self) -> nn.Module:
        return Changed(self.features, self.changed)


def past_scaled(answer: Answer) -> Answer:
    kept, _ = answer.past["past"]
    return Answer(answer.logits, {**answer.past, "past": (kept * (1 + 1e-9), None)}, answer.norm)


def past_renamed(answer: Answer) -> Answer:
    return Answer(answer.logits, {"cache": answer.past["past"], "calls": 3}, answer.norm)


def without_none(answer: Answer) -> Answer:
    return Answer(answer.logits, {**answer.past, "past": answer.past["past"][:1]}, answer.norm)


def one_call_more(answer: Answer) -> Answer:
    return Answer(answer.logits, {**answer.past, "calls": 4}, answer.norm)


def norm_scaled(answer: Answer) -> Answer:
    return Answer(answer.logits, answer.past, answer.norm * (1 + 1e-9))


def logits_alone(answer: Answer) -> Tensor:
    return answer.logits


WRONG = [
    (past_scaled, "value", 'output.past["past"][0]'),
    (norm_scaled, "value", "output.norm"),
    (past_renamed, "value", "structure"),
    (without_none, "value", "structure"),
    (one_call_more, "value", "structure"),
    (logits_alone, "value", "structure"),
]


def with_change(change: Callable[[Any], Any]) -> type[EinsumAnswers]:
    return type(change.__name__, (EinsumAnswers,), {"changed": staticmethod(change)})


def smallest(claim: type[Equivalence], law: str) -> tuple[Refuted, Difference]:
    with pytest.raises(Refuted) as found:
        Cell(Domain(claim), LAWS[law]).test(Plan())()
    return found.value, found.value.smallest[1]


@pytest.mark.parametrize(
    "law",
    ["forward", "input_gradient", "parameter_gradient", "second_derivative", "precision", "state", "modes"],
)
def test_two_nests_of_the_same_are_the_same(law: str) -> None:
    cell = Cell(Domain(EinsumAnswers), LAWS[law])
    cell.test(Plan())()
    assert cell.tally.executed > 10


@pytest.mark.parametrize(
    "use", ["eval", "no_grad", "vmap", "jvp", "checkpointed", "summed", "kept_graph", "functional"]
)
def test_so_they_are_in_other_uses(use: str) -> None:
    gradients = use in ("summed", "kept_graph")
    cell = Cell(Domain(EinsumAnswers, {"under": (use,)}), LAWS["input_gradient" if gradients else "forward"])
    cell.test(Plan(examples=12))()
    assert cell.tally.executed > 8


@pytest.mark.parametrize(("change", "kind", "where"), WRONG, ids=[one[0].__name__ for one in WRONG])
def test_what_differs_in_a_nest_is_named_by_its_path(
    change: Callable[[Any], Any], kind: str, where: str
) -> None:
    _, difference = smallest(with_change(change), "forward")
    assert difference.kind == kind
    assert difference.where.startswith(where)


class HalfOfAPair(EinsumAnswers):
    """A tensor and None: what a transform of torch takes of it is the tensor alone."""

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Half(self.features)

    def candidate(self) -> nn.Module:
        return Half(self.features)


class Half(nn.Linear):
    def __init__(self, features: int) -> None:
        super().__init__(features, features)

    def forward(self, x: Tensor) -> Any:
        return super().forward(x), None


@pytest.mark.parametrize("use", ["vmap", "jvp", "func_grad", "checkpointed", "autocast"])
def test_a_transform_takes_the_tensors_of_a_pair_alone(use: str) -> None:
    cell = Cell(Domain(HalfOfAPair, {"under": (use,), "batch": (2,)}), LAWS["forward"])
    cell.test(Plan(examples=9))()
    assert (cell.tally.outside, cell.tally.executed) == (0, 9)


class Forgetful(Half):
    """The None is missing where no gradient is wanted."""

    def forward(self, x: Tensor) -> Any:
        pair = super().forward(x)
        return pair if torch.is_grad_enabled() else pair[:1]


class ForgetfulIsHalf(HalfOfAPair):
    """Of another structure without gradients alone."""

    def candidate(self) -> nn.Module:
        return Forgetful(self.features)


def test_another_structure_in_one_use_alone_is_seen_there() -> None:
    refuted, difference = smallest(ForgetfulIsHalf, "forward")
    assert refuted.verdict.case.under == ("no_grad",)
    assert (difference.where, difference.candidate, difference.reference) == (
        "structure",
        "tuple(tensor)",
        "tuple(tensor, None)",
    )


class Nothing(Half):
    """Returns None alone."""

    def forward(self, x: Tensor) -> Any:
        return super().forward(x)[1]


class NothingIsHalf(HalfOfAPair):
    """No tensor to compare."""

    def candidate(self) -> nn.Module:
        return Nothing(self.features)


def test_an_output_without_a_tensor_is_no_output() -> None:
    with pytest.raises(ClaimError, match="the candidate Nothing returned None, but a form returns tensors"):
        Cell(Domain(NothingIsHalf), LAWS["forward"]).test(Plan())()


def test_a_sparse_output_has_no_name_of_its_own() -> None:
    sparse = taken_apart(X.to_sparse())
    named = first_difference(Equation({"output": sparse.named([X])}, {"output": sparse.named([2 * X])}))
    assert named is not None
    assert named.where == "output[0]"


def test_modes_name_it_too() -> None:
    _, difference = smallest(with_change(past_scaled), "modes")
    assert difference.where.startswith('call 1, eval.past["past"][0]')


class PastIsScaled(EinsumAnswers):
    """A claim of a file, which a script can repeat."""

    changed = staticmethod(past_scaled)


def test_a_script_tells_a_nest_apart(tmp_path: Path) -> None:
    refuted, _ = smallest(PastIsScaled, "forward")
    path = tmp_path / "report.py"
    path.write_text(script(Finding.of(refuted)))
    code, printed = in_a_process([str(path)])
    assert code == 1
    assert 'output.past["past"][0] differs' in printed
