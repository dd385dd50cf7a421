"""`equivalence replay`: the numbers of a file, or the draws of a case, decided as they were."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Dim, Equivalence, Mask, Real
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cli import main
from properties.laws import LAWS
from properties.refutation.counterexample import Refuted, written
from properties.refutation.failure import described, write
from properties.running.cell import Cell
from properties.ways import WAYS
from tests.test_global_state import state

Captured = pytest.CaptureFixture[str]
FIXED, FAILS, ERROR = 0, 1, 2
SINGLE = 7
"""A seed whose case is decided on float32 integers too; that of seed 0 is not."""


class Doubled(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


class WrongAtThree(nn.Linear):
    """Wrong where an input is 3, which seed 0 does not draw."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + (x == 3)


class WrongInSingle(nn.Linear):
    """Wrong in float32 alone."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + (x.dtype == torch.float32)


class HiddenNan(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.nan_to_num())


class Refusing(nn.Linear):
    def forward(self, _: Tensor) -> Tensor:
        message = "never, whatever x is\nand that on two lines"
        raise ValueError(message)


class Crashing(nn.Linear):
    def forward(self, _: Tensor) -> Tensor:
        message = "a name that is nowhere\nand that on two lines"
        raise NameError(message)


class Shifted(nn.Linear):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        with torch.no_grad():
            self.weight += 1


class Dropped(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(super().forward(x))


class LinearIsLinear(Equivalence):
    """nn.Linear with one output equals itself."""

    features: Dim
    bias: bool
    x = Real("*batch features")

    origin: ClassVar[type[nn.Linear]] = nn.Linear
    form: ClassVar[type[nn.Linear]] = nn.Linear

    def reference(self) -> nn.Module:
        return self.origin(self.features, 1, self.bias)

    def candidate(self) -> nn.Module:
        return self.form(self.features, 1, self.bias)


class DoubledIsLinear(LinearIsLinear):
    """Twice too large."""

    form = Doubled


class WrongAtThreeIsLinear(LinearIsLinear):
    """One too large where an input is 3."""

    form = WrongAtThree


class DroppedIsLinear(LinearIsLinear):
    """Draws at random what it leaves out."""

    form = Dropped


class WrongInSingleIsLinear(LinearIsLinear):
    """One too large in float32."""

    form = WrongInSingle


class HiddenNanIsLinear(LinearIsLinear):
    """A nan does not come through."""

    form = HiddenNan


class RefusingIsLinear(LinearIsLinear):
    """The candidate takes nothing."""

    form = Refusing


class CrashingIsLinear(LinearIsLinear):
    """The candidate has a mistake in it."""

    form = Crashing


class ShiftedIsLinear(LinearIsLinear):
    """Fresh weights are 1 too large."""

    form = Shifted


class LinearIsRefusing(LinearIsLinear):
    """The reference takes nothing."""

    origin = Refusing


class OtherFields(Equivalence):
    """A claim that has other fields."""

    width: Dim
    x = Real("*batch width")

    def reference(self) -> nn.Module:
        return nn.Linear(self.width, 1)

    def candidate(self) -> nn.Module:
        return nn.Linear(self.width, 1)


class OtherParameters(LinearIsLinear):
    """A claim that has the fields, and more parameters."""

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 3, self.bias)

    def candidate(self) -> nn.Module:
        return nn.Linear(self.features, 3, self.bias)


class TanhIsTanh(LinearIsLinear):
    """The same with a tanh behind it, which leaves the integers."""

    def reference(self) -> nn.Module:
        return nn.Sequential(super().reference(), nn.Tanh())

    def candidate(self) -> nn.Module:
        return nn.Sequential(super().candidate(), nn.Tanh())


class TanhOfDoubledIsTanh(TanhIsTanh):
    """Twice too large before a tanh."""

    form = Doubled


WRONG = [
    (DoubledIsLinear, "forward", 0),
    (DoubledIsLinear, "input_gradient", 0),
    (DoubledIsLinear, "second_derivative", 0),
    (DoubledIsLinear, "rows", 0),
    (DoubledIsLinear, "modes", 0),
    (TanhOfDoubledIsTanh, "forward", 0),
    (WrongInSingleIsLinear, "forward", SINGLE),
    (HiddenNanIsLinear, "nonfinite", 0),
    (RefusingIsLinear, "forward", 0),
    (DroppedIsLinear, "forward", 0),
    (ShiftedIsLinear, "initialisation", 0),
]
"""A claim, a law that it fails, and the seed of a case that shows it: every way to decide, and to fail."""


def named(claim: type[Equivalence]) -> str:
    return f"{claim.__module__}:{claim.__qualname__}"


def refuted(claim: type[LinearIsLinear], law: str, number: int = 0) -> Refuted:
    with pytest.raises(Refuted) as found:
        Cell(Domain(claim), LAWS[law]).check(Case(claim(features=1, bias=True), {"batch": (1,)}, number))
    return found.value


def kept(folder: Path, failure: Refuted, **edited: Any) -> str:
    """Write a failure; the keys that are edited have other values."""
    path = write(described(failure, smallest=True), str(folder))
    assert path is not None
    path.write_text(json.dumps({**json.loads(path.read_text()), **edited}))
    return str(path)


def case(failure: Refuted) -> str:
    return written(failure.verdict.case).strip("'")


def replay(capsys: Captured, *arguments: str) -> tuple[int, list[str], str]:
    """Give the exit code, the lines of standard output, and standard error."""
    code = main(["replay", *arguments])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def assert_one_error(answer: tuple[int, list[str], str], *words: str) -> None:
    code, out, err = answer
    assert (code, out) == (ERROR, [])
    assert err.startswith("ERROR: ")
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1
    assert "two lines" not in err
    for word in words:
        assert word in err


@pytest.mark.parametrize(("claim", "law", "number"), WRONG)
def test_a_file_fails_with_the_text_it_was_found_with(
    claim: type[LinearIsLinear], law: str, number: int, tmp_path: Path, capsys: Captured
) -> None:
    failure = refuted(claim, law, number)
    code, out, err = replay(capsys, kept(tmp_path, failure), "--claim", named(claim))
    assert (code, err) == (FAILS, "")
    assert out == [f"FAILS: {claim.__name__} under {law}", *str(failure).splitlines()]


@pytest.mark.parametrize(("claim", "law", "number"), WRONG)
def test_a_file_is_fixed_by_the_right_form(
    claim: type[LinearIsLinear], law: str, number: int, tmp_path: Path, capsys: Captured
) -> None:
    right = claim.__base__
    assert right is not None
    assert issubclass(right, LinearIsLinear)
    code, out, err = replay(capsys, kept(tmp_path, refuted(claim, law, number)), "--claim", named(right))
    assert (code, len(out), err) == (FIXED, 1, "")
    assert out[0].startswith(f"FIXED: {right.__name__} under {law}")


@pytest.mark.parametrize(("claim", "law", "number"), WRONG)
def test_a_case_fails_with_the_text_it_was_found_with(
    claim: type[LinearIsLinear], law: str, number: int, capsys: Captured
) -> None:
    failure = refuted(claim, law, number)
    code, out, err = replay(capsys, case(failure), "--law", law)
    assert (code, err) == (FAILS, "")
    assert out == [f"FAILS: {claim.__name__} under {law}", *str(failure).splitlines()]


@pytest.mark.parametrize(("entry", "expected"), [(1.0, FIXED), (3.0, FAILS)])
def test_the_very_values_of_a_file_decide(
    entry: float, expected: int, tmp_path: Path, capsys: Captured
) -> None:
    failure = refuted(DoubledIsLinear, "forward")
    values = described(failure, smallest=True).values
    x = {"x": {"shape": [1, 1], "dtype": "float64", "entries": [entry]}}
    path = kept(tmp_path, failure, values={**values, **x})
    assert replay(capsys, path, "--claim", named(WrongAtThreeIsLinear))[0] == expected


@pytest.mark.parametrize(("dtype", "expected"), [("float32", FAILS), ("float64", FIXED)])
def test_the_very_precision_of_a_file_decides(
    dtype: str, expected: int, tmp_path: Path, capsys: Captured
) -> None:
    failure = refuted(WrongInSingleIsLinear, "forward", SINGLE)
    values = {
        name: {**value, "dtype": dtype} for name, value in described(failure, smallest=True).values.items()
    }
    regime = {"numbers": "integers", "bits": 4, "dtype": dtype}
    path = kept(tmp_path, failure, values=values, regime=regime)
    assert replay(capsys, path, "--claim", named(WrongInSingleIsLinear))[0] == expected


def test_the_failures_here_are_decided_in_every_way() -> None:
    ways = {refuted(*one).verdict.decided for one in WRONG}
    assert ways == {way for way in WAYS.values() if way.plain}


def test_a_file_about_the_catalogue_needs_no_name(tmp_path: Path, capsys: Captured) -> None:
    claim = CATALOGUE["masked-output"]
    masked = claim(in_features=1, out_features=1, mask=Mask("0"), bias=True)  # type: ignore[call-arg]
    with pytest.raises(Refuted) as found:
        Cell(Domain(claim), LAWS["forward"]).check(Case(masked, {"batch": (1,)}, 0))
    path = write(described(found.value, smallest=True), str(tmp_path))
    assert path is not None
    assert replay(capsys, str(path))[0] == FAILS
    assert replay(capsys, str(path), "--claim", "masked-output")[0] == FAILS
    assert replay(capsys, str(path), "--claim", "masked-where")[0] == FIXED


def test_a_file_about_another_claim_needs_its_name(tmp_path: Path, capsys: Captured) -> None:
    path = kept(tmp_path, refuted(DoubledIsLinear, "forward"))
    assert_one_error(replay(capsys, path), named(DoubledIsLinear), "--claim")


def test_a_failure_of_another_kind_is_told_apart(tmp_path: Path, capsys: Captured) -> None:
    path = kept(tmp_path, refuted(DoubledIsLinear, "forward"))
    usual = replay(capsys, path, "--claim", named(DoubledIsLinear))[1][0]
    code, out, _ = replay(capsys, path, "--claim", named(RefusingIsLinear))
    assert (code, usual) == (FAILS, "FAILS: DoubledIsLinear under forward")
    assert out[0].startswith("FAILS: RefusingIsLinear under forward, in another way")


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (LinearIsRefusing, "reference raised ValueError: never"),
        (CrashingIsLinear, "NameError: a name that is nowhere"),
        (OtherFields, "OtherFields"),
        (OtherParameters, "weight"),
    ],
)
def test_what_cannot_be_run_is_no_answer(
    claim: type[Equivalence], words: str, tmp_path: Path, capsys: Captured
) -> None:
    path = kept(tmp_path, refuted(DoubledIsLinear, "forward"))
    assert_one_error(replay(capsys, path, "--claim", named(claim)), words)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (LinearIsRefusing, "reference raised ValueError: never"),
        (CrashingIsLinear, "NameError: a name that is nowhere"),
    ],
)
def test_a_case_that_cannot_be_run_is_no_answer(
    claim: type[Equivalence], words: str, capsys: Captured
) -> None:
    text = f"{named(claim)}(features=1,bias=True,batch=1,seed=0)"
    assert_one_error(replay(capsys, text, "--law", "forward"), words)


def test_a_law_that_does_not_apply_is_no_answer(tmp_path: Path, capsys: Captured) -> None:
    failure = refuted(DoubledIsLinear, "forward")
    path = kept(tmp_path, failure, law="masked", decided="directly")
    words = "masked does not apply"
    assert_one_error(replay(capsys, path, "--claim", named(DoubledIsLinear)), words)
    assert_one_error(replay(capsys, case(failure), "--law", "masked"), words)


def test_a_case_without_a_law_is_tried_under_each_that_applies(capsys: Captured) -> None:
    code, out, _ = replay(capsys, f"{named(HiddenNanIsLinear)}(features=1,bias=True,batch=1,seed=0)")
    told = [line for line in out if line.startswith(("FIXED", "FAILS"))]
    applicable = [name for name in LAWS if name not in ("masked", "cost")]
    assert code == FAILS
    assert len(told) == len(applicable)
    for line, law in zip(told, applicable, strict=True):
        answer = "FAILS" if law == "nonfinite" else "FIXED"
        assert line.startswith(f"{answer}: HiddenNanIsLinear under {law}")


def test_a_case_is_tried_under_every_law_that_is_named(capsys: Captured) -> None:
    text = f"{named(HiddenNanIsLinear)}(features=1,bias=True,batch=1,seed=0)"
    code, out, _ = replay(capsys, text, "--law", "nonfinite", "--law", "forward")
    assert (code, out[0]) == (FAILS, "FAILS: HiddenNanIsLinear under nonfinite")
    assert out[-1].startswith("FIXED: HiddenNanIsLinear under forward")


def test_a_case_may_have_blanks_between_its_parts(capsys: Captured) -> None:
    text = f"{named(DoubledIsLinear)}(features=1, bias=True, batch=1, seed=0)"
    assert replay(capsys, text, "--law", "forward")[0] == FAILS


@pytest.mark.parametrize(("seed", "other", "expected"), [(0, SINGLE, FAILS), (SINGLE, 0, FIXED)])
def test_another_seed_replaces_that_of_the_case(
    seed: int, other: int, expected: int, capsys: Captured
) -> None:
    text = f"{named(WrongInSingleIsLinear)}(features=1,bias=True,batch=1,seed={seed})"
    assert replay(capsys, text, "--law", "forward", "--seed", str(other))[0] == expected
    assert replay(capsys, text, "--law", "forward")[0] == FIXED + FAILS - expected


CASE = f"{named(DoubledIsLinear)}(features=1,bias=True,batch=1,seed=0)"
MISTAKES = [
    ([f"{named(DoubledIsLinear)}(features=1,seed=0)"], ["bias", "batch"]),
    ([f"{named(DoubledIsLinear)}(features=1,bias=True,batch=1,height=2)"], ["'height'", "features"]),
    ([f"{named(DoubledIsLinear)}(features=-1,bias=True,batch=1)"], ["features=-1"]),
    ([f"{named(DoubledIsLinear)}(features=1,bias=2,batch=1)"], ["bias=2", "true"]),
    (["masked-output(in_features=1,out_features=1,mask=2,bias=True,batch=)"], ["mask"]),
    (["masked-output(in_features=1,out_features=1,mask=00,bias=True,batch=)"], ["mask"]),
    ([f"{named(DoubledIsLinear)}(features=1,bias=True,batch=1,features=2)"], ["'features'", "once"]),
    (["masked-outpt(in_features=1)"], ["masked-outpt", "did you mean 'masked-output'?"]),
    ([")"], ["CLAIM(name=value"]),
    ([CASE, "--law", "forwards"], ["forwards", "forward"]),
    ([CASE, "--seed", "-1"], ["seed=-1"]),
    ([CASE, "--seed", str(2**70)], [f"seed={2**70}"]),
    ([CASE, "--claim", named(DoubledIsLinear)], ["--claim"]),
    (["nowhere.json"], ["nowhere.json"]),
    (["nowhere.json", "--law", "forward"], ["--law"]),
    (["nowhere.json", "--seed", "1"], ["--seed"]),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda value: str(value)[:60])
def test_a_mistake_gets_one_clear_line(arguments: list[str], words: list[str], capsys: Captured) -> None:
    assert_one_error(replay(capsys, *arguments), *words)


def test_a_replay_changes_nothing_global(tmp_path: Path, capsys: Captured) -> None:
    failure = refuted(DoubledIsLinear, "forward")
    path = kept(tmp_path, failure)
    threads = torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(2)
    # Not where a seed leaves the generator.
    torch.rand(1)
    try:
        before = state()
        replay(capsys, path, "--claim", named(DoubledIsLinear))
        replay(capsys, path, "--claim", named(CrashingIsLinear))
        replay(capsys, case(failure), "--law", "forward")
        assert state() == before
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_num_threads(threads)


OWN = '''
from torch import nn

from equivalence import Dim, Equivalence, Real


class Negated(nn.Linear):
    def forward(self, x):
        return {sign}super().forward(x)


class NegatedIsLinear(Equivalence):
    """A sign too many."""

    features: Dim
    x = Real("*batch features")

    def reference(self):
        return nn.Linear(self.features, 2)

    def candidate(self):
        return Negated(self.features, 2)
'''


def test_a_case_in_a_file_is_read_whatever_the_path_holds(tmp_path: Path, capsys: Captured) -> None:
    own = tmp_path / "layers (1)" / "own.py"
    own.parent.mkdir()
    for sign, expected in (("-", FAILS), ("", FIXED)):
        own.write_text(OWN.format(sign=sign))
        text = f"{own}:NegatedIsLinear(features=1,batch=,seed=0)"
        assert replay(capsys, text, "--law", "forward")[0] == expected


def test_a_fresh_process_fails_until_the_form_is_mended(tmp_path: Path) -> None:
    def equivalence(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "properties", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)  # noqa: S603
        return done.returncode, done.stdout[:6]

    own = tmp_path / "own.py"
    own.write_text(OWN.format(sign="-"))
    assert equivalence("verify", "own.py:NegatedIsLinear", "--law", "forward")[0] == FAILS
    (path,) = tmp_path.glob(".equivalence/failures/*.json")
    again = ("replay", str(path), "--claim", "own.py:NegatedIsLinear")
    assert equivalence(*again) == (FAILS, "FAILS:")
    own.write_text(OWN.format(sign=""))
    assert equivalence(*again) == (FIXED, "FIXED:")
