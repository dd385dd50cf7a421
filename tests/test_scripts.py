"""A standalone script shows the failure of every mutant, and says FIXED of the right form."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import pytest
import torch
from torch import Tensor, nn

from equivalence.claim import AtLeast, Equivalence, Index, Mask, Real, Theta
from equivalence.claims.masked import WhereMaskedIsMasked
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.regime import Integers
from properties.judging.numbers import DOUBLE
from properties.laws import LAWS
from properties.reading.claims import load_claim
from properties.refutation.counterexample import Refuted, written
from properties.replaying.scripting import Finding, ScriptError, script, tried_script
from properties.replaying.scripting.source import plain
from properties.running.cell import Cell, Plan
from tests.libraries import skip_without_library
from tests.mutants import MUTANTS
from tests.mutants.planted import SEEN_IN
from tests.mutants.trial import declared
from tests.replays import REFUSED, Answer, Trial, in_a_process, in_this_process, refuted_by_its_law
from tests.stored import Stored, StoredIsLinear

if TYPE_CHECKING:
    from collections.abc import Sequence

Positive = Annotated[int, AtLeast(1)]
SHOWN = {declared(mutant): mutant for mutant in reversed(MUTANTS.values())}
"""The first mutant of each law."""


DRAWN = {"DropsAtAnotherRate", "DropsAllAtOnce"}
"""Seen in the distribution of many runs alone, which no single run of a script shows."""


WRITTEN = [name for name, mutant in MUTANTS.items() if name not in DRAWN and declared(mutant) not in REFUSED]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_script_shows_a_mutant_and_says_fixed_of_the_right_form(name: str, tmp_path: Path) -> None:
    skip_without_library(*SEEN_IN.get(name, ()))
    trial = Trial(MUTANTS[name], refuted_by_its_law(MUTANTS[name]), tmp_path)
    code, printed = trial.script_of(trial.case)
    assert code == 1, printed
    # An error that no form raises would be one of the script itself.
    difference = trial.refuted.smallest[1]
    raised = difference.kind in ("raises", "structure") or difference.candidate.startswith("raised ")
    assert raised or "AssertionError" in printed, printed
    code, printed = trial.script_of(trial.right)
    assert code == 0, printed
    assert printed.endswith("FIXED\n")
    for path in tmp_path.glob("*.py"):
        assert ours(path.read_text()) == set()


@pytest.mark.parametrize("law", ["forward", "state"])
def test_a_script_runs_in_a_process_of_its_own(law: str, tmp_path: Path) -> None:
    trial = Trial(SHOWN[law], refuted_by_its_law(SHOWN[law]), tmp_path, fresh=True)
    code, printed = trial.script_of(trial.case)
    assert code == 1
    assert "Error" in printed.splitlines()[-1], printed
    code, printed = trial.script_of(trial.right)
    assert (code, printed.splitlines()[-1]) == (0, "FIXED"), printed


@pytest.mark.parametrize("command", [("format", "--check"), ("check", "--select", "E,F,W,I")])
def test_scripts_are_formatted_and_import_what_they_read(command: tuple[str, ...], tmp_path: Path) -> None:
    for law, mutant in SHOWN.items():
        if law in REFUSED:
            continue
        text = script(Finding.of(refuted_by_its_law(mutant)))
        (tmp_path / f"{law}.py").write_text(text)
    ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "110", "."]
    run = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("law", REFUSED)
def test_a_law_that_no_script_shows_is_refused_in_one_line_with_the_line_that_replays_it(law: str) -> None:
    found = Finding.of(refuted_by_its_law(SHOWN[law]))
    with pytest.raises(ScriptError, match=f"no script shows the law '{law}'") as error:
        script(found)
    assert str(error.value).endswith(f"equivalence replay '{written(found.case)}' --law {law}")
    assert "\n" not in str(error.value)


def ours(text: str) -> set[str]:
    """Name what a script imports that a user may not have."""
    modules = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    roots = ("equivalence", "properties", "hypothesis")
    return {
        name
        for name in modules
        if name.split(".")[0] in roots and not f"{name}.".startswith("equivalence.layers.")
    }


def run() -> float:
    """Have the name of a function that scripts call."""
    return 2.0


SCALE = run()


@dataclass
class Options:
    """What a layer is told."""

    scale: float
    names: Sequence[str] = ()


class Doubled(nn.Linear):
    """Linear with a global, a function, a dataclass, and what only a type checker imports."""

    kept: Tensor

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        factor: float = Options(SCALE).scale
        assert y is not None
        return super().forward(x) * factor / run() + (y.shape[-1] != 1), y


class Halved(Doubled):
    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        first, second = super().forward(x, y)
        return first / 2, second


class HalvedIsDoubled(Equivalence):
    r"""Half is the whole: a \ and a "quotation"."""

    rows: Positive

    x = Real("*batch rows")
    y = Real("*batch rows")

    def reference(self) -> nn.Module:
        return Doubled(self.rows, 1)

    def candidate(self) -> nn.Module:
        return Halved(self.rows, 1)


class Gathered(nn.Embedding):
    pass


class NextRow(Gathered):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return super().forward((input + 1) % self.num_embeddings)


class NextIsGathered(Equivalence):
    """An embedding of the next index is that of the index."""

    rows: Positive

    x = Index("*batch", "rows")

    def reference(self) -> nn.Module:
        return Gathered(self.rows, 1)

    def candidate(self) -> nn.Module:
        return NextRow(self.rows, 1)


class Smooth(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return super().forward(input).tanh()


class LessSmooth(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return super().forward(input).tanh() * (1 + 1e-6)


class LessIsSmooth(Equivalence):
    """A slip in the sixth digit."""

    features: Positive

    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Smooth(self.features, 1)

    def candidate(self) -> nn.Module:
        return LessSmooth(self.features, 1)


class StoredAndOne(Stored):
    """Reads the memory of its weight, and adds one."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 1


class StoredAndOneIsLinear(StoredIsLinear):
    """A slip of a form that counts on a parameter of its own being contiguous."""

    def candidate(self) -> nn.Module:
        return StoredAndOne(self.features)


class Written(nn.Linear):
    """Writes into its weight while gradients are recorded."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        self.weight.mul_(1)
        return super().forward(input)


class WrittenIsSmooth(LessIsSmooth):
    """The candidate raises wherever it is trained, though carry computes what it writes into."""

    def candidate(self) -> nn.Module:
        return Written(self.features, 1)

    def carry(self, theta: Theta) -> Theta:
        return {name: value * self.scale for name, value in theta.items()}

    scale: ClassVar[float] = 1.0


class Broken(nn.Linear):
    def __init__(self, features: int) -> None:
        message = f"not yet written for {features}"
        raise RuntimeError(message)


class BrokenIsLinear(LessIsSmooth):
    """The candidate cannot be constructed."""

    def candidate(self) -> nn.Module:
        return Broken(self.features)


class Chained(WhereMaskedIsMasked):
    """super() goes through two classes, a property among them."""

    scale: ClassVar[float] = 2.0

    @property
    def alive(self) -> Tensor:
        return super().alive & super().alive

    def carry(self, theta: Theta) -> Theta:
        return {**super().carry(theta), "weight": theta["weight"] * self.scale}


class CrossedIsSmooth(LessIsSmooth):
    """super() reaches past a method that the class itself does not have."""

    def candidate(self) -> nn.Module:
        return nn.Sequential(super().reference(), nn.Softsign())

    def carry(self, theta: Theta) -> Theta:
        return {f"0.{name}": value for name, value in theta.items()}


class Rounded(Smooth):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return super().forward(input).float()


class RoundedIsSmooth(LessIsSmooth):
    """The candidate answers in another dtype."""

    def candidate(self) -> nn.Module:
        return Rounded(self.features, 1)


class Frozen(nn.Linear):
    """A layer whose weight is dead, and frozen."""

    def __init__(self) -> None:
        super().__init__(2, 3)
        self.weight.requires_grad_(False)  # noqa: FBT003  (torch's own argument)


class FrozenIsFrozen(Equivalence):
    """What is frozen is not free, dead or not."""

    x = Real("*batch 2")

    def reference(self) -> nn.Module:
        return Frozen()

    candidate = reference

    def dead_in_candidate(self) -> Mapping[str, Tensor]:
        return {"weight": torch.ones(3, 2, dtype=torch.bool)}

    dead_in_reference = dead_in_candidate


class Counting(nn.Linear):
    """A layer that adds the number of its calls."""

    calls: Tensor

    def __init__(self, features: int) -> None:
        super().__init__(features, 1)
        self.register_buffer("calls", torch.tensor(0.0))

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        self.calls += 1
        return super().forward(input) + self.calls


class CountingIsItself(LessIsSmooth):
    """Each of the two forms counts for itself."""

    def reference(self) -> nn.Module:
        return Counting(self.features)

    candidate = reference


CLAIMS = {
    HalvedIsDoubled: ("forward", "input_gradient", "parameter_gradient", "rows", "layout", "modes"),
    NextIsGathered: ("forward", "parameter_gradient", "rows", "layout", "modes"),
    LessIsSmooth: ("forward", "input_gradient", "second_derivative", "rows", "modes"),
    Chained: ("forward", "rows"),
    CrossedIsSmooth: ("forward",),
    RoundedIsSmooth: ("forward",),
}


def refuted(claim: type[Equivalence], law: str) -> Refuted:
    with pytest.raises(Refuted) as found:
        Cell(Domain(claim), LAWS[law]).test(Plan())()
    return found.value


@pytest.mark.parametrize(("claim", "law"), [(claim, law) for claim, laws in CLAIMS.items() for law in laws])
def test_a_script_shows_the_failure_of_a_claim_of_another_kind(
    claim: type[Equivalence], law: str, tmp_path: Path
) -> None:
    text = script(Finding.of(refuted(claim, law)))
    code, printed = played(text, tmp_path)
    assert code == 1
    assert printed.splitlines()[-1].startswith("AssertionError"), printed
    assert ours(text) == set()
    assert __name__ not in text.partition('"""\n')[2]


@pytest.mark.parametrize("law", ["forward", "rows", "layout", "nonfinite", "rejects"])
def test_a_form_that_writes_into_its_buffers_starts_anew_in_each_run(law: str, tmp_path: Path) -> None:
    case = Case(CountingIsItself(features=1), {"batch": ()}, 0)
    code, printed = played(script(Finding(case, law, {}, DOUBLE)), tmp_path)
    assert code == 0, printed


def test_a_script_that_never_showed_the_failure_does_not_say_fixed(tmp_path: Path) -> None:
    case = Case(CountingIsItself(features=1), {"batch": ()}, 0)
    told = Finding(case, "forward", {}, DOUBLE, "output[0]: candidate 1, reference 0")
    for finding in (told, replace(told, difference="")):
        code, printed = played(tried_script(finding), tmp_path)
        assert (code, "FIXED" in printed) == (0, False)
        assert printed.splitlines()[-1].startswith("NOT SHOWN: this script did not show the failure")


def test_a_script_that_shows_the_failure_says_fixed_once_it_is_gone() -> None:
    found = Finding.of(refuted_by_its_law(SHOWN["forward"]))
    assert tried_script(found) == script(found)
    assert script(found).endswith('print("FIXED")\n')


def played(text: str, folder: Path) -> Answer:
    path = folder / "played.py"
    path.write_text(text)
    return in_this_process(path)


def test_a_form_that_cannot_be_constructed_shows_its_own_error(tmp_path: Path) -> None:
    case = Case(BrokenIsLinear(features=1), {"batch": ()}, 0)
    code, printed = played(script(Finding(case, "forward", {}, DOUBLE)), tmp_path)
    assert (code, printed) == (1, "RuntimeError: not yet written for 1")


def test_a_script_holds_the_very_numbers_and_their_dtype(tmp_path: Path) -> None:
    case = Case(NextIsGathered(rows=3), {"batch": (2,)}, 0)
    values = {"weight": torch.tensor([[0.1], [-2.0], [3.0]]), "x": torch.tensor([2, 0])}
    finding = Finding(case, "forward", values, Integers(3, torch.float32))
    code, printed = played(script(finding), tmp_path)
    assert code == 1
    # 0.1 in float32.
    assert "output, expected: [[3.0], [0.10000000149011612]], torch.float32, shape (2, 1)\n" in printed
    assert "output, found:    [[0.10000000149011612], [-2.0]], torch.float32" in printed


def test_a_script_lays_parameters_out_in_memory_as_the_form_does(tmp_path: Path) -> None:
    case = Case(StoredAndOneIsLinear(features=2), {"batch": ()}, 0)
    values = {"weight": torch.tensor([[1.0, 2], [3, 4]]).double(), "x": torch.tensor([5.0, 6]).double()}
    code, printed = played(script(Finding(case, "forward", values, Integers(3))), tmp_path)
    assert code == 1
    assert "output, expected: [17.0, 39.0]," in printed
    assert "output, found:    [18.0, 40.0]," in printed


@pytest.mark.parametrize("law", ["forward", "input_gradient", "parameter_gradient", "second_derivative"])
def test_a_script_refuses_a_write_into_what_is_trained_as_the_suite_does(law: str, tmp_path: Path) -> None:
    found = Finding.of(refuted(WrittenIsSmooth, law))
    code, printed = played(script(found), tmp_path)
    assert code == 1
    assert "requires grad is being used in an in-place operation" in printed


@pytest.mark.parametrize("slip", [0.0, 1e-12, 1e-6])
def test_on_reals_a_script_passes_over_rounding_alone(slip: float, tmp_path: Path) -> None:
    found = Finding.of(refuted(LessIsSmooth, "forward"))
    text = script(found)
    assert "(1 + 1e-6)" in text
    code, printed = played(text.replace("(1 + 1e-6)", f"(1 + {slip})"), tmp_path)
    assert code == (slip > 1e-9), printed


def test_a_script_counts_free_scalars_as_the_law_does(tmp_path: Path) -> None:
    frozen = Finding(Case(FrozenIsFrozen(), {"batch": ()}, 0), "parameter_count", {}, DOUBLE)
    code, printed = played(script(frozen), tmp_path)
    assert (code, printed.count("free scalars, found:    3\n")) == (0, 1), printed


def test_writing_a_script_leaves_torch_as_it_was() -> None:
    finding = Finding.of(refuted_by_its_law(SHOWN["state"]))
    before = torch.get_rng_state(), torch.get_default_dtype(), torch.get_num_threads(), set(sys.modules)
    script(finding)
    after = torch.get_rng_state(), torch.get_default_dtype(), torch.get_num_threads(), set(sys.modules)
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


LAYERS_FILE = """
import torch
from torch import nn


class Own(nn.Linear):
    def forward(self, x):
        return super().forward(x) + 1
"""
CLAIM_FILE = """
from torch import nn
from equivalence import Dim, Equivalence, Real
from own_layers import Own as Mine


def biased(size):
    return Mine(size, 1)


class OwnIsLinear(Equivalence):
    size: Dim
    x = Real("*batch size")

    def reference(self):
        return nn.Linear(self.size, 1)

    def candidate(self):
        return biased(self.size)
"""
COMPARED_FILE = """
from equivalence import Dim, Equivalence, Real
from properties.comparison import module_at

new = module_at(__file__, "own_layers.py")


class NewIsLinear(Equivalence):
    size: Dim
    x = Real("*batch size")

    def reference(self):
        return new.nn.Linear(self.size, 1)

    def candidate(self):
        return new.Own(self.size, 1)
"""


@pytest.mark.parametrize(
    ("content", "name", "imported"),
    [
        (CLAIM_FILE, "OwnIsLinear", "from own_layers import Own as Mine"),
        (COMPARED_FILE, "NewIsLinear", 'new = module_in("new", "own_layers.py")'),
    ],
)
def test_a_layer_of_a_file_is_imported_and_the_claim_beside_it_written_out(
    content: str, name: str, imported: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_layers.py").write_text(LAYERS_FILE)
    (tmp_path / "own_claims.py").write_text(content)
    monkeypatch.chdir(tmp_path)
    text = script(Finding.of(refuted(load_claim(f"own_claims.py:{name}"), "forward")))
    assert imported in text
    assert ours(text) == set()
    (tmp_path / "own_claims.py").unlink()
    (tmp_path / "shown.py").write_text(text)
    code, printed = in_a_process(["shown.py"], tmp_path)
    assert code == 1
    assert "AssertionError" in printed
    (tmp_path / "own_layers.py").write_text(LAYERS_FILE.replace("+ 1", ""))
    assert in_a_process(["shown.py"], tmp_path)[0] == 0


BASE_FILE = """
from torch import nn
from equivalence import Dim, Equivalence, Real


def linear(size):
    return nn.Linear(size, 1)


class Base(Equivalence):
    size: Dim
    x = Real("*batch size")

    def reference(self):
        return linear(self.size)
"""
DERIVED_FILE = """
from base_claims import Base, linear
from own_layers import Own


class Derived(Base):
    def candidate(self):
        return Own(self.size, linear(1).out_features)
"""


def test_the_module_of_a_base_claim_is_written_out_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_layers.py").write_text(LAYERS_FILE)
    (tmp_path / "base_claims.py").write_text(BASE_FILE)
    (tmp_path / "own_claims.py").write_text(DERIVED_FILE)
    monkeypatch.chdir(tmp_path)
    text = script(Finding.of(refuted(load_claim("own_claims.py:Derived"), "forward")))
    assert "import base_claims" not in text
    assert "from base_claims" not in text
    assert "def linear(size):" in text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x: int, y: str = 'ä', *z: int, k: int = 2) -> int: ...\n", "def f(x, y='ä', *z, k=2): ...\n"),
        ("def f(\n    x: dict[str, int],\n) -> '->':\n    pass\n", "def f(\n    x,\n):\n    pass\n"),
        ("def f():\n    y: int = x['->']\n    z: int\n", "def f():\n    y = x['->']\n    pass\n"),
        ("class C:\n    x: int = 1\n", "class C:\n    x: int = 1\n"),
        ("class C:\n    def f(self) -> None: ...\n", "class C:\n    def f(self): ...\n"),
        ("x: int = '# noqa'  # type: ignore[x]\n", "x = '# noqa'\n"),
        ("y = 1  # why\n", "y = 1  # why\n"),
    ],
)
def test_annotations_and_comments_for_tools_are_taken_away(source: str, expected: str) -> None:
    assert plain(source) == expected


HOSTILE = '"""); raise SystemExit("hostile") #\\\n'


def test_no_text_of_a_case_becomes_code(tmp_path: Path) -> None:
    mask = Mask(HOSTILE)
    claim = WhereMaskedIsMasked(out_features=1, in_features=len(HOSTILE), mask=mask, bias=False)
    finding = Finding(Case(claim, {"batch": ()}, 0), "state", {}, DOUBLE, HOSTILE, {HOSTILE: HOSTILE})
    code, printed = played(script(finding), tmp_path)
    assert code == 0, printed
    assert "hostile" not in printed


class NamesAnother(LessIsSmooth):
    def candidate(self) -> nn.Module:
        return LessIsSmooth.candidate(self)


def hidden() -> type[LessIsSmooth]:
    class Hidden(LessIsSmooth):
        pass

    return Hidden


@pytest.mark.parametrize(
    ("claim", "reason"),
    [(hidden(), "is no class of a module"), (NamesAnother, "name 'LessIsSmooth' too; call super")],
)
def test_a_claim_that_cannot_be_written_out_is_refused_in_one_line(
    claim: type[LessIsSmooth], reason: str
) -> None:
    case = Case(claim(features=1), {"batch": ()}, 0)
    with pytest.raises(ScriptError, match=reason) as error:
        script(Finding(case, "forward", {}, DOUBLE))
    assert "\n" not in str(error.value)
