"""How a claim is written: its fields and axes, read from its class and held against the rules."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from equivalence.claim import Equivalence
from equivalence.variable import ClaimError, Variable
from properties.cases.fields import WRITTEN, Field, MaskField, SizeField, field_of

RESERVED = ("seed", "values", "under")


@contextmanager
def located(claim: type[Equivalence]) -> Iterator[None]:
    """Give every ClaimError raised inside the place of the claim's class, unless it has one."""
    try:
        yield
    except ClaimError as error:
        error.place = error.place or place_of(claim)
        raise


def place_of(claim: type[Equivalence]) -> str:
    """Return path:line of a class, the path from the working directory; its module where no source is."""
    try:
        path = Path(inspect.getfile(claim))
        line = inspect.getsourcelines(claim)[1]
    except (OSError, TypeError):
        return str(getattr(claim, "__module__", ""))
    within = path.is_relative_to(Path.cwd())
    return f"{path.relative_to(Path.cwd()) if within else path}:{line}"


def fields_of(claim: type[Equivalence]) -> dict[str, Field]:
    """Give the fields of a claim, and what each is drawn from; ClaimError where it is no claim."""
    _check_class(claim)
    kinds = {name: _kind(claim, name, hint) for name, hint in _hints(claim).items()}
    sizes = sizes_of(kinds)
    _check_single(claim, kinds)
    if taken := [name for name in kinds if name in RESERVED]:
        raise ClaimError(
            f"{claim.__name__}: every case has a seed, a look and circumstances, and no field is called "
            f"{' or '.join(RESERVED)}, but {taken[0]!r} is one; rename it"
        )
    for name, kind in kinds.items():
        if isinstance(kind, MaskField) and (len(kind.over) != 2 or not {*kind.over} <= {*sizes}):  # noqa: PLR2004
            raise ClaimError(
                f"{claim.__name__}: a mask is over two size fields, but {name!r} is over "
                f"{kind.stated.axes!r}; the size fields are {sizes}"
            )
    return kinds


def field_values(claim: Equivalence) -> Iterator[tuple[str, Field, Any]]:
    """Give the fields of a configuration: name, kind and value."""
    for name, kind in _known(type(claim)).items():  # type: ignore[arg-type]
        yield name, kind, getattr(claim, name)


_known = cache(fields_of)
"""Of claims that were read before: a run asks in every case."""


def free_axes(claim: type[Equivalence], kinds: Mapping[str, Field]) -> dict[str, bool]:
    """Name the free axes of all inputs; True where the name stands for any number of them."""
    free: dict[str, bool] = {}
    for variable in claim.inputs().values():
        _check_bound(claim, variable, kinds)
        for axis in variable.axes.split():
            _check_axis(claim, axis, kinds)
            name = axis.removeprefix("*")
            if name not in kinds and not name.isdigit() and not is_derived(claim, name):
                free[name] = axis.startswith("*")
    return free


def derived_sizes(claim: type[Equivalence]) -> list[str]:
    """Name the axes and bounds of indices that follow from the fields, in the order in which they come."""
    variables = claim.inputs().values()
    axes = [axis for variable in variables for axis in variable.axes.split()]
    bounds = [bound for variable in variables for bound in variable.bounds]
    return [name for name in dict.fromkeys((*axes, *bounds)) if is_derived(claim, name)]


def is_derived(claim: type[Equivalence], name: str) -> bool:
    """Whether a name stands for a property of the claim, or for a number that it gives for all cases."""
    if name in {field.name for field in fields(claim)}:  # type: ignore[arg-type]
        return False
    found = inspect.getattr_static(claim, name, None)
    return isinstance(found, property | int | np.integer) and not isinstance(found, bool)


def sizes_of(kinds: Mapping[str, Field]) -> list[str]:
    """Name the fields that are sizes."""
    return [name for name, kind in kinds.items() if isinstance(kind, SizeField)]


def _check_bound(claim: type[Equivalence], variable: Variable, kinds: Mapping[str, Field]) -> None:
    for bound in variable.bounds:
        if not is_derived(claim, bound) and bound not in sizes_of(kinds):
            raise ClaimError(
                f"{claim.__name__}: {type(variable).__name__} is below a size field or a property, but "
                f"below={bound!r} is none"
            )


def _check_axis(claim: type[Equivalence], axis: str, kinds: Mapping[str, Field]) -> None:
    sizes = sizes_of(kinds)
    problem = _axis_problem(claim, axis, kinds)
    if problem:
        message = (
            f"{claim.__name__}: an axis is named by a size field, by a property that gives its size, by a "
            f"number, or by a free name of its own (*name for any number of axes), but {axis!r} {problem}; "
            f"the size fields are {sizes}"
        )
        raise ClaimError(message)


def _axis_problem(claim: type[Equivalence], axis: str, kinds: Mapping[str, Field]) -> str:
    sizes = sizes_of(kinds)
    name = axis.removeprefix("*")
    if axis.isdigit():
        return ""
    if not name.isidentifier():
        return "is no name"
    if name in kinds:
        return "" if axis in sizes else "is a field that is no size, or a starred one"
    if is_derived(claim, name):
        return "" if axis == name else "is one size, and starred"
    if hasattr(claim, name) and not hasattr(Equivalence, name) and name not in claim.inputs():
        return f"is a {type(getattr(claim, name)).__name__} of the claim and no size: make it a property"
    near = get_close_matches(name, [*sizes, *_properties(claim)], 1, cutoff=0.75)
    return f"is no field and nearly {near[0]!r}" if near else ""


def _properties(claim: type[Equivalence]) -> list[str]:
    return [name for name, _ in inspect.getmembers_static(claim, lambda found: isinstance(found, property))]


def _check_single(claim: type[Equivalence], kinds: Mapping[str, Field]) -> None:
    for name in kinds:
        if isinstance(inspect.getattr_static(claim, name, None), property):
            message = (
                f"{claim.__name__}: a name is a field or a property, but {name!r} is both, one of them "
                "inherited; rename one"
            )
            raise ClaimError(message)


def _check_class(claim: type[Equivalence]) -> None:
    if not (isinstance(claim, type) and issubclass(claim, Equivalence)):
        message = f"a claim is a subclass of equivalence.Equivalence, but got {claim!r}"
        raise ClaimError(message)
    for method in ("reference", "candidate"):
        if getattr(claim, method) is getattr(Equivalence, method):
            message = (
                f"{claim.__name__}: a claim has a reference and a candidate, but {method} is missing; "
                f"define `def {method}(self): return <the module>`"
            )
            raise ClaimError(message)
    if not claim.inputs():
        message = (
            f'{claim.__name__}: a claim has an input, but none is there; add x = Real("*batch features")'
        )
        raise ClaimError(message)


def _hints(claim: type[Equivalence]) -> dict[str, Any]:
    try:
        hints = get_type_hints(claim, include_extras=True)
    except NameError as error:
        message = (
            f"{claim.__name__}: annotations are names that its module knows, but {error}; import it there"
        )
        raise ClaimError(message) from error
    return {field.name: hints[field.name] for field in fields(claim)}  # type: ignore[arg-type]


def _kind(claim: type[Equivalence], name: str, hint: Any) -> Field:
    if (kind := field_of(hint)) is not None:
        return kind
    raise ClaimError(f"{claim.__name__}: a field is {WRITTEN}, but {name!r} is {hint!r}")
