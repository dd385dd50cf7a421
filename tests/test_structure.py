"""The arrows between the folders point one way, and the plugin stays light."""

import ast
import subprocess
import sys
from collections.abc import Collection, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

import pytest

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence

ROOT = Path(__file__).parent.parent
LAYERS = {
    "equivalence.variable": 0,
    "equivalence.distribution": 0,
    "equivalence.claim": 1,
    "equivalence.layers": 1,
    "equivalence.claims": 2,
    "equivalence.catalogue": 3,
    "properties.profiles": 3,
    "properties.case": 4,
    "properties.regime": 4,
    "properties.form": 4,
    "properties.bounds": 4,
    "properties.definition": 4,
    "properties.operations": 4,
    "properties.precision": 4,
    "properties.statistics": 4,
    "properties.report": 4,
    "properties.sample": 5,
    "properties.exact": 5,
    "properties.agreement": 5,
    "properties.domain": 6,
    "properties.laws": 6,
    "properties.strategies": 7,
    "properties.judge": 7,
    "properties.coverage": 7,
    "properties.rounding": 8,
    "properties.minimise": 8,
    "properties.wiring": 8,
    "properties.reporting": 8,
    "properties.counterexample": 9,
    "properties.failure": 9,
    "properties.cell": 9,
    "properties.recording": 10,
    "properties.declarations": 10,
    "properties.suites": 10,
    "properties.loading": 10,
    "properties.reading": 10,
    "properties.fitting": 11,
    "properties.scripts": 10,
    "properties.scripting": 11,
    "properties.replay": 11,
    "properties.idx": 10,
    "properties.request": 11,
    "properties.comparison": 11,
    "properties.verify": 12,
    "properties.table": 13,
    "properties.commands": 14,
    "properties.cli": 15,
    "properties.__main__": 16,
    "properties.pytest_records": 14,
    "properties.pytest_replay": 14,
    "properties.plugin": 15,
}
"""A file imports from its own height or from below."""
BASES = ("TextbookInitialiser", "MatrixInitialiser")
"""What claims of the catalogue derive from, and what states nothing by itself."""


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("equivalence", "properties"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if name not in ("equivalence", "properties"):
                yield name, path


def height(name: str) -> int:
    return next(
        value for prefix, value in reversed(LAYERS.items()) if name == prefix or name.startswith(prefix + ".")
    )


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def known(name: str) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in LAYERS)


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_arrows_point_down(name: str, path: Path) -> None:
    assert known(name), f"{name} has no height: say in LAYERS where it stands"
    upwards = [target for target in imports(path) if known(target) and height(target) > height(name)]
    assert not upwards, f"{name} imports {upwards} from above"


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_each_package_needs_only_what_it_may(name: str, path: Path) -> None:
    roots = {target.split(".")[0] for target in imports(path)}
    if name.startswith("equivalence"):
        assert not roots & {"hypothesis", "pytest", "properties"}
    if name.startswith("equivalence.layers"):
        assert not any(target.startswith("equivalence.claim") for target in imports(path))
    if name != "properties.strategies":
        assert "hypothesis.strategies" not in set(imports(path)), "only strategies.py knows the strategies"


def test_the_plugin_does_not_wait_for_torch() -> None:
    code = "import properties.plugin, sys; sys.exit('torch' in sys.modules or 'hypothesis' in sys.modules)"
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
