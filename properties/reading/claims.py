"""The names of the command line: claims, fields and axes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from equivalence.variable import ClaimError
from properties.cases.domain import Domain
from properties.cases.fields import read_size
from properties.cases.values import LOOKS
from properties.circumstances.registry import read
from properties.laws import all_laws
from properties.reading.modules import module_in

SEED_BOUND = 2**32
FILE_PREFIX = "claims_in_"
"""Begins the name of a module that was loaded from a file."""


class UsageError(Exception):
    """A command line that names something that is not there: one clear line, with the remedy."""


def load_claim(name: str) -> type[Equivalence]:
    """Find a claim by its catalogue name, module:Class or file.py:Class; UsageError if there is none."""
    # A claim may name circumstances that another distribution brings.
    all_laws()
    if name in CATALOGUE:
        return CATALOGUE[name]
    place, separator, attribute = name.rpartition(":")
    if not separator:
        near = get_close_matches(name, CATALOGUE, 1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        message = f"no claim is called {name!r}: give a listed name, module:Class or file.py:Class{hint}"
        raise UsageError(message)
    module = load_module(place, _claims_in)
    claim = getattr(module, attribute, None)
    if not _is_claim(claim):
        known = [key for key, value in vars(module).items() if _is_claim(value) and value is not Equivalence]
        message = f"{place} has no claim {attribute!r}; its claims are {', '.join(known) or 'none'}"
        raise UsageError(message)
    return cast("type[Equivalence]", claim)


def parse_pins(claim: type[Equivalence], text: str) -> dict[str, Any]:
    """Read 'height=28,batch=32x3,bias=false,mask=10/01,seed=3'; UsageError for a value that is none."""
    pins: dict[str, Any] = {}
    domain = Domain(claim)
    for part in filter(None, map(str.strip, text.split(","))):
        name, separator, value = part.partition("=")
        if not separator:
            message = f"--at takes name=value pairs, but got {part!r}"
            raise UsageError(message)
        if name in pins:
            message = f"--at gives each name once, but gives {name!r} again; leave one of them out"
            raise UsageError(message)
        pins[name] = read_value(domain, name, value)
    return pins


def load_module(place: str, load_file: Callable[[str], ModuleType]) -> ModuleType:
    """Load file.py, or import a module by name; UsageError with the error that it raised."""
    try:
        if place.endswith(".py"):
            return load_file(place)
        if str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
        return importlib.import_module(place)
    except (Exception, SystemExit) as error:
        message = f"{place} cannot be imported: {type(error).__name__}: {error}"
        raise UsageError(message) from error


def _claims_in(place: str) -> ModuleType:
    return module_in(Path(place), FILE_PREFIX)


def read_value(domain: Domain, name: str, value: str) -> Any:
    """Read one field, axis or the seed from a word; UsageError for a value that is none."""
    kind = domain.fields.get(name)
    try:
        if kind is not None:
            return kind.read(value)
        if name == "values":
            return _look(value)
        if name == "under":
            return _circumstances(value)
        return _axis(value, starred=domain.axes[name]) if name in domain.axes else _seed(value)
    except ValueError as error:
        message = f"--at {name}={value}: {error}"
        raise UsageError(message) from error


def _axis(value: str, *, starred: bool) -> tuple[int, ...]:
    words = value.split("x") if value else []
    if not all(word.isdigit() for word in words):
        message = "is no list of sizes; write 32x3, or nothing for no axis"
        raise ValueError(message)
    if not starred and len(words) != 1:
        message = "is one axis; write one size"
        raise ValueError(message)
    return tuple(map(read_size, words))


def _circumstances(value: str) -> tuple[str, ...]:
    try:
        return read(value)
    except ClaimError as error:
        raise ValueError(str(error)) from None


def _look(value: str) -> str:
    if value not in LOOKS:
        message = f"is no look of values; write one of {', '.join(LOOKS)}"
        raise ValueError(message)
    return value


def _seed(value: str) -> int:
    seed = int(value)
    if not 0 <= seed < SEED_BOUND:
        message = f"is no seed: 0 to {SEED_BOUND - 1}"
        raise ValueError(message)
    return seed


def _is_claim(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Equivalence)
