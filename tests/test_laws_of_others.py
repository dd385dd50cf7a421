"""Laws that another distribution registers, found through its entry point, wherever laws are asked for."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from equivalence.variable import ClaimError
from properties.cases.sample import Sample
from properties.cli import main
from properties.laws import LAWS, all_laws
from properties.laws.registry import DISTRIBUTIONS, law
from properties.running.suites import chosen_laws

PAGE = '''
from properties import law
from properties.laws.comparing import with_its


def doubled(form, sample):
    return tuple(2 * y for y in form(sample.theta, sample.inputs))


@law(compared=with_its(doubled), kind="of another degree", otherwise="adds to its input")
def {name}(form, sample):
    """f(2 x) = 2 f(x), where there is no bias."""
    return form(sample.theta, tuple(2 * x for x in sample.inputs))
'''
"""A page of laws, as another package writes it."""

CLAIMS = '''
from torch import nn
from equivalence import Dim, Equivalence, Real
from properties import suite


class Unbiased(Equivalence):
    """Linear without a bias is Linear without a bias."""

    features: Dim
    bias = False
    x = Real("*batch features")

    def reference(self): return nn.Linear(self.features, 2, self.bias)
    def candidate(self): return nn.Linear(self.features, 2, self.bias)


class Biased(Unbiased):
    """A bias is not doubled, and that is declared."""

    bias = True
    breaks = {"homogeneous": "the bias is not doubled"}


TestUnbiased = suite(Unbiased, laws=["homogeneous"])
TestBiased = suite(Biased, laws=["homogeneous", "forward"])
'''


def install(folder: Path, distribution: str, module: str, content: str) -> None:
    """Write a distribution as an installer leaves it: its module, and the metadata that names it."""
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(content, encoding="utf-8")
    information = folder / f"{distribution.replace('-', '_')}-1.5.dist-info"
    information.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n"
    (information / "METADATA").write_text(metadata, encoding="utf-8")
    entry_point = f"[equivalence.laws]\nour-laws = {module}\n"
    (information / "entry_points.txt").write_text(entry_point, encoding="utf-8")


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python of its own, in a folder of its own, that finds what is installed in `folder`."""
    return subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )


PAGE_OF_CIRCUMSTANCES = '''
from properties import circumstance


@circumstance("inputs", "x doubled and halved", shown="values")
def doubled(use, call, *inputs):
    """f(2 x / 2)."""
    return call(*(2 * x / 2 for x in inputs))
'''


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def installed(site: Path) -> Path:
    install(site, "laws-of-scale", "laws_of_scale", PAGE.format(name="homogeneous"))
    (site.parent / "test_claims.py").write_text(CLAIMS, encoding="utf-8")
    (site.parent / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return site


def test_suite_tests_a_law_of_another_distribution_and_its_declared_break(installed: Path) -> None:
    done = command(installed, "-m", "pytest", "-p", "no:cacheprovider", "-rxp", "--color=no")
    assert "PASSED test_claims.py::TestUnbiased::test_homogeneous" in done.stdout
    assert "TestBiased::test_homogeneous - as declared: the bias is not doubled" in done.stdout
    assert "2 passed, 1 xfailed" in done.stdout


def test_verify_holds_claims_to_the_law_in_spawned_workers(installed: Path) -> None:
    claims = ("test_claims.py:Unbiased", "test_claims.py:Biased")
    done = command(installed, "-m", "properties", "verify", *claims, "--law", "homogeneous", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert "Biased is refuted by homogeneous, as declared (the bias is not doubled)" in done.stdout
    assert "hold 1, refuted as declared 1" in done.stdout


def test_the_law_says_in_its_own_words_in_what_a_claim_fails_it(installed: Path) -> None:
    claim = "test_claims.py:Biased"
    done = command(installed, "-m", "properties", "verify", claim, "--law", "homogeneous")
    assert done.returncode == 0, done.stderr
    assert "Biased: NOT the same function, as declared: adds to its input" in done.stdout
    assert "  kind           of another degree\n" in done.stdout


def test_a_circumstance_of_another_distribution_is_tried_listed_and_asked_for(site: Path) -> None:
    install(site, "ways-to-double", "ways_to_double", PAGE_OF_CIRCUMSTANCES)
    (site.parent / "test_claims.py").write_text(CLAIMS, encoding="utf-8")
    assert "doubled" in command(site, "-m", "properties", "list", "--circumstances").stdout
    asked = ("verify", "n-d-linear", "--law", "forward", "--in", "doubled", "--examples", "3")
    done = command(site, "-m", "properties", *asked)
    assert done.returncode == 0, done.stderr
    assert "used in 1 circumstance: inputs" in done.stdout


def test_a_script_shows_a_law_of_another_distribution_by_its_own_source(installed: Path) -> None:
    case = "test_claims.py:Biased(features=1,batch=,seed=0)"
    done = command(installed, "-m", "properties", "replay", case, "--law", "homogeneous", "--script")
    assert done.returncode == 0, done.stderr
    assert "def doubled(form, sample):" in done.stdout
    assert "equation = with_its(doubled)(homogeneous, sample, candidate)\n" in done.stdout
    assert "import laws_of_scale" not in done.stdout
    assert "from properties" not in done.stdout
    (installed.parent / "shown.py").write_text(done.stdout, encoding="utf-8")
    shown = command(installed, "shown.py")
    assert shown.stderr.endswith("AssertionError: output differs\n"), shown.stdout + shown.stderr


@pytest.fixture
def found(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Look for laws in the folder from this process too, and forget them afterwards."""
    tables: list[dict[str, Any]] = [LAWS, DISTRIBUTIONS, sys.modules]
    before = [set(table) for table in tables]
    monkeypatch.syspath_prepend(str(site))
    all_laws.cache_clear()
    yield site
    for table, names in zip(tables, before, strict=True):
        for name in table.keys() - names:
            del table[name]
    all_laws.cache_clear()


@pytest.mark.usefixtures("found")
def test_list_names_every_law_with_its_statement_and_where_it_is_not_ours(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = list(LAWS.items())
    assert installed.is_dir()
    assert main(["list", "--laws"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *(f"{name:<32} {one.statement}" for name, one in ours),
        f"{'homogeneous':<32} f(2 x) = 2 f(x), where there is no bias.",
        f"{'':<32} [laws_of_scale of laws-of-scale 1.5]",
    ]


@pytest.mark.usefixtures("found")
def test_a_law_that_was_imported_before_is_known_by_its_distribution_too(installed: Path) -> None:
    assert installed.is_dir()
    import_module("laws_of_scale")
    assert LAWS["homogeneous"].owner == "laws_of_scale"
    assert all_laws()["homogeneous"].owner == "laws_of_scale of laws-of-scale 1.5"


@pytest.mark.usefixtures("found")
def test_every_claim_is_held_to_every_law_that_is_found(installed: Path) -> None:
    assert installed.is_dir()
    assert [law.name for law in chosen_laws()] == [*LAWS]
    assert "homogeneous" in LAWS


OLD = '''
from properties import Equation, law


@law()
def both({parameters}):
    """f(x) = f(x)."""
    return Equation(0, 0)
'''
"""A law that states both sides itself, as laws once did."""

BARE = '''
@law
def bare(form, sample):
    """f(x) = f(x)."""
    return form(sample.theta, sample.inputs)
'''

BROKEN = {
    "raises": ("import a_package_that_nobody_has", "it raised ModuleNotFoundError: No module named"),
    "leaves": ("raise SystemExit(0)", "it raised SystemExit: 0"),
    "lines": ("raise ValueError('one\\ntwo')", "it raised ValueError: one two"),
    "empty": ("", "it registers none; write @law() above one"),
    "bare": (
        PAGE.format(name="bare").partition("@law")[0] + BARE,
        "write @law() with its parentheses",
    ),
    "silent": (
        "import properties\n@properties.law()\ndef silent(form, sample): ...",
        "'silent' of laws_of_x",
    ),
    "taken": (PAGE.format(name="forward"), "'forward' of laws_of_x is taken by properties.laws.function;"),
    "old": (OLD.format(parameters="claim, sample"), "'both' of laws_of_x takes (claim, sample); observe"),
    "late": (PAGE.format(name="first") + "raise ValueError('at the end')", "ValueError: at the end"),
}


@pytest.mark.parametrize(("content", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_entry_point_gets_one_clear_line_every_time(
    content: str, problem: str, found: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(found, "laws-of-x", "laws_of_x", content)
    laws = list(LAWS)
    for _ in range(2):
        assert main(["verify", "two-d-fc", "--law", "forward"]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "the group equivalence.laws" in error
        assert "'our-laws' (laws_of_x) of laws-of-x 1.5" in error
        assert problem in error
        assert list(LAWS) == laws
    assert main(["list"]) == 0


def test_two_distributions_with_one_name_are_both_named(
    found: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(found, "laws-of-scale", "laws_of_scale", PAGE.format(name="homogeneous"))
    install(found, "more-laws", "more_laws", PAGE.format(name="homogeneous"))
    assert main(["list", "--laws"]) == 2
    error = capsys.readouterr().err
    assert "'our-laws' (more_laws) of more-laws 1.5" in error
    assert "'homogeneous' of more_laws is taken by laws_of_scale of laws-of-scale 1.5" in error


def test_pytest_shows_a_broken_entry_point_in_one_paragraph(installed: Path) -> None:
    install(installed, "more-laws", "more_laws", "import a_package_that_nobody_has")
    done = command(installed, "-m", "pytest", "-p", "no:cacheprovider", "--color=no")
    assert done.returncode == 2
    assert "ClaimError: an entry point of the group equivalence.laws" in done.stdout
    assert "properties/" not in done.stdout
    assert "importlib" not in done.stdout


def test_a_law_that_states_both_sides_is_refused(installed: Path) -> None:
    (installed / "laws_of_scale.py").write_text(OLD.format(parameters="_, sample"), encoding="utf-8")
    done = command(installed, "-m", "properties", "verify", "two-d-fc", "--law", "both")
    assert done.returncode == 2
    assert "'both' of laws_of_scale returned an Equation; observe one form" in done.stderr + done.stdout


def named(_: object, __: Sample) -> int:
    """0 = 0."""
    return 0


def test_a_law_is_decided_in_one_of_five_ways() -> None:
    with pytest.raises(ClaimError, match=r"values, directly, statistics, reals, noise, but got 'by vote'"):
        law(decided="by vote")(named)  # type: ignore[arg-type]
    assert "named" not in LAWS
