"""One piece of source: its plain text, and the names that it reads of its module."""

from __future__ import annotations

import ast
import io
import re
import symtable
import textwrap
import tokenize
from collections.abc import Callable, Iterator, Sequence
from functools import cache

Edit = tuple[int, int, bytes]
"""Replace the bytes from a start to an end."""
FOR_TOOLS = re.compile(r"#\s*(noqa|type:|mypy:|ruff:|pyright:|pragma:)")
WIDTH = 110
"""Of a line, as the usual formatter has it here."""
EQUALS = re.compile(rb"\s*=\s*")


def lines_of(source: str, node: ast.stmt) -> str:
    """Give the lines of a statement, with its decorators, moved to the left margin."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    return textwrap.dedent("\n".join(source.split("\n")[first - 1 : node.end_lineno])) + "\n"


def without_decorators(text: str, left_out: Callable[[str], bool]) -> str:
    """Take away the decorators that are calls of a function, by the name that it is called by."""
    node, lines = ast.parse(text).body[0], text.split("\n")
    for one in reversed(getattr(node, "decorator_list", [])):
        if isinstance(one, ast.Call) and left_out(ast.unparse(one.func)):
            del lines[one.lineno - 1 : one.end_lineno]
    return "\n".join(lines)


@cache
def plain(source: str) -> str:
    """Take away the annotations of functions, and comments that speak to linters and type checkers.

    What is annotated in the body of a class stays: a dataclass reads it.
    """
    return _on_one_line(_without_annotations(_without_comments_for_tools(source), of_classes=False))


@cache
def global_names(source: str) -> frozenset[str]:
    """Name what a piece of source reads of its module when it runs; it runs without annotations."""
    table = symtable.symtable(_without_annotations(source, of_classes=True), "<script>", "exec")
    read = {one.get_name() for one in table.get_symbols() if one.is_referenced()}
    read |= {name for child in table.get_children() for name in _globals_in(child)}
    # super() reads __class__, which every method has.
    return frozenset(read - _bound(table) - {"__class__"})


@cache
def names_in_class_annotations(source: str) -> frozenset[str]:
    """Name what the annotations in the bodies of classes speak of."""
    annotations = [node.annotation for node, in_class in _annotated(ast.parse(source)) if in_class]
    return frozenset(one.id for node in annotations for one in ast.walk(node) if isinstance(one, ast.Name))


def bound_names(source: str) -> set[str]:
    """Name what a piece of source binds in its module."""
    return _bound(symtable.symtable(source, "<script>", "exec"))


def attributes_of(text: str, *names: str) -> set[str]:
    """Name the attributes that a text reads of some objects, and of their classes."""
    asked = {*names, *(f"type({name})" for name in names)}
    nodes = (one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Attribute))
    return {one.attr for one in nodes if ast.unparse(one.value) in asked}


def _bound(table: symtable.SymbolTable) -> set[str]:
    return {one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported()}


def _globals_in(table: symtable.SymbolTable) -> Iterator[str]:
    yield from (one.get_name() for one in table.get_symbols() if one.is_global() and one.is_referenced())
    for child in table.get_children():
        yield from _globals_in(child)


def _on_one_line(source: str) -> str:
    """Write the head of a function on one line where it fits there without its annotations."""
    lines = source.split("\n")
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    for node in sorted(functions, key=lambda node: -node.lineno):
        first, last = node.lineno - 1, node.body[0].lineno - 1
        opening, *arguments = [line.strip() for line in lines[first:last]] or [""]
        indent = " " * node.col_offset
        head = f"{indent}{opening}{' '.join(arguments[:-1])}{''.join(arguments[-1:])}"
        # As the usual formatter has it: a comma after the last argument keeps each on a line of its own.
        if len(head) <= WIDTH and head.endswith("):") and not head.endswith(",):") and "#" not in head:
            lines[first:last] = [head]
    return "\n".join(lines)


def _without_comments_for_tools(source: str) -> str:
    lines = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and FOR_TOOLS.match(token.string):
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    return "\n".join(lines)


def _without_annotations(source: str, *, of_classes: bool) -> str:
    content = source.encode()
    tree = ast.parse(source)
    place = _Places(content)
    edits = [edit for node in ast.walk(tree) for edit in place.in_signature(node)]
    edits += [place.of_variable(node) for node, in_class in _annotated(tree) if of_classes or not in_class]
    # From the end, so that no edit moves the place of another.
    for first, last, replacement in sorted(edits, reverse=True):
        content = content[:first] + replacement + content[last:]
    return content.decode()


def _annotated(tree: ast.Module) -> Iterator[tuple[ast.AnnAssign, bool]]:
    """Give the variables with an annotation, and whether each stands in the body of a class."""
    for node in ast.walk(tree):
        for statement in _statements(node):
            if isinstance(statement, ast.AnnAssign):
                yield statement, isinstance(node, ast.ClassDef)


def _statements(node: ast.AST) -> Sequence[ast.stmt]:
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


class _Places:
    """Where the nodes of a piece of source begin and end, in bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.lines = [0]
        for line in content.split(b"\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)

    def in_signature(self, node: ast.AST) -> Iterator[Edit]:
        """Take the annotation of an argument away, or that of what a function returns."""
        if isinstance(node, ast.arg) and node.annotation:
            last = self._end(node.annotation)
            equals = EQUALS.match(self.content, last)
            name = self._start(node) + len(node.arg.encode())
            yield (name, equals.end(), b"=") if equals else (name, last, b"")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            arrow = self.content.rindex(b"->", 0, self._start(node.returns))
            yield len(self.content[:arrow].rstrip()), self._end(node.returns), b""

    def of_variable(self, node: ast.AnnAssign) -> Edit:
        """Take the annotation of a variable away; one without a value is nothing then."""
        if node.value is None:
            return self._start(node), self._end(node), b"pass"
        return self._end(node.target), self._end(node.annotation), b""

    def _start(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        return self.lines[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        # ast.parse gives every node an end.
        return self.lines[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
