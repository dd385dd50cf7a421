"""How a name comes to stand in a module: by an import, by a definition, or by an assignment."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from properties.reading.claims import UsageError
from properties.replaying.scripting.source import lines_of


class ScriptError(UsageError):
    """What cannot be written as a standalone script: why, and the remedy."""


@dataclass(frozen=True)
class Import:
    """`from place import attribute as name`, or `import place as name` where there is no attribute."""

    place: str
    attribute: str
    name: str

    @property
    def text(self) -> str:
        """The statement that an import is written as."""
        known = self.attribute or self.place
        renamed = f" as {self.name}" if self.name not in (known, known.partition(".")[0]) else ""
        return f"from {self.place} import {known}{renamed}" if self.attribute else f"import {known}{renamed}"


@dataclass(frozen=True)
class Definition:
    """The lines of a class, a function or an assignment."""

    text: str


def binding(module: ModuleType, name: str) -> Import | Definition:
    """Find the statement of a module that binds a name last; ScriptError where there is none."""
    found = [one for one in _statements(tree_of(module).body) if name in _names(one)]
    if not found:
        message = (
            f"no statement of {module.__name__} binds {name!r} by itself, so that a script cannot repeat it; "
            "import or define it by its name"
        )
        raise ScriptError(message)
    node = found[-1]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return _import(module, node, name)
    return Definition(lines_of(source_of(module), node))


@cache
def source_of(module: ModuleType) -> str:
    """Give the source of a module; ScriptError where it has none."""
    try:
        return inspect.getsource(module)
    except (OSError, TypeError) as error:
        message = f"the source of {module.__name__} is not there ({error}); keep the claim in a file"
        raise ScriptError(message) from error


@cache
def tree_of(module: ModuleType) -> ast.Module:
    """Parse the source of a module; ScriptError where it has none."""
    return ast.parse(source_of(module))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Give the statements of a module, also those under a condition."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _statements([one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)])


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    return set()


def _import(module: ModuleType, node: ast.Import | ast.ImportFrom, name: str) -> Import:
    alias = next(one for one in node.names if name in (one.asname, one.name, one.name.partition(".")[0]))
    if isinstance(node, ast.Import):
        return Import(alias.name, "", name)
    relative = "." * node.level + (node.module or "")
    place = importlib.util.resolve_name(relative, module.__package__) if node.level else relative
    return Import(place, alias.name, name)
