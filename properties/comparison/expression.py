"""The expressions of --carry and --pass: read with ast, held against a short list, rewritten as Python."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from properties.reading.claims import UsageError

LONGEST = 500
LARGEST = 2**31
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.MatMult)
VIEWS = ("T", "mT")
METHODS = (
    *("reshape", "flatten", "transpose", "permute", "squeeze", "unsqueeze", "contiguous"),
    *("expand", "flip", "sum", "sqrt", "rsqrt", "exp"),
)
FUNCTIONS = ("cat", "stack", "block_diag", "kron")
GRAMMAR = (
    f"an expression is made of old.<parameter>, fields, numbers, + - * / // @, indices, .{' .'.join(VIEWS)} "
    f".{'() .'.join(METHODS)}() and torch.{', torch.'.join(FUNCTIONS)}"
)
THETA = re.compile(r"theta\['([^']+)'\]")
OLD = re.compile(r"(?<![\w.])old((?:\.\w+)+)")


@dataclass(frozen=True)
class Expression:
    """An expression as Python text, with the fields and the parameters of the old form that it reads."""

    source: str
    fields: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()

    @property
    def needs_torch(self) -> bool:
        """Whether the text calls a function of torch."""
        return "torch." in self.source


def read_expression(word: str, values: Mapping[str, str], parameters: Collection[str] = ()) -> Expression:
    """Read the right side of a 'name=expression' word; UsageError for anything that is not on the list.

    `values` gives the Python text of each field and fixed value, `parameters` names what old.<name> may be.
    Nothing is evaluated here.
    """
    text = word.partition("=")[2].strip()
    if len(text) > LONGEST:
        message = f"an expression has at most {LONGEST} characters, but {word[:20]}... has {len(text)}"
        raise UsageError(message)
    rewriter = _Rewriter(word, values, parameters)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(OLD.sub(rewriter.theta, text), mode="eval").body
        # Tuples are sizes: --pass new.shape=(height, width).
        source = ast.unparse(rewriter.arguments([tree])[0])
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        message = f"{word!r} is no expression that Python can read; {GRAMMAR}"
        raise UsageError(message) from error
    # The only texts in it are names of parameters, which hold no quotes.
    return Expression(source.replace("'", '"'), frozenset(rewriter.fields), frozenset(rewriter.reads))


class _Rewriter(ast.NodeTransformer):
    """Writes theta["name"] for old.name and self.field for a field, and refuses what is not on the list."""

    def __init__(self, word: str, values: Mapping[str, str], parameters: Collection[str]) -> None:
        """Take the word that is read, for messages, and the names that it may use."""
        self.word = word
        self.values = values
        self.parameters = parameters
        self.fields: set[str] = set()
        self.reads: set[str] = set()

    def theta(self, found: re.Match[str]) -> str:
        """Write old.1.weight.T as theta["1.weight"].T: the longest name that there is."""
        parts = found[1].removeprefix(".").split(".")
        for length in range(len(parts), 0, -1):
            name = ".".join(parts[:length])
            if name in self.parameters:
                return "".join([f'theta["{name}"]', *(f".{part}" for part in parts[length:])])
        near = get_close_matches(".".join(parts), self.parameters, 1, cutoff=0.4)
        hint = f"; did you mean old.{near[0]}?" if near else ""
        known = ", ".join(self.parameters) or "none to be used here"
        message = f"{self.word!r}: old has the parameters and buffers {known}, but got {found[0]}{hint}"
        raise UsageError(message)

    def arguments(self, nodes: list[ast.expr]) -> list[ast.expr]:
        """Rewrite what stands in brackets, where a tuple or a list may stand."""
        return [self._sequence(node) for node in nodes]

    def generic_visit(self, node: ast.AST) -> NoReturn:
        """Refuse every kind of node that has no method of its own."""
        shown = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
        shown = THETA.sub(r"old.\1", shown)[:60]
        message = f"{self.word!r}: {shown} is not allowed; {GRAMMAR}"
        raise UsageError(message)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Keep a number."""
        if type(node.value) not in (int, float) or not abs(node.value) < LARGEST:  # type: ignore[arg-type]
            self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Write a field as self.field, and a fixed value as itself."""
        if node.id not in self.values:
            self.generic_visit(node)
        self.fields.add(node.id)
        return ast.parse(self.values[node.id], mode="eval").body

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """Keep a minus."""
        if not isinstance(node.op, ast.USub):
            self.generic_visit(node)
        return ast.UnaryOp(node.op, self.visit(node.operand))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Keep sums, products and quotients."""
        if not isinstance(node.op, OPERATORS):
            self.generic_visit(node)
        return ast.BinOp(self.visit(node.left), node.op, self.visit(node.right))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Keep a transposition."""
        if node.attr not in VIEWS:
            self.generic_visit(node)
        return ast.Attribute(self.visit(node.value), node.attr)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Keep a call of a method or function of the list, with arguments by place."""
        called = node.func
        if node.keywords or not isinstance(called, ast.Attribute):
            self.generic_visit(node)
        owner = called.value
        if isinstance(owner, ast.Name) and owner.id == "torch" and called.attr in FUNCTIONS:
            return ast.Call(called, self.arguments(node.args), [])
        if called.attr not in METHODS:
            self.generic_visit(node)
        return ast.Call(ast.Attribute(self.visit(owner), called.attr), self.arguments(node.args), [])

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Keep an index, and theta["name"] for a name that there is."""
        if isinstance(node.value, ast.Name) and node.value.id == "theta":
            name = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if name not in self.parameters:
                self.generic_visit(node)
            self.reads.add(str(name))
            return node
        return ast.Subscript(self.visit(node.value), self._index(node.slice))

    def _sequence(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Tuple | ast.List):
            return type(node)([self.visit(one) for one in node.elts])
        rewritten: ast.expr = self.visit(node)
        return rewritten

    def _index(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Tuple):
            return ast.Tuple([self._index(one) for one in node.elts])
        if isinstance(node, ast.Slice):
            ends = (node.lower, node.upper, node.step)
            return ast.Slice(*(None if end is None else self.visit(end) for end in ends))
        if isinstance(node, ast.Constant) and (node.value is None or node.value is ...):
            return node
        rewritten: ast.expr = self.visit(node)
        return rewritten
