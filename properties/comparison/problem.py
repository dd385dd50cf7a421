"""A layer as writers of kernels are asked for it: a file with Model, get_inputs() and get_init_inputs()."""

from __future__ import annotations

import ast
import copy
import keyword
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from equivalence.claim import Equivalence
from properties.cases.definition import RESERVED
from properties.comparison.making import Drawn, Making
from properties.comparison.modules import module_at
from properties.comparison.words import TAKEN
from properties.reading.claims import UsageError

GET_INPUTS, GET_ARGUMENTS = "get_inputs", "get_init_inputs"
ARITHMETIC = (ast.Expression, ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
Sizes = Mapping[str, int]
"""Constants of a problem's file, by name."""


class Problem:
    """Model, get_inputs() and get_init_inputs() of a file, at other sizes than those that it gives.

    Its constants are the integers of at least 1 that lines of the file name: `batch = 16`, `height, width =
    32, 64`, and the entries of `shape = (3, 4)`, called shape_0 and shape_1. At other sizes these lines are
    run again, and those that follow from them; the classes stay what they are.
    """

    def __init__(self, module: ModuleType) -> None:
        """Take the module that was loaded from the file."""
        self.module = module
        self.file = str(module.__file__)
        self._drawn: dict[tuple[tuple[str, int], ...], tuple[tuple[Drawn, ...], bool]] = {}

    @cached_property
    def constants(self) -> Sizes:
        """The constants as the file gives them."""
        found = {name: _integer(node) for line in self._lines for name, node in _named(line)}
        return {name: value for name, value in found.items() if value and name.isidentifier()}

    def module_of(self, claim: Equivalence, call: Callable[..., nn.Module]) -> nn.Module:
        """Return what a class makes of get_init_inputs() at the sizes of a claim."""
        return self.made(call, self._sizes(claim))

    def made(self, call: Callable[..., nn.Module], sizes: Sizes) -> nn.Module:
        """Return what a class makes of get_init_inputs() at these sizes.

        It takes what get_inputs() draws, where that makes its inputs of it.
        """
        arguments = self.arguments(sizes)
        module = call(**arguments) if isinstance(arguments, dict) else call(*arguments)
        if isinstance(module, nn.Module) and not self._looked(sizes)[1]:
            module.register_forward_pre_hook(_Prepared(self, sizes))
        return module

    def size_of(self, claim: Equivalence, place: int, axis: int) -> int:
        """Return the size of an axis of what is drawn in this place, at the sizes of a claim."""
        return self.inputs(self._sizes(claim))[place].shape[axis]

    def bound_of(self, claim: Equivalence, place: int) -> int:
        """Return the bound of the integers in this place, at the sizes of a claim."""
        return self.inputs(self._sizes(claim))[place].bound

    def arguments(self, sizes: Sizes) -> Any:
        """Return what get_init_inputs() gives."""
        give = self._names(sizes).get(GET_ARGUMENTS)
        return give() if give else []

    def inputs(self, sizes: Sizes) -> tuple[Drawn, ...]:
        """Return what get_inputs() draws; no memory is taken for it."""
        return self._looked(sizes)[0]

    def prepared(self, sizes: Sizes, drawn: Sequence[Tensor]) -> tuple[Any, ...]:
        """Return what get_inputs() makes of these tensors, in place of those that it draws."""
        numbers = (one.number for one in self.inputs(sizes))
        with Making(dict(zip(numbers, drawn, strict=True))):
            return tuple(self._names(sizes)[GET_INPUTS]())

    def _looked(self, sizes: Sizes) -> tuple[tuple[Drawn, ...], bool]:
        """Return what get_inputs() draws, and whether that is what it gives."""
        key = tuple(sorted(sizes.items()))
        if key not in self._drawn:
            with torch.device("meta"), Making({}) as making:
                values = self._given(sizes)
            drawn = making.drawn(values)
            plain = [id(making.made[one.number].tensor) for one in drawn] == list(map(id, values))
            self._drawn[key] = drawn, plain
        return self._drawn[key]

    def _given(self, sizes: Sizes) -> Sequence[Any]:
        """Return what get_inputs() gives; UsageError where that is no list."""
        try:
            values = self._names(sizes)[GET_INPUTS]()
        except Exception as error:
            message = f"it raised {type(error).__name__}: {error}"
            raise UsageError(self._rule(message)) from error
        if not isinstance(values, list | tuple):
            raise UsageError(self._rule(f"it gives what is of type {type(values).__name__}"))
        return values

    def _rule(self, message: str) -> str:
        return f"{GET_INPUTS}() of {self.file} takes nothing and gives a list of tensors, but {message}"

    def _sizes(self, claim: Equivalence) -> Sizes:
        fields = {name: field_of(name) for name in self.constants}
        return {name: getattr(claim, field) for name, field in fields.items() if hasattr(claim, field)}

    @cached_property
    def _lines(self) -> Sequence[ast.Assign]:
        return [line for line in ast.parse(Path(self.file).read_bytes()).body if isinstance(line, ast.Assign)]

    def _names(self, sizes: Sizes) -> dict[str, Any]:
        """Return the names of the module, with what follows from other sizes in place."""
        names = dict(vars(self.module))
        for name, value in vars(self.module).items():
            if isinstance(value, FunctionType) and value.__globals__ is vars(self.module):
                names[name] = _reading(names, value)
        changed: set[str] = set()
        for line in self._lines:
            others = {_place(node): sizes[name] for name, node in _named(line) if name in sizes}
            if others or _read(line.value) & changed:
                tree = ast.Module([_Other(others).visit(copy.deepcopy(line))], [])
                exec(compile(ast.fix_missing_locations(tree), self.file, "exec"), names)  # noqa: S102
                changed |= {name for target in line.targets for name in _read(target)}
        return names


def problem_at(beside: str, path: str) -> Problem:
    """Load the problem in a file, `path` seen from the folder of the file `beside`; FileNotFoundError."""
    return Problem(module_at(beside, path))


def field_of(constant: str) -> str:
    """Name the field of a claim that stands for a constant."""
    own = constant.lstrip("_") or "size"
    return f"{own}_" if is_taken(own) else own


def is_taken(name: str) -> bool:
    """Whether a name already means something in a claim."""
    return hasattr(Equivalence, name) or name in TAKEN or name in RESERVED or keyword.iskeyword(name)


class _Prepared:
    """A hook that gives a form the inputs which get_inputs() makes of what is drawn."""

    def __init__(self, problem: Problem, sizes: Sizes) -> None:
        self.problem = problem
        self.sizes = sizes

    def __call__(self, _: nn.Module, drawn: tuple[Tensor, ...]) -> tuple[Any, ...]:
        """Return the inputs of the form."""
        return self.problem.prepared(self.sizes, drawn)

    def __reduce__(self) -> tuple[Any, ...]:
        """Be copied and pickled without the module of the file."""
        return _prepared, (self.problem.file, dict(self.sizes))


def _prepared(file: str, sizes: Sizes) -> _Prepared:
    return _Prepared(problem_at(file, file), sizes)


class _Other(ast.NodeTransformer):
    """Puts other integers in the place of those that a line gives."""

    def __init__(self, others: Mapping[tuple[int, ...], int]) -> None:
        self.others = others

    def visit(self, node: ast.AST) -> Any:
        """Return the other integer, or the same line."""
        if isinstance(node, ast.expr) and _place(node) in self.others:
            return ast.copy_location(ast.Constant(self.others[_place(node)]), node)
        return self.generic_visit(node)


def _named(line: ast.Assign) -> Iterator[tuple[str, ast.expr]]:
    """Give what a line names, each with its expression; of height = width = 32 the first name alone."""
    target, value = line.targets[0], line.value
    entries = value.elts if isinstance(value, ast.Tuple | ast.List) else None
    if isinstance(target, ast.Tuple) and entries is not None and len(entries) == len(target.elts):
        pairs = zip(target.elts, entries, strict=True)
        yield from ((name.id, node) for name, node in pairs if isinstance(name, ast.Name))
    elif isinstance(target, ast.Name) and entries is not None:
        yield from ((f"{target.id}_{place}", node) for place, node in enumerate(entries))
    elif isinstance(target, ast.Name):
        yield target.id, value


def _integer(node: ast.expr) -> int | None:
    """Return the integer of at least 1 that is written there, as 2048 * 2 is; None where it is none."""
    tree = ast.Expression(node)
    if not all(isinstance(one, ARITHMETIC) for one in ast.walk(tree)):
        return None
    try:
        value = eval(compile(tree, "<constant>", "eval"), {"__builtins__": {}})  # noqa: S307  (arithmetic alone)
    except (ArithmeticError, TypeError, ValueError):
        return None
    return value if type(value) is int and value >= 1 else None


def _read(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _place(node: ast.expr) -> tuple[int, ...]:
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def _reading(names: dict[str, Any], function: FunctionType) -> FunctionType:
    """Return a function that finds the names of its file in these."""
    code, defaults, closure = function.__code__, function.__defaults__, function.__closure__
    other = FunctionType(code, names, function.__name__, defaults, closure)
    other.__kwdefaults__ = function.__kwdefaults__
    return other
