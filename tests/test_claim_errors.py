"""A claim that is written wrong gets one error that names the claim, the rule, the value and the remedy."""

import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
import torch
from torch import Tensor, nn

from equivalence import AtLeast, Between, ClaimError, Dim, Equivalence, Index, Mask, Over, Real
from equivalence.claim import Theta
from equivalence.distribution import Distribution, Uniform
from properties.cases.domain import Domain
from properties.running.cell import Plan
from properties.running.suites import cells, required, suite


class LinearIsLinear(Equivalence):
    """Linear equals itself."""

    in_features: Dim
    x = Real("*batch in_features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.in_features, 2)

    def candidate(self) -> nn.Module:
        return nn.Linear(self.in_features, 2)


class NoCandidate(Equivalence):
    """A claim with a reference alone."""

    x = Real("batch")

    def reference(self) -> nn.Module:
        return nn.Identity()


class NoInput(Equivalence):
    """A claim about nothing."""

    def reference(self) -> nn.Module:
        return nn.Identity()

    def candidate(self) -> nn.Module:
        return nn.Identity()


class Misspelt(LinearIsLinear):
    """An axis that is nearly a field."""

    x = Real("*batch in_feature")


class NoName(LinearIsLinear):
    """An axis that is an expression."""

    x = Real("*batch in_features*2")


class FlagAsAxis(LinearIsLinear):
    """An axis that is a bool."""

    bias: bool
    x = Real("*batch bias")


class MethodAsAxis(LinearIsLinear):
    """An axis that is a method."""

    x = Real("*batch features")

    def features(self) -> int:
        return 2 * self.in_features


class StarredProperty(LinearIsLinear):
    """Any number of axes of one size."""

    x = Real("*features in_features")

    @property
    def features(self) -> int:
        return 2


class IndexBelowNothing(Equivalence):
    """An index whose bound is no field."""

    x = Index("*batch", "classes")

    def reference(self) -> nn.Module:
        return nn.Identity()

    def candidate(self) -> nn.Module:
        return nn.Identity()


class MaskOverNothing(LinearIsLinear):
    """A mask whose axes are no fields."""

    mask: Annotated[Mask, Over("out_features in_features")]


class TextField(LinearIsLinear):
    """A field that cannot be drawn."""

    name: str


class MissingParameter(LinearIsLinear):
    """A carry that forgets the bias."""

    def carry(self, theta: Theta) -> Theta:
        return {"weight": theta["weight"]}


class WrongShape(LinearIsLinear):
    """A carry that transposes."""

    def carry(self, theta: Theta) -> Theta:
        return {"weight": theta["weight"].mT, "bias": theta["bias"]}


class UnknownParameter(LinearIsLinear):
    """A carry that gives too much."""

    def carry(self, theta: Theta) -> Theta:
        return {**theta, "scale": theta["bias"]}


class NoTensor(LinearIsLinear):
    """A form that returns an iterator in a dictionary."""

    class Wrapped(nn.Linear):
        def forward(self, x: Tensor) -> Any:
            return {"y": iter([super().forward(x)])}

    def candidate(self) -> nn.Module:
        return self.Wrapped(self.in_features, 2)


class Lazy(LinearIsLinear):
    """A form that waits for its first input."""

    def candidate(self) -> nn.Module:
        return nn.LazyLinear(2)


class NothingToDraw(LinearIsLinear):
    """A reference that refuses everything."""

    def reference(self) -> nn.Module:
        message = "in_features must be a prime above 100"
        raise ValueError(message)


class UnknownLaw(LinearIsLinear):
    """A break of a law that does not exist."""

    breaks = {"fordward": "a slip of the pen"}  # noqa: RUF012


class UnknownInitial(LinearIsLinear):
    """A closed form of a parameter that is none."""

    def initial(self) -> Mapping[str, Distribution]:
        return {"wieght": Uniform(-1, 1)}


class UnknownDead(LinearIsLinear):
    """Dead entries of a parameter that is none."""

    def dead_in_candidate(self) -> Mapping[str, Tensor]:
        return {"wieght": torch.ones(2, self.in_features, dtype=torch.bool)}


class DeadOfAnotherShape(LinearIsLinear):
    """Dead entries in the layout of a transposed weight."""

    def dead_in_reference(self) -> Mapping[str, Tensor]:
        return {"weight": torch.ones(self.in_features, 2 + 1, dtype=torch.bool)}


class BreakThatDoesNotApply(LinearIsLinear):
    """A break of a law that has nothing to say here."""

    breaks = {"masked": "there is no mask"}  # noqa: RUF012


def run(claim: type[Equivalence]) -> None:
    for cell in cells(Domain(claim), ["forward"]):
        assert not cell.inapplicable
        cell.test(Plan())()


HEADS = {
    name: line
    for line in Path(__file__).read_text(encoding="utf-8").splitlines()
    for name in re.findall(r"^class (\w+)\(", line)
}
"""The first line of each class of this file, by its name."""

WRITTEN = """\
import torch
from torch import nn

from equivalence import Dim, Equivalence, Real
from properties import suite


class Wrong(Equivalence):
    features: Dim
    x = Real("*batch features")
    def reference(self): return nn.Linear(self.features, 2)
    def candidate(self): return nn.Linear(self.features, 2)
"""
"""A claim in a user's test file; what follows it makes it wrong."""

MISTAKES = {
    "input": ("    x = Real('*batch feature')\nTest = suite(Wrong)", r"Wrong: an axis is named .*"),
    "field": ("    name: str\nTest = suite(Wrong)", r"Wrong: a field is a Dim, .* but 'name' is .*"),
    "annotation": ("    name: 'Nowhere'\nTest = suite(Wrong)", r"Wrong: annotations are names .*Nowhere.*"),
    "law": (
        "    breaks = {'forwrd': 'a slip'}\nTest = suite(Wrong)",
        r"a law is one of .* did you mean 'forward'\?",
    ),
    "carry": (
        "    def carry(self, theta): return {}\nTest = suite(Wrong)",
        r"Wrong\(.*\): carry names every .*",
    ),
    "absent": (
        "Test = suite(Wrong, laws=['masked'])",
        r"Wrong: a law asked for by name applies .* leave .* out",
    ),
}
"""What a user may get wrong, and the message."""

ERRORS: list[tuple[type[Equivalence], list[str]]] = [
    (NoCandidate, ["NoCandidate", "candidate is missing", "def candidate(self)"]),
    (NoInput, ["NoInput", "input", "add x = Real("]),
    (Misspelt, ["Misspelt", "'in_feature'", "nearly 'in_features'"]),
    (NoName, ["NoName", "'in_features*2'", "is no name"]),
    (FlagAsAxis, ["FlagAsAxis", "'bias'", "no size"]),
    (MethodAsAxis, ["MethodAsAxis", "'features' is a function of the claim", "make it a property"]),
    (StarredProperty, ["StarredProperty", "'*features' is one size, and starred"]),
    (IndexBelowNothing, ["IndexBelowNothing", "'classes'", "size field"]),
    (MaskOverNothing, ["MaskOverNothing", "'mask'", "'out_features in_features'", "['in_features']"]),
    (TextField, ["TextField", "'name'", "<class 'str'>", "Literal"]),
    (MissingParameter, ["MissingParameter", "misses ['bias']", "'weight'"]),
    (WrongShape, ["WrongShape", "'weight'", "(2, ", "reshape"]),
    (UnknownParameter, ["UnknownParameter", "['scale']", "leave these out"]),
    (NoTensor, ["NoTensor", 'returned list_iterator at ["y"]', "candidate Wrapped", "wrap it"]),
    (Lazy, ["Lazy", "candidate knows the shape", "construct it with its sizes"]),
    (NothingToDraw, ["NothingToDraw", "prime above 100", "widen"]),
    (UnknownLaw, ["fordward", "did you mean 'forward'"]),
    (UnknownInitial, ["UnknownInitial", "initial names parameters", "'weight'", "['wieght']"]),
    (UnknownDead, ["UnknownDead", "dead_in_candidate names parameters", "['wieght']"]),
    (DeadOfAnotherShape, ["DeadOfAnotherShape", "dead_in_reference", "'weight' is (2, 3)", "(2, 2)"]),
    (BreakThatDoesNotApply, ["BreakThatDoesNotApply", "masked does not", "take 'masked' out of breaks"]),
]


@pytest.mark.parametrize(("claim", "words"), ERRORS, ids=lambda value: getattr(value, "__name__", ""))
def test_error_names_claim_rule_value_and_remedy_before_a_case_is_drawn(
    claim: type[Equivalence], words: list[str]
) -> None:
    with pytest.raises(ClaimError) as error:
        cells(Domain(claim), ["forward"])
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("claim", [claim for claim, _ in ERRORS], ids=lambda claim: claim.__name__)
def test_error_opens_with_the_file_and_the_line_of_the_class(
    claim: type[Equivalence], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(__file__)
    line = file.read_text(encoding="utf-8").splitlines().index(HEADS[claim.__name__]) + 1
    for directory, shown in ((tmp_path, file), (file.parent, Path(file.name))):
        monkeypatch.chdir(directory)
        with pytest.raises(ClaimError) as error:
            cells(Domain(claim), ["forward"])
        assert str(error.value).startswith(f"{shown}:{line}: ")
        assert str(error.value).count(f":{line}: ") == 1


def test_error_of_a_class_without_source_opens_with_its_module() -> None:
    claim = type("Typed", (Equivalence,), {"__module__": "made.by.hand"})
    with pytest.raises(ClaimError, match=r"^made\.by\.hand: Typed: a claim has a reference"):
        Domain(claim)


def test_error_keeps_its_place_on_its_way_from_a_worker() -> None:
    with pytest.raises(ClaimError) as error:
        Domain(NoInput)
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)  # noqa: S301  (our own bytes)


def test_pytest_shows_each_error_at_collection_in_one_short_paragraph(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for name, (body, _) in MISTAKES.items():
        (tmp_path / f"test_{name}.py").write_text(WRITTEN + body + "\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    paragraphs = re.split(r"^_+ ERROR collecting test_(\w+)\.py _+$", done.stdout, flags=re.MULTILINE)
    shown = dict(zip(paragraphs[1::2], paragraphs[2::2], strict=True))
    assert sorted(shown) == sorted(MISTAKES)
    for name, (_, message) in MISTAKES.items():
        paragraph = shown[name].partition("\n===")[0].strip().splitlines()
        # Newer versions of pytest mark the place in the line with carets.
        assert len(paragraph) <= 4, done.stdout
        assert re.fullmatch(rf"test_{name}\.py:\d+: in <module>", paragraph[0])
        assert re.fullmatch(
            rf"E   equivalence\.variable\.ClaimError: test_{name}\.py:8: {message}", paragraph[-1]
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda: AtLeast(-1),
        lambda: Between(3, 2),
        lambda: Between(-1, 2),
        lambda: Domain(int),  # type: ignore[arg-type]
        lambda: Domain(LinearIsLinear, {"in_featurs": 3}),
    ],
)
def test_a_wrong_domain_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ClaimError):
        make()


def test_a_right_claim_runs() -> None:
    run(LinearIsLinear)


def test_a_mask_of_another_size_is_refused() -> None:
    assert Mask("10/01").tensor(2, 2).tolist() == [[True, False], [False, True]]
    assert Mask("").tensor(0, 3).shape == (0, 3)
    assert Mask("//").tensor(3, 0).shape == (3, 0)
    with pytest.raises(ValueError, match=r"a \(3, 2\) mask needs 3 words of 2 digits"):
        Mask("10/01").tensor(3, 2)


class Crashing(LinearIsLinear):
    """A crash of the user's code is no disagreement."""

    breaks = {"forward": "it does not even import"}  # noqa: RUF012

    def candidate(self) -> nn.Module:
        import a_package_that_nobody_has  # type: ignore[import-not-found]  # noqa: PLC0415

        return a_package_that_nobody_has.Linear()  # type: ignore[no-any-return]


def test_only_a_disagreement_counts_as_a_break() -> None:
    with pytest.raises(ImportError):
        run(Crashing)


ABSENT = "a law asked for by name applies to the claim, but masked does not (no entries declared dead)"


def test_a_law_asked_for_by_name_that_does_not_apply_is_no_skip() -> None:
    with pytest.raises(ClaimError, match=re.escape(ABSENT)):
        suite(LinearIsLinear, laws=["forward", "masked"])
    with pytest.raises(ClaimError, match=re.escape(ABSENT)):
        required(cells(Domain(LinearIsLinear), ["forward", "masked"]))


def test_a_law_that_nobody_asked_for_is_skipped_with_its_reason() -> None:
    assert hasattr(suite(LinearIsLinear), "test_masked")


def test_a_law_asked_for_by_name_that_applies_is_tested() -> None:
    asked = cells(Domain(LinearIsLinear), ["forward", "rows"])
    assert required(asked) == asked
    assert hasattr(suite(LinearIsLinear, laws=["rows"]), "test_rows")


def test_a_form_that_crashes_is_for_its_tests_to_report() -> None:
    assert hasattr(suite(Crashing, laws=["forward"]), "test_forward")


def test_an_input_that_a_decorator_adds_is_an_input() -> None:
    def on_rows(claim: type[Equivalence]) -> type[Equivalence]:
        claim.x = Real("*batch features")  # type: ignore[attr-defined]
        return claim

    @on_rows
    class Same(Equivalence):
        """A layer equals itself."""

        features: Dim

        def reference(self) -> nn.Module:
            return nn.Linear(self.features, 2)

        def candidate(self) -> nn.Module:
            return nn.Linear(self.features, 2)

    assert list(Domain(Same).claim.inputs()) == ["x"]
