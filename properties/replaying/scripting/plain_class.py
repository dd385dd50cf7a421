"""A chain of classes as plain text: of each, the members that are needed, and no bases from elsewhere."""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from types import ModuleType

from equivalence.claim import Equivalence
from properties.replaying.scripting.binding import ScriptError, source_of, tree_of
from properties.replaying.scripting.closure import Closure
from properties.replaying.scripting.source import attributes_of, bound_names, global_names, lines_of, plain

INDENT = " " * 4
MAIN = ("reference", "candidate", "carry")
"""What is read first of a claim."""


@dataclass
class Member:
    """One name in the body of a class: its text, and what it reads of its own object."""

    text: str
    own: set[str]
    inherited: set[str]
    """What it reads by super()."""
    is_function: bool


@dataclass
class PlainClass:
    """The chain of a class, each with the members that are needed, from the class down."""

    kind: type
    members: dict[int, dict[str, Member]] = field(default_factory=dict)
    """By the class's place in the method resolution order, which is what super() follows."""
    values: Collection[str] = ()
    """What the object has as values: no member is needed for these."""

    @property
    def order(self) -> Sequence[type]:
        """The classes of the chain, but for object."""
        return self.kind.__mro__[:-1]

    @property
    def names(self) -> set[str]:
        """The names of the classes."""
        return {self.order[place].__name__ for place in {0, *self.members}}

    @property
    def statement(self) -> str:
        """The first line of the class's docstring."""
        lines = (ast.get_docstring(definition(self.kind)) or "").splitlines()
        # What stands between quotation marks has none of its own.
        return lines[0].replace("\\", "\\\\").replace('"', "'") if lines else ""

    def need(self, name: str, start: int = 0) -> None:
        """Take up a member, and what it reads."""
        if name in self.values:
            return
        place = next((at for at in range(start, len(self.order)) if name in vars(self.order[at])), None)
        if place is None or name in self.members.get(place, {}):
            return
        found = _member(self.order[place], name)
        self.members.setdefault(place, {})[name] = found
        for one in sorted(found.own):
            self.need(one)
        for one in sorted(found.inherited):
            self.need(one, place + 1)

    def resolve(self, closure: Closure) -> None:
        """Take up what the members need from elsewhere."""
        for place, members in sorted(self.members.items(), reverse=True):
            for member in members.values():
                module = sys.modules[self.order[place].__module__]
                _check_no_claim(member.text, module)
                closure.need(member.text, module, own=() if member.is_function else member.own)

    def text(self) -> str:
        """Write the classes; one that nothing overrides and that asks nothing of super() is merged."""
        groups: list[dict[str, Member]] = []
        names: list[str] = []
        for place in sorted({0, *self.members}, reverse=True):
            members = self.members.get(place, {})
            reads_super = any(member.inherited for member in members.values())
            if groups and not reads_super and not members.keys() & groups[-1].keys():
                groups[-1] |= members
                names[-1] = self.order[place].__name__
            else:
                groups.append(dict(members))
                names.append(self.order[place].__name__)
        bases = ["", *(f"({name})" for name in names)]
        heads = [f"class {name}{base}:\n" for name, base in zip(names, bases, strict=False)]
        return "\n\n".join(
            head + self._body(members, last=members is groups[-1])
            for head, members in zip(heads, groups, strict=True)
        )

    def _body(self, members: dict[str, Member], *, last: bool) -> str:
        statement = [f'"""{self.statement}"""\n'] if last and self.statement else []
        values = [one.text for one in members.values() if not one.is_function and not one.own]
        ordered = sorted(members, key=_reading_order)
        functions = [members[name].text for name in ordered if members[name].is_function]
        # What stands for another member comes after it.
        aliases = [one.text for one in members.values() if not one.is_function and one.own]
        constants = "".join([*(self.fields() if last else ()), *values])
        parts = [*statement, *filter(None, [constants]), *functions, *aliases]
        return textwrap.indent("\n".join(parts) or "pass\n", INDENT)

    def fields(self) -> Sequence[str]:
        """Write the values of the object."""
        return ()


def definition(kind: type) -> ast.ClassDef:
    """Find a class in its module; ScriptError where it stands in a function, or in no file."""
    node: ast.Module | ast.ClassDef = tree_of(sys.modules[kind.__module__])
    for part in kind.__qualname__.split("."):
        found = [one for one in node.body if isinstance(one, ast.ClassDef) and one.name == part]
        if not found:
            message = f"{kind.__qualname__} is no class of a module; move it out of what it stands in"
            raise ScriptError(message)
        node = found[-1]
    assert isinstance(node, ast.ClassDef)  # noqa: S101  (a qualified name has a part)
    return node


def _reading_order(name: str) -> tuple[int, bool]:
    main = ("__init__", *MAIN, "__call__")
    return main.index(name) if name in main else len(main), name.startswith("_")


def _check_no_claim(text: str, module: ModuleType) -> None:
    for name in global_names(text):
        value = vars(module).get(name)
        if isinstance(value, type) and issubclass(value, Equivalence):
            message = f"a script holds one claim, but its methods name {name!r} too; call super() instead"
            raise ScriptError(message)


def _member(kind: type, name: str) -> Member:
    source = source_of(sys.modules[kind.__module__])
    found = [one for one in definition(kind).body if name in bound_names(ast.unparse(one))]
    if not found:
        message = f"{kind.__name__}.{name} is not written in the body of its class; write it there"
        raise ScriptError(message)
    text = plain(lines_of(source, found[-1]))
    node = ast.parse(text).body[0]
    text = _undocumented(text, node) if kind is Equivalence and isinstance(node, ast.FunctionDef) else text
    if not isinstance(node, ast.FunctionDef):
        return Member(text, set(global_names(text) & vars(kind).keys()), set(), is_function=False)
    read = attributes_of(text, node.args.args[0].arg) if node.args.args else set()
    return Member(text, read, attributes_of(text, "super()"), is_function=True)


def _undocumented(text: str, node: ast.FunctionDef) -> str:
    """Take away what the base class says to people who write claims."""
    lines = text.split("\n")
    documentation = node.body[0]
    return "\n".join([*lines[: documentation.lineno - 1], *lines[documentation.end_lineno :]])
