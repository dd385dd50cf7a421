"""What a piece of source needs to run on its own: imports, and the definitions that cannot be imported."""

from __future__ import annotations

import builtins
import importlib
import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType

from properties.circumstances.registry import circumstance
from properties.laws.registry import law
from properties.replaying import standing
from properties.replaying.scripting.binding import Import, ScriptError, binding
from properties.replaying.scripting.source import (
    global_names,
    names_in_class_annotations,
    plain,
    without_decorators,
)

OURS = ("equivalence", "properties")
LAYERS = "equivalence.layers"
"""The catalogue's own layers stand in the place of the user's."""
LOADED_FROM_FILES = ("claims_in_", "forms_in_")
"""How the modules are called that were loaded from a file: no import finds them by that name."""
REGISTERS = (law, circumstance)
"""Decorators that leave a function as it is."""


@dataclass
class Closure:
    """Imports and definitions by name, each after those that it needs."""

    inlined: Collection[str]
    """The modules that are no layer's: those of the claim, whose definitions are written out."""
    given: Collection[str] = ()
    """Names that the script itself gives a meaning, wherever they are read."""
    packages: Collection[str] = ()
    """The packages of others whose modules are written out."""
    standing: Sequence[ModuleType] = (standing,)
    """The modules of what stands for ours, the first one before the others."""
    met: set[str] = field(default_factory=set)
    """Those of them that are read."""
    imports: dict[str, Import] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    _places: dict[str, str] = field(default_factory=dict)
    """Where each name was found."""

    def need(self, text: str, module: ModuleType, own: Collection[str] = ()) -> None:
        """Take up what a text of a module reads, but for its own names; ScriptError for what is nowhere."""
        unread = names_in_class_annotations(text) - global_names(text)
        for name in sorted((global_names(text) | unread) - set(own)):
            if name in self.given:
                self.met.add(name)
            elif name in vars(module):
                self._take(name, module)
            elif name not in vars(builtins) and name not in unread:
                message = (
                    f"{name!r} is read, but {module.__name__} has no such name; a script needs layers and "
                    "claims that stand in a module, not in a function"
                )
                raise ScriptError(message)

    @property
    def needs_future_annotations(self) -> bool:
        """Whether a class speaks of types that nothing here defines."""
        known = self.imports.keys() | self.definitions.keys() | vars(builtins).keys()
        return any(names_in_class_annotations(text) - known for text in self.definitions.values())

    def _take(self, name: str, module: ModuleType) -> None:
        module = self._standing(module, name)
        value = vars(module)[name]
        if isinstance(value, ModuleType) and value.__name__.startswith(LOADED_FROM_FILES):
            self._define_module(name, value)
            return
        found = binding(module, name)
        if isinstance(found, Import):
            self._take_import(found, module)
        elif self._is_new(name, f"{module.__name__}.{name}"):
            self._define(name, plain(without_decorators(found.text, partial(_registers, module))), module)

    def _take_import(self, found: Import, module: ModuleType) -> None:
        if not self._is_written_out(found.place):
            if self._is_new(found.name, found.text):
                self.imports[found.name] = found
            return
        if not found.attribute or isinstance(vars(module)[found.name], ModuleType):
            message = (
                f"{found.text}: a script holds no module of {found.place}; import what is used by its name"
            )
            raise ScriptError(message)
        source = importlib.import_module(found.place)
        self._take(found.attribute, source)
        if found.name != found.attribute and self._is_new(found.name, f"{found.place}.{found.attribute}"):
            self.definitions[found.name] = f"{found.name} = {found.attribute}\n"

    def _define(self, name: str, text: str, module: ModuleType) -> None:
        self.need(text, module, own={name})
        self.definitions[name] = text

    def _define_module(self, name: str, loaded: ModuleType) -> None:
        """Load a module from its file again, seen from here."""
        file = Path(os.path.relpath(str(loaded.__file__))).as_posix()
        if self._is_new(name, file):
            self._define(name, f"{name} = module_in({json.dumps(name)}, {json.dumps(file)})\n", standing)

    def _is_new(self, name: str, place: str) -> bool:
        """Whether a name is met for the first time; ScriptError where it has two meanings."""
        known = self._places.setdefault(name, place)
        if known != place:
            message = f"{name!r} is {known} in one module of the claim, and {place} in another; rename one"
            raise ScriptError(message)
        return name not in self.imports and name not in self.definitions

    def _standing(self, module: ModuleType, name: str) -> ModuleType:
        """Give the module whose definition a script takes: what stands for a name of ours comes before it."""
        if not module.__name__.startswith("properties."):
            return module
        defines = (one for one in self.standing if _defines(one, name))
        return next(defines, module)

    def _is_written_out(self, place: str) -> bool:
        if place in self.inlined or place.startswith(LOADED_FROM_FILES):
            return True
        if place.partition(".")[0] in self.packages:
            return True
        return place.partition(".")[0] in OURS and not (place + ".").startswith(LAYERS + ".")


def _defines(module: ModuleType, name: str) -> bool:
    return getattr(vars(module).get(name), "__module__", "") == module.__name__


def _registers(module: ModuleType, decorator: str) -> bool:
    """Whether a decorator of a function only registers it, for others to find."""
    value: object = module
    for part in decorator.split("."):
        value = getattr(value, part, None)
    return value in REGISTERS


def written_imports(imports: Iterable[Import]) -> Iterator[str]:
    """Write imports in the usual order: the standard library first, then the rest, sorted."""
    groups: tuple[list[Import], list[Import]] = ([], [])
    for one in imports:
        groups[one.place.partition(".")[0] not in sys.stdlib_module_names].append(one)
    yield from ("\n".join(_sorted(group)) + "\n" for group in groups if group)


def _sorted(group: Iterable[Import]) -> list[str]:
    whole = {one.text for one in group if not one.attribute}
    froms: dict[str, set[str]] = {}
    for one in group:
        if one.attribute:
            froms.setdefault(one.place, set()).add(one.text.partition(" import ")[2])
    return sorted(whole) + [
        f"from {place} import {', '.join(sorted(froms[place]))}" for place in sorted(froms)
    ]
