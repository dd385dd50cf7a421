"""The words of `equivalence compare`: fields, inputs, pairs name=value."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from equivalence.claim import Equivalence
from equivalence.variable import Between, ClaimError
from properties.reading.claims import UsageError


@dataclass(frozen=True)
class InputWord:
    """How the command line says one kind of input."""

    option: str
    letters: str
    """What inputs without a name are called, in this order."""
    says: str
    relation: str = ""
    """What its entries are to the size that follows the axes; empty where none does."""


INPUTS = {
    "Real": InputWord(
        "--input", "xyz", 'the axes of a real input: "*batch in_features" or "x=*batch in_features"'
    ),
    "Index": InputWord(
        "--index",
        "ijk",
        'an input of integers below a size: "*batch<classes" or "i=*batch<classes"',
        relation="<",
    ),
    "Lengths": InputWord(
        "--lengths",
        "lmn",
        'an input of integers from 1 to a size: "*batch<=steps" or "n=*batch<=steps"',
        relation="<=",
    ),
    "Bool": InputWord(
        "--bool", "bcd", 'the axes of an input of True and False: "*batch places" or "keep=*batch places"'
    ),
}
"""Class of a variable -> how it is said."""
SIDES = ("old", "new")
SIZE = "Annotated[int, AtLeast({})]"
"""The annotation of a size from a least one on."""
TAKEN = {
    *(*SIDES, "theta", "torch", "int", "bool", "suite", "problem", "module_at", "problem_at"),
    *("Annotated", "AtLeast", "Between", "Equivalence", "Literal", *INPUTS),
}
"""Names that the written claim uses itself."""


@dataclass(frozen=True)
class Argument:
    """One word of --fields: what the constructors get under this name, a field's value or a fixed one."""

    name: str
    sides: tuple[str, ...]
    source: str
    """What is passed, as Python text: self.features, 4, "sum"."""
    annotation: str = ""
    """The field's annotation; empty for a fixed value, which is no field."""


@dataclass(frozen=True)
class Input:
    """One input of both forms: Real("*batch features"), Bool("*batch places"), Index("*batch", "classes")."""

    name: str
    kind: str
    axes: str
    bound: str = ""


def read_fields(text: str) -> tuple[Argument, ...]:
    """Read 'in_features,out_features=1:16,bias=bool,old.mode=loop'; UsageError for a word that is none."""
    arguments = tuple(_argument(word.strip()) for word in text.split(",") if word.strip())
    for place, one in enumerate(arguments):
        for other in arguments[:place]:
            shared = set(one.sides) & set(other.sides)
            if one.name == other.name and (shared or one.annotation or other.annotation):
                message = f"--fields gives a name once, but {one.name!r} stands there twice"
                raise UsageError(message)
    return arguments


def read_inputs(words: Sequence[tuple[str, str]], arguments: Sequence[Argument]) -> tuple[Input, ...]:
    """Read ('Real', 'x=*batch features'), ('Index', 'i=*batch<classes'), in the order of the inputs."""
    inputs: list[Input] = []
    for kind, text in words:
        before, equals, after = text.partition("=")
        # That of <= follows no name.
        name, axes = (before, after) if equals and not before.endswith("<") else ("", text)
        taken = {*(one.name for one in inputs), *(one.name for one in arguments)}
        chosen = name.strip() or next((letter for letter in INPUTS[kind].letters if letter not in taken), "")
        if not chosen or chosen in taken:
            message = f"every input has a name of its own, but {text!r} has none left: write name=axes"
            raise UsageError(message)
        inputs.append(_input(_checked_name(chosen), kind, axes, arguments))
    if not inputs:
        message = 'a layer has an input: say its axes, as in --input "*batch in_features"'
        raise UsageError(message)
    return tuple(inputs)


def read_pairs(option: str, words: Sequence[str]) -> dict[str, str]:
    """Read the name=value words of an option; UsageError for one without a value, or a name given twice."""
    pairs: dict[str, str] = {}
    for word in words:
        name, _, value = (part.strip() for part in word.partition("="))
        if not name or not value:
            message = f"{option} takes name=value, but got {word!r}"
            raise UsageError(message)
        if name in pairs:
            message = f"{option} gives a name once, but {name!r} stands there twice"
            raise UsageError(message)
        pairs[name] = value
    return pairs


def values_by_name(arguments: Sequence[Argument]) -> Mapping[str, str]:
    """Give what each name stands for in expressions and axes; one that differs by side stands for nothing."""
    sources: dict[str, set[str]] = {}
    for one in arguments:
        sources.setdefault(one.name, set()).add(one.source)
    return {name: next(iter(found)) for name, found in sources.items() if len(found) == 1}


def quoted(text: str) -> str:
    """Write a text as a Python literal, in double quotes where it has none itself."""
    written = repr(text)
    return written if "'" in text or '"' in text else f'"{written[1:-1]}"'


def _argument(word: str) -> Argument:
    name, separator, value = (part.strip() for part in word.partition("="))
    side, dot, own = name.rpartition(".")
    if dot and side not in SIDES:
        message = f"--fields takes name, old.name or new.name, but got {name!r}"
        raise UsageError(message)
    if separator and not value:
        message = f"--fields: {word!r} has no value; {name} alone is any size from 1 on"
        raise UsageError(message)
    annotation = _annotation(word, value)
    own = _checked_name(own) if annotation else _identifier(own)
    source = f"self.{own}" if annotation else _literal(value)
    return Argument(own, (side,) if dot else SIDES, source, annotation)


def _annotation(word: str, value: str) -> str:
    """Give the annotation of a field; empty for a fixed value."""
    if not value:
        return SIZE.format(1)
    if value == "bool":
        return "bool"
    if bounds := re.fullmatch(r"(\d{1,9}):(\d{0,9})", value):
        return f"Annotated[int, {_bounds(word, *bounds.groups())}]"
    if "|" in value:
        choices = [_literal(choice.strip()) for choice in value.split("|")]
        if {*choices} == {"True", "False"}:
            return "bool"
        if not all(re.fullmatch(r'"[^"]+"|-?\d+|True|False|None', choice) for choice in choices):
            message = f"--fields: {word!r} is a choice of words and whole numbers only"
            raise UsageError(message)
        return f"Literal[{', '.join(dict.fromkeys(choices))}]"
    return ""


def _bounds(word: str, low: str, high: str) -> str:
    if not high:
        return f"AtLeast({int(low)})"
    try:
        bounds = Between(int(low), int(high))
    except ClaimError as error:
        message = f"--fields: {word!r} is an empty range, low:high"
        raise UsageError(message) from error
    return f"Between({bounds.low}, {bounds.high})"


def _literal(word: str) -> str:
    """Write a word of the command line as Python: a number, True, False, None, or a text."""
    if re.fullmatch(r"-?\d{1,18}", word):
        return str(int(word))
    if re.fullmatch(r"-?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?", word) and math.isfinite(float(word)):
        return repr(float(word))
    if word.lower() in {"true", "false"}:
        return word.capitalize()
    return word if word == "None" else quoted(word)


def _input(name: str, kind: str, text: str, arguments: Sequence[Argument]) -> Input:
    word = INPUTS[kind]
    axes, _, size = (part.strip() for part in text.partition(word.relation or "<"))
    axes = " ".join(_axis(axis, arguments) for axis in axes.split())
    if not word.relation:
        if size:
            message = f"{word.option} takes axes, but got {text!r}: indices below a size are an --index"
            raise UsageError(message)
        return Input(name, kind, axes)
    sizes = [one.name for one in arguments if one.annotation.startswith("Annotated")]
    if size not in sizes:
        message = (
            f"{word.option} takes axes{word.relation}size, where size is a field of --fields, as in "
            f'"{word.letters[0]}=*batch{word.relation}classes", but got {text!r}; the sizes are '
            f"{', '.join(sizes) or 'none'} (name=4:4 makes a field of a fixed size)"
        )
        raise UsageError(message)
    return Input(name, kind, axes, size)


def _axis(axis: str, arguments: Sequence[Argument]) -> str:
    """Give an axis as the claim names it: a fixed size by its number."""
    values = {one.source for one in arguments if one.name == axis and not one.annotation}
    if not values:
        return axis
    if len(values) > 1 or not next(iter(values)).isdigit():
        message = f"an axis has one size, but --fields fixes {axis!r} at {' and '.join(sorted(values))}"
        raise UsageError(message)
    return next(iter(values))


def _checked_name(name: str) -> str:
    """Give the name of a field or an input, an attribute of the claim; UsageError if it cannot be one."""
    if hasattr(Equivalence, name) or name in TAKEN:
        message = (
            f"{name!r} already means something in a claim: call the field or input otherwise, and say with "
            f"--pass old.{name}=... or --pass new.{name}=... what the constructor gets"
        )
        raise UsageError(message)
    return _identifier(name)


def _identifier(name: str) -> str:
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name) or name.startswith("_"):
        message = f"a field or an input has a name as in Python, without a leading _, but got {name!r}"
        raise UsageError(message)
    return name
