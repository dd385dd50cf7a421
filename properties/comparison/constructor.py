"""The two constructors: where they come from, what they take, and what the claim passes to each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from properties.comparison.expression import Expression
from properties.comparison.modules import import_form_module
from properties.comparison.problem import GET_INPUTS
from properties.comparison.words import Argument
from properties.reading.claims import UsageError

OF_FILES = {"old": ("Model",), "new": ("ModelNew", "Model")}
"""Side -> what the class of a problem, or of its answer, is called."""
BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Constructor:
    """A class or function of the user's that returns a module, as the command line names it."""

    side: str
    place: str
    """A file, or a module's name."""
    name: str
    module: ModuleType

    @property
    def call(self) -> Callable[..., Any]:
        """The class or function itself."""
        called: Callable[..., Any] = getattr(self.module, self.name)
        return called

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """What it takes by name and otherwise; ValueError where Python cannot tell."""
        return inspect.signature(self.call).parameters

    def __str__(self) -> str:
        """Write it with its arguments, without their types."""
        bare = [one.replace(annotation=inspect.Parameter.empty) for one in self.parameters.values()]
        return f"{self.side}  {self.place}:{self.name}{inspect.Signature(bare)}"

    def takes(self, name: str) -> bool:
        """Whether the name is one of its own arguments."""
        return name in self.parameters and self.parameters[name].kind in BY_NAME

    @property
    def takes_any(self) -> bool:
        """Whether it takes names that it does not list (**options)."""
        return any(one.kind is inspect.Parameter.VAR_KEYWORD for one in self.parameters.values())

    def required(self) -> list[str]:
        """Name the arguments without a default."""
        starred = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        return [
            name
            for name, one in self.parameters.items()
            if one.default is inspect.Parameter.empty and one.kind not in starred
        ]


def find_form(side: str, word: str) -> Constructor:
    """Find file.py:Name or module:Name, or the class of a problem's or answer's file.py; UsageError."""
    if ":" in word or not word.endswith(".py"):
        return find_constructor(side, word)
    names = OF_FILES[side]
    module = import_form_module(word)
    own = next((name for name in names if hasattr(module, name)), None)
    if own is None or (side == "old" and not hasattr(module, GET_INPUTS)):
        needs = f"Model and {GET_INPUTS}()" if side == "old" else " or ".join(names)
        message = f"{side} is file.py:Name, or a file with {needs}, but {word} has none; name a class of it"
        raise UsageError(message)
    return find_constructor(side, f"{word}:{own}")


def find_constructor(side: str, word: str) -> Constructor:
    """Find file.py:Name or module:Name; UsageError where it is not there, or cannot be called by name."""
    place, _, name = word.rpartition(":")
    if not place or not name.isidentifier():
        message = f"{side} is file.py:Name or module:Name, as in torch.nn:Linear, but got {word!r}"
        raise UsageError(message)
    module = import_form_module(place)
    if not callable(getattr(module, name, None)):
        own = [key for key, value in vars(module).items() if _is_own(module, value)]
        message = f"{place} has no class or function {name!r}; it has {', '.join(own) or 'none'}"
        raise UsageError(message)
    constructor = Constructor(side, place, name, module)
    try:
        constructor.required()
    except (ValueError, TypeError) as error:
        message = f"{word} does not say what arguments it takes ({error}); wrap it in a function that does"
        raise UsageError(message) from error
    return constructor


def passed(
    pair: Sequence[Constructor], arguments: Sequence[Argument], given: Mapping[str, Expression]
) -> dict[str, dict[str, str]]:
    """Say what each side gets, by argument: {"old": {"bias": "self.bias"}}; UsageError where it does not fit.

    A name of --fields goes to each constructor that it is meant for, under this very name, unless --pass
    (`given`: old.argument -> expression) uses it for another argument of that side.
    """
    problems: list[str] = []
    result = {}
    for constructor in pair:
        own = {
            name.partition(".")[2]: expression
            for name, expression in given.items()
            if name.partition(".")[0] == constructor.side
        }
        result[constructor.side] = _passed(constructor, arguments, own)
        problems += _problems(constructor, result[constructor.side])
    if problems:
        raise UsageError("\n".join(["; ".join(problems), *(f"  {constructor}" for constructor in pair)]))
    return result


def _passed(
    constructor: Constructor, arguments: Sequence[Argument], own: Mapping[str, Expression]
) -> dict[str, str]:
    used = {name for expression in own.values() for name in expression.fields}
    by_name = {
        one.name: one.source
        for one in arguments
        if constructor.side in one.sides
        and one.name not in own
        and (constructor.takes(one.name) or one.name not in used)
    }
    given = by_name | {name: expression.source for name, expression in own.items()}
    order = [*constructor.parameters, *given]
    return dict(sorted(given.items(), key=lambda pair: order.index(pair[0])))


def _problems(constructor: Constructor, given: Mapping[str, str]) -> list[str]:
    """Say which names the constructor does not take or does not get, and what to pass."""
    side = constructor.side
    other = "new" if side == "old" else "old"
    unknown = [name for name in given if not constructor.takes(name) and not constructor.takes_any]
    missing = [name for name in constructor.required() if name not in given]
    remedies = [
        *(f"--pass {side}.{name}=... says what it gets" for name in missing[:1]),
        *(f"--fields {other}.{name} is for {other} alone" for name in unknown[:1]),
    ]
    if not remedies:
        return []
    takes = f" takes no {', '.join(unknown)} by name" if unknown else ""
    needs = f" needs {', '.join(missing)}" if missing else ""
    return [f"{side}{' and'.join(filter(None, [takes, needs]))}: {', '.join(remedies)}"]


def _is_own(module: ModuleType, value: object) -> bool:
    return callable(value) and getattr(value, "__module__", None) == module.__name__
