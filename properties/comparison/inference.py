"""What a claim says of a problem's sizes and inputs, found by trying both forms at small ones."""

from __future__ import annotations

import inspect
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from properties.comparison.making import Drawn
from properties.comparison.matching import first_line
from properties.comparison.problem import GET_INPUTS, Problem, Sizes, field_of, is_taken
from properties.comparison.words import SIZE, Argument, Input
from properties.reading.claims import UsageError

MOST_ENTRIES = 2**22
"""Of the inputs on which forms are tried."""
LARGEST_OPTION = 16
"""Of the constants that get_init_inputs() alone reads, those up to this are options: a kernel's size."""
STEPS = (1, 2)
"""So many units more than at first are tried of every size."""
PATIENCE = 60.0
"""So many seconds sizes are tried; those that come after stay as they are."""

Call = Callable[..., nn.Module]


@dataclass(frozen=True)
class Varied:
    """Constants that have one value, and vary together: unit * n, for every n that is large enough."""

    names: tuple[str, ...]
    unit: int
    least: int
    """The least n."""

    @property
    def field(self) -> str:
        """The field that holds n."""
        own = field_of(self.names[0])
        return own if self.unit == 1 else f"{own}_by_{self.unit}"

    def at(self, number: int) -> Sizes:
        """Return the constants for one n."""
        return dict.fromkeys(self.names, self.unit * number)


@dataclass(frozen=True)
class Inferred:
    """What the claim about a problem and its answer says, beside the two forms."""

    arguments: tuple[Argument, ...]
    inputs: tuple[Input, ...]
    derived: Mapping[str, str]
    """Property -> expression."""
    told: tuple[str, ...]
    """What a reader is told of it."""


def inferred(problem: Problem, old: Call, new: Call, *, given: bool) -> Inferred:
    """Find the sizes that both forms take, and the axes of the inputs; UsageError where there are none.

    `given` leaves every size as the file gives it.
    """
    if not problem.inputs({}):
        message = (
            f"{GET_INPUTS}() of {problem.file} draws no tensor that others could stand for, as torch.rand "
            "and torch.randint(n, ...) do; state the inputs with --input"
        )
        raise UsageError(message)
    varied, base = ((), {}) if given else _Search(problem, (old, new)).found()
    fixed = {name: value for name, value in base.items() if not any(name in one.names for one in varied)}
    names = _named(problem, old, varied)
    derived = dict(_of_constants(varied, fixed))
    inputs = tuple(_inputs(problem, names, varied, base, derived))
    arguments = tuple(
        Argument(one.field, ("old", "new"), f"self.{one.field}", SIZE.format(one.least)) for one in varied
    )
    return Inferred(arguments, inputs, derived, tuple(_told(problem, varied, fixed)))


class _Search:
    """Tries both forms at sizes of a problem."""

    def __init__(self, problem: Problem, calls: Sequence[Call]) -> None:
        self.problem = problem
        self.calls = calls
        self.refusal = ""
        """Why the sizes that were tried last were not taken."""
        self.until = time.monotonic() + PATIENCE

    def found(self) -> tuple[tuple[Varied, ...], Sizes]:
        """Return what varies, and small sizes that both forms take, of all constants that are sizes."""
        names = [name for name in self.problem.constants if self._is_size(name)]
        if not names:
            return (), {}
        base = self._base(names)
        alone = [one for name in names if (one := self._varied((name,), base))]
        left = [name for name in names if not any(name in one.names for one in alone)]
        return (*alone, *self._tied(left, base)), base

    def _is_size(self, name: str) -> bool:
        """Whether an input depends on a constant, or the forms do on one too large to be an option."""
        value = self.problem.constants[name]
        other = {name: value + 1}
        try:
            if self.problem.inputs(other) != self.problem.inputs({}):
                return True
            read = repr(self.problem.arguments(other)) != repr(self.problem.arguments({}))
        except Exception:  # noqa: BLE001  (another size than the file's own may be none)
            return False
        return read and value > LARGEST_OPTION

    def _base(self, names: Sequence[str]) -> Sizes:
        """Return small sizes that both forms take: all made smaller by one factor, or all but a few."""
        given = {name: self.problem.constants[name] for name in names}
        options = [name for name in names if given[name] <= LARGEST_OPTION]
        # The largest starts at 4 to 7: a tensor needs some entries to show anything.
        starts = max(given.values()).bit_length() - 2
        for left in ([], *([*options, name] for name in names)):
            for halvings in reversed(range(max(1, starts))):
                sizes = {
                    name: value if name in left else -(-value >> halvings) for name, value in given.items()
                }
                if self.take(sizes):
                    return sizes
        message = (
            f"the sizes of {self.problem.file} are varied where both forms take smaller ones, but they take "
            f"none ({self.refusal}): claim the given sizes alone with --sizes given, or state the inputs "
            "with --input"
        )
        raise UsageError(message)

    def _varied(self, names: tuple[str, ...], base: Sizes) -> Varied | None:
        """Return how constants of one value vary together, where all else stays; None where they do not."""
        value = base[names[0]]
        if time.monotonic() > self.until:
            return None
        for unit in (one for one in range(1, value + 1) if value % one == 0):
            if all(self.take({**base, **dict.fromkeys(names, value + step * unit)}) for step in STEPS):
                return Varied(names, unit, self._least(names, base, unit))
        return None

    def _least(self, names: tuple[str, ...], base: Sizes, unit: int) -> int:
        """Return from which number of units on the forms take the value of some constants."""
        numbers = range(1, base[names[0]] // unit)
        taken = bisect_left(numbers, 1, key=lambda n: self.take({**base, **dict.fromkeys(names, n * unit)}))
        return numbers.start + taken

    def _tied(self, names: Sequence[str], base: Sizes) -> Iterator[Varied]:
        """Give the constants that vary with others of the same value alone."""
        together: dict[int, list[str]] = {}
        for name in names:
            together.setdefault(self.problem.constants[name], []).append(name)
        for tied in together.values():
            if len(tied) > 1 and (one := self._varied(tuple(tied), base)):
                yield one

    def take(self, sizes: Sizes) -> bool:
        """Whether both forms can be made at these sizes, and take inputs of them."""
        try:
            inputs = self.problem.inputs(sizes)
            if (entries := sum(prod(one.shape) for one in inputs)) > MOST_ENTRIES:
                self.refusal = f"inputs of {entries:,} entries are more than are tried, {MOST_ENTRIES:,}"
                return False
            tensors = [_example(one) for one in inputs]
            with torch.no_grad():
                for call in self.calls:
                    self.problem.made(call, sizes)(*tensors)
        except Exception as error:  # noqa: BLE001  (a form refuses by any exception)
            self.refusal = first_line(error)
            return False
        return True


def _example(drawn: Drawn) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    if drawn.kind == "Real":
        return torch.randn(drawn.shape, generator=generator)
    if drawn.kind == "Bool":
        return torch.randint(2, drawn.shape, generator=generator).bool()
    return torch.randint(drawn.bound, drawn.shape, generator=generator) + (drawn.kind == "Lengths")


def _named(problem: Problem, old: Call, varied: Sequence[Varied]) -> list[str]:
    """Name the inputs as forward of the old form does, where it names as many."""
    count = len(problem.inputs({}))
    forward = getattr(old, "forward", None)
    own = list(inspect.signature(forward).parameters)[1:] if forward else []
    names = own if len(own) == count else [f"x{place}" for place in range(count)]
    fields = {*map(field_of, problem.constants), *(one.field for one in varied)}
    return [f"{name}_" if name in fields or is_taken(name) else name for name in names]


def _of_constants(varied: Sequence[Varied], fixed: Sizes) -> Iterator[tuple[str, str]]:
    """Give the property of every constant that is no field itself."""
    for one in varied:
        value = f"self.{one.field}" if one.unit == 1 else f"{one.unit} * self.{one.field}"
        yield from ((field_of(name), value) for name in one.names if field_of(name) != one.field)
    yield from ((field_of(name), f"{value}") for name, value in fixed.items())


def _inputs(
    problem: Problem, names: Sequence[str], varied: Sequence[Varied], base: Sizes, derived: dict[str, str]
) -> Iterator[Input]:
    """Give the inputs with named axes; what an axis is that no constant is, goes to `derived`."""
    tried = [base, *({**base, **one.at(base[one.names[0]] // one.unit + 1)} for one in varied)]
    seen = [problem.inputs(sizes) for sizes in tried]

    def size(name: str, values: Sequence[int], expression: str, *, numbers: bool) -> str:
        """Name a size that has these values at the sizes that were tried."""
        if numbers and len({*values}) == 1:
            return f"{values[0]}"
        for constant in base:
            if [sizes[constant] for sizes in tried] == list(values):
                return field_of(constant)
        derived[name] = expression
        return name

    for place, (name, drawn) in enumerate(zip(names, seen[0], strict=True)):
        axes = [
            size(
                f"{name}_{axis}",
                [one[place].shape[axis] for one in seen],
                f"problem.size_of(self, {place}, {axis})",
                numbers=True,
            )
            for axis in range(len(drawn.shape))
        ]
        bound = ""
        if drawn.bound:
            values = [one[place].bound for one in seen]
            bound = size(f"{name}_bound", values, f"problem.bound_of(self, {place})", numbers=False)
        yield Input(name, drawn.kind, " ".join(axes), bound)


def _told(problem: Problem, varied: Sequence[Varied], fixed: Sizes) -> Iterator[str]:
    """Say what varies, and what does not."""
    sizes = [
        f"{' = '.join(one.names)} from {one.unit * one.least} on{f' by {one.unit}' if one.unit > 1 else ''}"
        for one in varied
    ]
    yield f"varied: {', '.join(sizes) or 'no size'}"
    given = {
        name: fixed.get(name, value)
        for name, value in problem.constants.items()
        if not any(name in one.names for one in varied)
    }
    if given:
        yield f"as given: {', '.join(f'{name}={value}' for name, value in given.items())}"
