"""What a claim quantifies over, read from its class and held against the rules of writing a claim."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from torch import Tensor

from equivalence.claim import Equivalence
from equivalence.variable import AtLeast, Between, ClaimError, Index, Mask, Over
from properties.case import Case, Shape
from properties.form import FormError
from properties.sample import build


@dataclass(frozen=True)
class Choice:
    """One of a few values: a bool or a Literal."""

    values: tuple[Any, ...]


Kind = AtLeast | Between | Choice | Over
WIDEST_EXEMPLAR = 8
SPAN = 6
"""Small cases draw a size from its least value to SPAN above it."""
LARGEST_LEADING: Shape = (2, 1, 3)
LARGEST_FREE = 5


class Domain:
    """The cases of one claim; `pins` fixes fields, axes or the seed, `data` gives the rows of real inputs."""

    def __init__(
        self, claim: type[Equivalence], pins: Mapping[str, Any] | None = None, data: Tensor | None = None
    ) -> None:
        """Read a claim's class; ClaimError where it is not written as a claim is."""
        self.claim = claim
        self.pins = dict(pins or {})
        self.data = data
        _check_class(claim)
        self.fields = {name: _kind(claim, name, hint) for name, hint in _hints(claim).items()}
        self.axes = self._free_axes()
        self._check_pins()

    @property
    def name(self) -> str:
        """The claim's name."""
        return self.claim.__name__

    @property
    def exemplar(self) -> Equivalence:
        """A small configuration that the reference accepts."""
        return self.typical.claim

    @cached_property
    def typical(self) -> Case:
        """A small case that the reference accepts; ClaimError where none is found."""
        refusals = []
        for case in self._exemplars():
            try:
                build(case.claim, "reference", case.seed)
            except FormError as refusal:
                refusals.append(str(refusal))
            else:
                return case
        message = (
            f"{self.name}: the reference accepts at least one configuration, but refused all {len(refusals)} "
            f"tried: {refusals[-1]}; widen the fields or pin others"
        )
        raise ClaimError(message)

    def largest(self, like: Case) -> Case:
        """Give the case with every size at its largest, and the other fields as in a given case."""
        claim = self._configured(lambda name, kind: _largest(kind, getattr(like.claim, name)))
        axes = {
            name: self.axis(name, LARGEST_LEADING if free else (LARGEST_FREE,))
            for name, free in self.axes.items()
        }
        return Case(claim, axes, 0)

    def axis(self, name: str, drawn: Shape) -> Shape:
        """Give a free axis its pinned shape, or the one drawn."""
        pinned = self.pins.get(name, drawn)
        return (pinned,) if isinstance(pinned, int) else tuple(pinned)

    def configure(self, values: Mapping[str, Any]) -> Equivalence:
        """Make the claim's instance with these field values, pinned ones first."""
        pinned = {name: value for name, value in self.pins.items() if name in self.fields}
        return self.claim(**{**values, **pinned})

    def mask_shape(self, name: str, values: Mapping[str, Any]) -> tuple[int, int]:
        """Give the (rows, columns) of a mask field, from the sizes drawn."""
        kind = self.fields[name]
        assert isinstance(kind, Over)  # noqa: S101  (asked for masks only)
        rows, columns = (int({**values, **self.pins}[axis]) for axis in kind.axes.split())
        return rows, columns

    def _configured(self, choose: Any) -> Equivalence:
        values = {
            name: choose(name, kind) for name, kind in self.fields.items() if not isinstance(kind, Over)
        }
        for name, kind in self.fields.items():
            if isinstance(kind, Over):
                rows, columns = self.mask_shape(name, values)
                values[name] = Mask("/".join(["1" * columns] * rows))
        return self.configure(values)

    def _exemplars(self) -> Iterator[Case]:
        """Give small configurations of equal sizes, then of all small sizes."""
        for size in (2, 1, 3, 4, 0, 5, 6):
            yield self._exemplar(itertools.repeat(size))
        names = [name for name, kind in self.fields.items() if isinstance(kind, AtLeast | Between)]
        for sizes in itertools.islice(itertools.product(range(1, WIDEST_EXEMPLAR), repeat=len(names)), 1000):
            yield self._exemplar(iter(sizes))

    def _exemplar(self, sizes: Iterator[int]) -> Case:
        claim = self._configured(
            lambda _, kind: kind.values[-1] if isinstance(kind, Choice) else _within(kind, next(sizes))
        )
        return Case(claim, {name: self.axis(name, (2,)) for name in self.axes}, 0)

    def _free_axes(self) -> dict[str, bool]:
        """Name the free axes of all inputs; True where the name stands for any number of them."""
        free: dict[str, bool] = {}
        for variable in self.claim.inputs().values():
            for axis in variable.axes.split():
                name = axis.removeprefix("*")
                if name not in self.fields and not name.isdigit():
                    free[name] = axis.startswith("*")
                self._check_axis(axis, name)
            if isinstance(variable, Index) and not isinstance(
                self.fields.get(variable.below), AtLeast | Between
            ):
                message = f"{self.name}: Index is below a size field, but below={variable.below!r} is none"
                raise ClaimError(message)
        return free

    def _check_axis(self, axis: str, name: str) -> None:
        sizes = [field for field, kind in self.fields.items() if isinstance(kind, AtLeast | Between)]
        near = get_close_matches(name, sizes, 1, cutoff=0.75)
        problem = ""
        if not (name.isidentifier() or (axis.isdigit() and axis == name)):
            problem = "is no name"
        elif name in self.fields and (name not in sizes or axis != name):
            problem = "is a field that is no size, or a starred one"
        elif name not in self.fields and near and not axis.isdigit():
            problem = f"is no field and nearly {near[0]!r}"
        if problem:
            message = (
                f"{self.name}: an axis is named by a size field, by a number, or by a free name of its own "
                f"(*name for any number of axes), but {axis!r} {problem}; the size fields are {sizes}"
            )
            raise ClaimError(message)

    def _check_pins(self) -> None:
        known = [*self.fields, *self.axes, "seed"]
        for name in self.pins:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                message = f"{self.name}: it quantifies over {', '.join(known)}, but {name!r} was given{hint}"
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


def _kind(claim: type[Equivalence], name: str, hint: Any) -> Kind:
    if hint is bool:
        return Choice((False, True))
    if get_origin(hint) is Literal:
        return Choice(get_args(hint))
    if get_origin(hint) is Annotated:
        for remark in get_args(hint)[1:]:
            if isinstance(remark, AtLeast | Between | Over):
                return remark
    message = (
        f"{claim.__name__}: a field is a Dim, Annotated[int, Between(low, high)], bool, Literal or "
        f"Annotated[Mask, Over(axes)], but {name!r} is {hint!r}"
    )
    raise ClaimError(message)


def _within(kind: Kind, size: int) -> int:
    if isinstance(kind, Between):
        return min(max(size, kind.low), kind.high)
    assert isinstance(kind, AtLeast)  # noqa: S101  (asked for sizes only)
    return max(size, kind.low)


def _largest(kind: Kind, value: Any) -> Any:
    if isinstance(kind, Between):
        return kind.high
    return kind.low + SPAN if isinstance(kind, AtLeast) else value
