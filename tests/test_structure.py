"""The arrows between the folders point one way, and the plugin stays light."""

import ast
import subprocess
import sys
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

import pytest

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence

ROOT = Path(__file__).parent.parent
HEIGHTS = {
    "equivalence.variable": 0,
    "equivalence.distribution": 0,
    "equivalence.counts": 0,
    "equivalence.matrix_distribution": 1,
    "equivalence.claim": 1,
    "equivalence.layers": 1,
    "equivalence.claims": 2,
    "equivalence.catalogue": 3,
    "properties.dtypes": 3,
    "properties.ways": 3,
    "properties.operations": 3,
    "properties.report": 4,
    "properties.oracle": 4,
    "properties.needs": 3,
    "properties.circumstances": 4,
    "properties.cases": 5,
    "properties.cost": 5,
    "properties.laws": 6,
    "properties.judging": 7,
    "properties.refutation": 8,
    "properties.reading": 9,
    "properties.running": 10,
    "properties.benchmarking": 11,
    "properties.comparison": 11,
    "properties.experiments": 11,
    "properties.replaying": 11,
    "properties.testing": 12,
    "properties.commands": 12,
    "properties.cli": 13,
    "properties.__main__": 14,
}
"""A file imports from its own folder or from below; folders of one height know nothing of each other."""
BASES = ("TextbookInitialiser", "MatrixInitialiser")
"""What claims of the catalogue derive from, and what states nothing by itself."""


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("equivalence", "properties"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if name not in ("equivalence", "properties"):
                yield name, path


def place(name: str) -> str | None:
    return next((prefix for prefix in HEIGHTS if name == prefix or name.startswith(prefix + ".")), None)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def misplaced(name: str, path: Path) -> list[str]:
    """Name what a file imports from above its folder, or from beside it."""
    home = place(name)
    assert home, f"{name} has no height: say in HEIGHTS where it stands"
    places = {target: place(target) for target in imports(path)}
    return [
        target
        for target, other in places.items()
        if other and other != home and HEIGHTS[other] >= HEIGHTS[home]
    ]


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_arrows_point_down(name: str, path: Path) -> None:
    assert misplaced(name, path) == [], f"{name} imports from above or from beside its folder"


def test_an_arrow_that_points_up_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(
        "from properties.running import cell\nfrom properties.cases.case import Case\n", encoding="utf-8"
    )
    assert misplaced("properties.laws.wrong", path) == ["properties.running", "properties.running.cell"]


def test_no_file_waits_for_itself() -> None:
    names = {name for name, _ in modules()}
    TopologicalSorter(
        {name: names.intersection(imports(path)) - {name} for name, path in modules()}
    ).prepare()


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_each_package_needs_only_what_it_may(name: str, path: Path) -> None:
    roots = {target.split(".")[0] for target in imports(path)}
    if name.startswith("equivalence"):
        assert not roots & {"hypothesis", "pytest", "properties"}
    if name.startswith("equivalence.layers"):
        assert not any(target.startswith("equivalence.claim") for target in imports(path))
    if name != "properties.cases.strategies":
        assert "hypothesis.strategies" not in set(imports(path)), "only strategies.py knows the strategies"


def test_the_plugin_does_not_wait_for_torch() -> None:
    heavy = "{'torch', 'hypothesis'}"
    code = f"import properties.testing.plugin, sys; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0  # noqa: S603


def uncatalogued(module: ModuleType, catalogue: Collection[type[Equivalence]]) -> list[str]:
    """Name the claims that a module defines and no table holds; a base is there to be derived from."""
    claims = [
        value for value in vars(module).values() if is_claim(value) and value.__module__ == module.__name__
    ]
    return [claim.__name__ for claim in claims if claim not in catalogue and claim.__name__ not in BASES]


def is_claim(value: object) -> TypeGuard[type[Equivalence]]:
    return isinstance(value, type) and issubclass(value, Equivalence)


@pytest.mark.parametrize("name", [name for name, _ in modules() if name.startswith("equivalence.claims.")])
def test_every_claim_is_in_the_catalogue(name: str) -> None:
    assert uncatalogued(import_module(name), CATALOGUE.values()) == []


@pytest.mark.parametrize("forgotten", CATALOGUE.values())
def test_a_claim_that_the_catalogue_forgets_is_named(forgotten: type[Equivalence]) -> None:
    others = [claim for claim in CATALOGUE.values() if claim is not forgotten]
    assert uncatalogued(import_module(forgotten.__module__), others) == [forgotten.__name__]


@pytest.mark.parametrize("base", BASES)
def test_a_base_is_no_claim_of_its_own_and_is_derived_from(base: str) -> None:
    assert base not in {claim.__name__ for claim in CATALOGUE.values()}
    assert any(base in {one.__name__ for one in claim.__mro__[1:]} for claim in CATALOGUE.values())


def test_the_catalogue_names_no_claim_twice() -> None:
    assert len(set(CATALOGUE.values())) == len(CATALOGUE)
