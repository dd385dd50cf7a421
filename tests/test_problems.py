"""`compare problem.py answer.py`: a file with Model and get_inputs(), and one with ModelNew."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from properties.cli import main
from properties.comparison.inference import Inferred, inferred
from properties.comparison.making import Drawn
from properties.comparison.problem import Problem, problem_at
from properties.comparison.words import Input
from properties.reading.claims import UsageError

MODEL = """
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, in_features, out_features, scale):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        self.scale = scale

    def forward(self, x):
        return torch.relu(self.linear(x)) * self.scale

"""
PROBLEM = f"""{MODEL}
batch_size = 64 * 2
in_features = 1024
out_features = 512
scale = 2.0


def get_inputs():
    return [torch.rand(batch_size, in_features, device="cuda")]


def get_init_inputs():
    return [in_features, out_features, scale]
"""
ANSWER = MODEL.replace("Model", "ModelNew").replace("relu(self.linear(x))", "clamp_min(self.linear(x), 0)")
HALVED = ANSWER.replace("torch.clamp", "0.5 * torch.clamp")
LARGE_ALONE = ANSWER.replace(
    "clamp_min(self.linear(x), 0)", "clamp_min(self.linear(x), 0 if len(x) < 31 else 1)"
)
RENAMED = """
import torch
from torch import nn


class ModelNew(nn.Module):
    def __init__(self, in_features, out_features, scale):
        super().__init__()
        made = nn.Linear(in_features, out_features)
        self.w, self.b, self.scale = made.weight, made.bias, scale

    def forward(self, x):
        return torch.relu(x @ self.w.mT + self.b) * self.scale
"""

Written = Callable[..., Problem]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(lines: str, model: str = "class Model(nn.Module): ...") -> Problem:
        (tmp_path / "problem.py").write_text(f"import torch\nfrom torch import nn\n\n{model}\n\n{lines}\n")
        return problem_at(str(tmp_path / "claim.py"), "problem.py")

    return write


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_constants_are_the_positive_integers_that_lines_name(written: Written) -> None:
    lines = """
batch, (rest) = 4, 8
rows = 2048 * 2
height = width = 32
shape = (3, 5)
also = [7, rows]
follows = rows // 2
named = torch.float32
zero, less, real, flag, text = 0, -1, 0.5, True, "16"
"""
    assert written(lines).constants == {
        "batch": 4,
        "rest": 8,
        "rows": 4096,
        "height": 32,
        "shape_0": 3,
        "shape_1": 5,
        "also_0": 7,
    }


def test_at_other_sizes_all_that_follows_is_another(written: Written) -> None:
    problem = written("""
height = width = 32
shape = (3, 5)
doubled = 2 * height
area = doubled * shape[0]

def helped():
    return area

def get_inputs():
    return [torch.rand(width, shape[1]), torch.randn(helped())]

def get_init_inputs():
    return [shape, doubled, helped()]
""")
    assert [one.shape for one in problem.inputs({})] == [(32, 5), (192,)]
    assert problem.arguments({}) == [(3, 5), 64, 192]
    other = {"height": 2, "shape_0": 7}
    assert [one.shape for one in problem.inputs(other)] == [(2, 5), (28,)]
    assert problem.arguments(other) == [(7, 5), 4, 28]
    assert problem.arguments({}) == [(3, 5), 64, 192]
    assert problem.module.area == 192


def test_a_problem_may_say_its_arguments_by_name_or_have_none(written: Written) -> None:
    lines = "def get_inputs():\n    return [torch.rand(2)]\n"
    named = "n = 3\ndef get_init_inputs():\n    return {'in_features': n, 'out_features': 2 * n}\n"
    made = written(lines + named).made(torch.nn.Linear, {"n": 5})
    assert isinstance(made, torch.nn.Linear)
    assert made.weight.shape == (10, 5)
    assert isinstance(written(lines).made(torch.nn.ReLU, {}), torch.nn.ReLU)


@pytest.mark.parametrize(
    ("given", "drawn"),
    [
        ("torch.rand(n, 2)", ("Real", (3, 2), 0)),
        ("torch.randn(n).cuda().half()", ("Real", (3,), 0)),
        ("torch.randn(n, device='cuda', dtype=torch.bfloat16)", ("Real", (3,), 0)),
        ("torch.randn(10 ** 12)", ("Real", (10**12,), 0)),
        ("torch.zeros(n)", ("Real", (3,), 0)),
        ("torch.empty(n).uniform_(-1, 1)", ("Real", (3,), 0)),
        ("torch.empty(n).normal_()", ("Real", (3,), 0)),
        ("torch.empty(n, pin_memory=True).to('cuda')", ("Real", (3,), 0)),
        ("torch.randint(n, (2,))", ("Index", (2,), 3)),
        ("torch.randint(0, n, (2,))", ("Index", (2,), 3)),
        ("torch.randint(low=0, high=n, size=(2,))", ("Index", (2,), 3)),
        ("torch.randint(1, n + 1, (2,))", ("Lengths", (2,), 3)),
        ("torch.randint(1, high=n + 1, size=(2,))", ("Lengths", (2,), 3)),
        ("torch.randint(0, high=n, size=(2,), generator=torch.Generator())", ("Index", (2,), 3)),
        ("torch.zeros(n, dtype=torch.bool)", ("Bool", (3,), 0)),
    ],
)
def test_an_input_is_an_example_of_a_kind(
    given: str, drawn: tuple[str, tuple[int, ...], int], written: Written
) -> None:
    problem = written(f"n = 3\ndef get_inputs():\n    return [{given}]\n")
    assert problem.inputs({}) == (Drawn(0, *drawn),)
    assert not problem.made(torch.nn.Identity, {})._forward_pre_hooks


def test_what_is_drawn_into_a_tensor_stands_for_any_in_what_is_computed_of_it(written: Written) -> None:
    problem = written("def get_inputs():\n    return [torch.empty(2).normal_() + 1]\n")
    x = torch.tensor([3.0, 4.0])
    assert torch.equal(problem.made(torch.nn.Identity, {})(x), torch.tensor([4.0, 5.0]))


@pytest.mark.parametrize("given", ["torch.randint(2, 5, (2,))", "torch.randint(2, high=5, size=(2,))"])
def test_integers_from_another_least_one_stay_as_they_are_drawn(given: str, written: Written) -> None:
    problem = written(f"def get_inputs():\n    return [{given}]\n")
    assert problem.inputs({}) == ()
    assert problem.made(torch.nn.Identity, {})._forward_pre_hooks


COMPUTED = """
n = 3

def get_inputs():
    mask = torch.zeros(n, n) + torch.zeros_like(torch.eye(n, device="cuda"))
    mask[0] = 1
    x = torch.rand(n, n)
    signs = torch.randint(0, 2, (n,)).float() * 2 - 1
    return [torch.tril(x), mask, signs, 0.5]

class Both(nn.Module):
    def forward(self, *inputs):
        return inputs
"""


def test_inputs_that_are_computed_are_computed_of_what_is_drawn(written: Written) -> None:
    problem = written(COMPUTED)
    assert [(one.kind, one.bound) for one in problem.inputs({})] == [("Real", 0), ("Index", 2)]
    made = problem.made(problem.module.Both, {"n": 2})
    x = torch.randn(2, 2, requires_grad=True)
    for module in (made, pickle.loads(pickle.dumps(made))):  # noqa: S301  (of this very test)
        lower, mask, signs, number = module(x, torch.tensor([0, 1]))
        assert torch.equal(lower, x.tril())
        assert torch.equal(mask, torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
        assert torch.equal(signs, torch.tensor([-1.0, 1.0]))
        assert number == 0.5
        assert torch.equal(torch.autograd.grad(lower.sum(), x)[0], torch.ones(2, 2).tril())


def found(problem: Problem) -> Inferred:
    model = problem.module.Model
    return inferred(problem, model, model, given=False)


def test_sizes_are_varied_by_the_units_that_both_forms_take(written: Written) -> None:
    problem = written(
        """
batch, channels, length, groups, kernel, hidden = 64, 32, 128, 4, 3, 32

def get_inputs():
    return [torch.rand(batch, channels, length)]

def get_init_inputs():
    return [channels, groups, kernel, hidden]
""",
        model="""
class Model(nn.Module):
    def __init__(self, channels, groups, kernel, hidden):
        super().__init__()
        self.norm, self.convolution = nn.GroupNorm(groups, channels), nn.Conv1d(channels, hidden, kernel)

    def forward(self, x):
        return self.convolution(self.norm(x))
""",
    )
    assert found(problem).told == (
        "varied: batch from 1 on, channels from 4 on by 4, length from 3 on, hidden from 1 on",
        "as given: groups=4, kernel=3",
    )
    assert found(problem).inputs == (Input("x", "Real", "batch channels length"),)
    assert found(problem).derived == {"channels": "4 * self.channels_by_4"}


def test_sizes_that_fit_together_alone_are_varied_together(written: Written) -> None:
    problem = written(
        """
same, seed, n = 64, 64, 64

def get_inputs():
    return [torch.rand(same, 2 * n), torch.randint(seed, (n,))]
""",
        model="""
class Model(nn.Module):
    def forward(self, values, i):
        assert len(values) <= int(1 + i.max()) * 64
        assert values.shape[0] * 2 == values.shape[1]
        return values
""",
    )
    inference = found(problem)
    assert inference.told == ("varied: seed from 1 on, same = n from 1 on",)
    assert inference.inputs == (
        Input("values_", "Real", "same_ values__1"),
        Input("i", "Index", "same_", "seed_"),
    )
    assert inference.derived == {"n": "self.same_", "values__1": "problem.size_of(self, 0, 1)"}


def test_constants_that_nothing_can_do_without_stay_as_they_are(written: Written) -> None:
    problem = written(
        """
batch, features, shift = 512, 2**20, 2

def get_inputs():
    return [torch.rand(batch, features, shift)]
""",
        model="""
class Model(nn.Module):
    def forward(self, x):
        if x.shape[0] != 512 or x.shape[2] != 2:
            raise ValueError("512 rows of pairs")
        return x
""",
    )
    assert found(problem).told == ("varied: features from 1 on", "as given: batch=512, shift=2")
    assert found(problem).inputs == (Input("x", "Real", "512 features 2"),)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("[torch.rand(n, n)]", r"16,777,216 entries are more than are tried.*--sizes given"),
        (
            "[torch.rand(n)]",
            r"none \(RuntimeError: shape '\[4096, 4096\]' is invalid for input of size 4096\)",
        ),
        ("[torch.arange(n)]", r"draws no tensor that others could stand for.*--input"),
        ("torch.rand(n)", r"gives a list of tensors, but it gives what is of type Tensor"),
        (
            "[torch.rand(n), 1 / 0]",
            r"gives a list of tensors, but it raised ZeroDivisionError: division by zero",
        ),
    ],
)
def test_what_cannot_be_varied_is_told(given: str, told: str, written: Written) -> None:
    problem = written(
        f"n = 4096\ndef get_inputs():\n    return {given}\n",
        model="class Model(nn.Module):\n    def forward(self, x):\n        return x.view(4096, 4096)",
    )
    with pytest.raises(UsageError, match=told):
        found(problem)


def compared(
    capsys: pytest.CaptureFixture[str], answer: str, *more: str, problem: str = PROBLEM
) -> tuple[int, str]:
    Path("problem.py").write_text(problem)
    Path("answer.py").write_text(answer)
    code = main(["compare", "problem.py", "answer.py", "--law", "forward", *more])
    out, err = capsys.readouterr()
    return code, out + err


VARIED = "varied: batch_size from 1 on, in_features from 1 on, out_features from 1 on\n"


@pytest.mark.parametrize("answer", [ANSWER, PROBLEM], ids=["new", "itself"])
def test_a_right_answer_is_the_same_function(answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = compared(capsys, answer)
    assert code == 0
    assert "the same function, as far as" in text
    assert VARIED in text
    assert "carried: linear.bias, linear.weight\n" in text


def test_an_answer_that_names_its_parameters_otherwise_is_carried_by_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, text = compared(capsys, RENAMED)
    assert code == 0
    assert "carried: b from linear.bias, w from linear.weight\n" in text


def test_a_parameter_that_starts_with_other_draws_is_to_be_carried(
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = RENAMED.replace("made.weight, made.bias", "nn.Parameter(-made.weight), made.bias")
    code, text = compared(capsys, other)
    assert code == 2
    assert "b, w of new have no such counterpart in old" in text


@pytest.mark.parametrize(("answer", "seen"), [(HALVED, "batch_size=1"), (LARGE_ALONE, "batch_size=31")])
def test_a_wrong_answer_is_refuted_by_a_small_case(
    answer: str, seen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = compared(capsys, answer)
    assert code == 1
    assert "NOT the same function" in text
    assert f"smallest case  {seen}" in text


def test_sizes_that_the_answer_alone_refuses_are_not_claimed(capsys: pytest.CaptureFixture[str]) -> None:
    blocked = ANSWER.replace(
        "    def forward(self, x):", "    def forward(self, x):\n        assert len(x) % 8 == 0"
    )
    code, text = compared(capsys, blocked)
    assert code == 0
    assert VARIED.replace("batch_size from 1 on", "batch_size from 8 on by 8") in text


def test_given_sizes_stay(capsys: pytest.CaptureFixture[str]) -> None:
    smaller = PROBLEM.replace("1024", "6").replace("512", "5").replace("64 * 2", "8")
    for answer, code in ((ANSWER, 0), (LARGE_ALONE, 0), (HALVED, 1)):
        assert compared(capsys, answer, "--sizes", "given", problem=smaller)[0] == code


def test_an_answer_is_the_same_function_unless_more_is_claimed(capsys: pytest.CaptureFixture[str]) -> None:
    zeroed = ANSWER.replace(
        "        self.scale", "        nn.init.zeros_(self.linear.bias)\n        self.scale"
    )
    for more, code in (((), 0), (("--same", "layer"), 1)):
        assert compared(capsys, zeroed, "--law", "initialisation", *more)[0] == code


def test_the_claim_that_is_kept_runs_in_pytest(capsys: pytest.CaptureFixture[str]) -> None:
    assert compared(capsys, HALVED, "--write", "claim.py")[0] == 1
    run = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "claim.py"]
    done = subprocess.run(run, check=False, capture_output=True, text=True)  # noqa: S603  (our own)
    assert done.returncode == 1, done.stdout
    assert "ModelNewIsModel is refuted by forward" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("other.py", "answer.py", "a file with Model and get_inputs(), but other.py has none"),
        ("problem.py", "other.py", "a file with ModelNew or Model, but other.py has none"),
        ("none.py", "answer.py", "no such file"),
    ],
)
def test_what_is_no_problem_or_no_answer_is_told(
    old: str, new: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("problem.py").write_text(PROBLEM)
    Path("answer.py").write_text(ANSWER)
    Path("other.py").write_text("x = 1\n")
    assert main(["compare", old, new]) == 2
    assert told in capsys.readouterr().err
