"""A comparison as the source text of a claim: what is verified, and what --write keeps."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from equivalence.claim import Equivalence
from properties.comparison.constructor import Constructor
from properties.comparison.expression import Expression
from properties.comparison.words import INPUTS, Argument, Input, quoted

WIDTH = 100
ITSELF = "OldIsItself"
INDENT = " " * 4


@dataclass(frozen=True)
class Entry:
    """One parameter of the new form under carry; not `always` where some options leave out what it reads."""

    expression: Expression
    always: bool = True


@dataclass(frozen=True)
class Comparison:
    """Two constructors, what each gets, and everything else that the claim says."""

    old: Constructor
    new: Constructor
    arguments: tuple[Argument, ...]
    inputs: tuple[Input, ...]
    passed: Mapping[str, Mapping[str, str]]
    breaks: Mapping[str, str] = field(default_factory=dict)
    laws: tuple[str, ...] = ()
    """The laws asked for; none for all."""
    same: str = Equivalence.same
    carry: Mapping[str, Entry] | None = None
    """None carries everything by its own name."""
    called: str = ""
    """The name of the claim's class, where it does not follow from the two."""
    problem: str = ""
    """The file whose get_init_inputs() says what both get; empty where `passed` does."""
    derived: Mapping[str, str] = field(default_factory=dict)
    """Sizes that follow from the fields: property -> expression."""

    @property
    def of_old_itself(self) -> Comparison:
        """The comparison of old with itself."""
        passed = dict.fromkeys(self.passed, self.passed.get(self.old.side, {}))
        new = replace(self.old, side=self.new.side)
        return replace(self, new=new, passed=passed, breaks={}, laws=(), carry=None, called=ITSELF)

    @property
    def name(self) -> str:
        """The name of the claim's class."""
        if self.called:
            return self.called
        old, new = _camel(self.old.name), _camel(self.new.name)
        return f"New{new}IsOld{old}" if old == new else f"{new}Is{old}"

    def source(self, folder: Path, *, suite: bool) -> str:
        """Write the claim as a file of this folder; `suite` adds the line that makes a pytest class of it."""
        laws = f", laws=[{', '.join(map(quoted, self.laws))}]" if self.laws else ""
        last = f"\n\nTest{self.name} = suite({self.name}{laws})\n" if suite else ""
        return "\n".join([*self._head(folder, suite=suite), "", "", *self._class()]) + "\n" + last

    def _head(self, folder: Path, *, suite: bool) -> Iterator[str]:
        yield f'"""Is {self.new.name} the same layer as {self.old.name}? Edit this as you would any claim."""'
        yield ""
        sides = (self.old, self.new)
        annotations = " ".join(one.annotation for one in self.arguments)
        if words := _used(annotations, "Annotated", "Literal"):
            yield f"from typing import {words}\n"
        torch = any(entry.expression.needs_torch for entry in (self.carry or {}).values())
        imported = [f"import {side.place} as {side.side}" for side in sides if not _is_file(side)]
        if third_party := [*(["import torch"] if torch else []), *imported]:
            yield "\n".join(third_party) + "\n"
        kinds = " ".join(one.kind for one in self.inputs)
        names = _used(f"{annotations} {kinds} Equivalence", *_CLAIM_WORDS)
        yield f"from equivalence import {names}"
        yield from ["from properties import suite"] if suite else []
        files = [side for side in sides if _is_file(side)]
        problem = ", problem_at" if self.problem else ""
        yield from [f"from properties.comparison import module_at{problem}", ""] if files else []
        yield from (f"{side.side} = module_at(__file__, {_path(side.place, folder)})" for side in files)
        if self.problem:
            yield f"problem = problem_at(__file__, {_path(self.problem, folder)})"

    def _class(self) -> Iterator[str]:
        yield f"class {self.name}(Equivalence):"
        statement = f"{self.new.name} of {_shown(self.new)} equals {self.old.name} of {_shown(self.old)}"
        yield f'{INDENT}"""{statement}."""'
        if self.breaks or self.same != Equivalence.same:
            yield ""
        if self.same != Equivalence.same:
            yield f"{INDENT}same = {quoted(self.same)}"
        if self.breaks:
            breaks = [f"{quoted(law)}: {quoted(reason)}" for law, reason in self.breaks.items()]
            yield from _fitted("breaks = {", breaks, "}", INDENT)
        fields = [one for one in self.arguments if one.annotation]
        yield from [""] if fields else []
        yield from (f"{INDENT}{one.name}: {one.annotation}" for one in fields)
        yield ""
        for one in self.inputs:
            bound = f", {quoted(one.bound)}" if one.bound else ""
            yield f"{INDENT}{one.name} = {one.kind}({quoted(one.axes)}{bound})"
        for name, expression in self.derived.items():
            yield from ("", f"{INDENT}@property", f"{INDENT}def {name}(self):")
            yield f"{INDENT * 2}return {expression}"
        yield from self._method("reference", self.old)
        yield from self._method("candidate", self.new)
        yield from self._carry()

    def _method(self, name: str, constructor: Constructor) -> Iterator[str]:
        side = constructor.side
        yield ""
        yield f"{INDENT}def {name}(self):"
        if self.problem:
            yield f"{INDENT * 2}return problem.module_of(self, {side}.{constructor.name})"
            return
        given = [f"{argument}={source}" for argument, source in self.passed[side].items()]
        yield from _fitted(f"return {side}.{constructor.name}(", given, ")", INDENT * 2)

    def _carry(self) -> Iterator[str]:
        if self.carry is None:
            return
        written = {quoted(name): entry for name, entry in self.carry.items()}
        always = [f"{name}: {entry.expression.source}" for name, entry in written.items() if entry.always]
        sometimes = {name: entry.expression for name, entry in written.items() if not entry.always}
        yield ""
        yield f"{INDENT}def carry(self, theta):"
        yield from _fitted("carried = {" if sometimes else "return {", always, "}", INDENT * 2)
        for name, expression in sometimes.items():
            needed = " and ".join(f"{quoted(read)} in theta" for read in sorted(expression.reads))
            yield f"{INDENT * 2}if {needed}:"
            yield f"{INDENT * 3}carried[{name}] = {expression.source}"
        yield from [f"{INDENT * 2}return carried"] if sometimes else []


_CLAIM_WORDS = sorted(["AtLeast", "Between", "Equivalence", *INPUTS])


def _used(text: str, *words: str) -> str:
    return ", ".join(word for word in words if re.search(rf"\b{word}\b", text))


def _fitted(opening: str, parts: list[str], closing: str, indent: str) -> Iterator[str]:
    """Write a call or a dictionary on one line, or one part a line where that is too long."""
    line = f"{indent}{opening}{', '.join(parts)}{closing}"
    if len(line) <= WIDTH:
        yield line
        return
    yield indent + opening
    yield from (f"{indent}{INDENT}{part}," for part in parts)
    yield indent + closing


def _is_file(constructor: Constructor) -> bool:
    return constructor.place.endswith(".py")


def _path(place: str, folder: Path) -> str:
    """Write a file's path from the folder of the claim, so that both can be moved together."""
    try:
        path = os.path.relpath(Path(place).resolve(), folder.resolve())
    except ValueError:
        # Another drive, on Windows.
        path = str(Path(place).resolve())
    return quoted(Path(path).as_posix())


def _shown(constructor: Constructor) -> str:
    """Name the module in a docstring, where quotes and backslashes have no place."""
    return re.sub(r"[^\w. -]", "?", Path(constructor.place).name)


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
