"""The domain of a claim: its fields, its free axes, what is fixed, and a few cases of special use."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from math import prod
from typing import Any

from torch import Tensor

from equivalence.claim import Equivalence
from equivalence.variable import ClaimError
from properties.cases.answering import FormError
from properties.cases.case import Case, Shape
from properties.cases.definition import RESERVED, derived_sizes, fields_of, free_axes, located
from properties.cases.fields import LARGE, WIDE, Choice, Field, MaskField, SizeField, full, of_kind
from properties.cases.sample import build
from properties.cases.setting import USUAL, Setting
from properties.cases.values import NORMAL, look
from properties.circumstances.registry import (
    Circumstance,
    Shown,
    asked_and_left_out,
    known,
    possible,
    together,
)

WIDEST_EXEMPLAR = 8
SMALL = ((1,), (2,), (3,), (1, 2), (2, 1), (2, 3), (3, 2))
"""Sizes of small cases that are tried where a wide one failed; by turns, for some fail at unequal ones."""


class Domain:
    """The cases of one claim; `pins` fixes fields, axes or the seed, `data` gives the rows of real inputs."""

    def __init__(
        self,
        claim: type[Equivalence],
        pins: Mapping[str, Any] | None = None,
        data: Tensor | None = None,
        setting: Setting = USUAL,
    ) -> None:
        """Read a claim's class; ClaimError where it is not written as a claim is.

        `pins["under"]` gives circumstances that every case is under, and as "not name" those that none is.
        """
        self.claim = claim
        self.pins = dict(pins or {})
        self.data = data
        self.setting = setting
        with located(claim):
            self.fields = fields_of(claim)
            asked = [asked_and_left_out(words) for words in (claim.circumstances, self.pins.pop("under", ()))]
            self.left_out = [name for _, left_out in asked for name in left_out]
            if under := together(name for names, _ in asked for name in names):
                self.pins["under"] = under
            self.masks = of_kind(MaskField, self.fields)
            self.sized = of_kind(SizeField, self.fields)
            self.choices = of_kind(Choice, self.fields)
            self.axes = free_axes(claim, self.fields)
            self.derived = derived_sizes(claim)
            self._check_pins()

    @property
    def name(self) -> str:
        """The claim's name."""
        return self.claim.__name__

    @property
    def free(self) -> dict[str, Choice | SizeField]:
        """The fields that are no mask: their values follow from no other."""
        return {name: one for name, one in self.fields.items() if isinstance(one, Choice | SizeField)}

    @property
    def exemplar(self) -> Equivalence:
        """A small configuration that the reference accepts."""
        return self.typical.claim

    @cached_property
    def typical(self) -> Case:
        """A small case that the reference accepts; ClaimError where none is found."""
        with located(self.claim):
            return self._first_accepted()

    @cached_property
    def drawn(self) -> list[tuple[str, Field]]:
        """Name the fields that are not pinned, with the masks last: their shapes depend on the sizes."""
        free = [(name, kind) for name, kind in self.fields.items() if name not in self.pins]
        return sorted(free, key=lambda field: field[0] in self.masks)

    def sizes(self, case: Case) -> dict[str, int]:
        """Give every size of a case by name; any number of free axes count as their product."""
        named = {name: case.size(name) for name in (*self.sized, *self.derived)}
        return named | {name: prod(shape) for name, shape in case.axes.items()}

    def options(self, case: Case) -> tuple[object, ...]:
        """Give the fields of a case that are one of a few values."""
        return tuple(getattr(case.claim, name) for name in self.choices)

    def largest(self, like: Case) -> Case:
        """Give the case with every size at its largest, and the other fields as in a given case."""
        claim = self._configured(lambda name, kind: kind.largest(getattr(like.claim, name)))
        axes = {name: self.axis(name, (LARGE,)) for name in self.axes}
        return Case(claim, axes, 0, under=like.under, setting=self.setting)

    def wide(self) -> Iterator[Case]:
        """Give cases of many entries and unequal sizes: one for every value of every option."""
        options = {name: kind.values for name, kind in self.choices.items()}
        usual = {name: values[-1] for name, values in options.items()}
        chosen = [{**usual, name: value} for name, values in options.items() for value in values]
        for place, picked in enumerate(chosen or [usual]):
            yield self._wide_case(picked, place)

    def circumstances(self, shown: Shown | None, *, exploring: bool = False) -> dict[str, Circumstance]:
        """Give what a case may be under beside what is asked for, where it shows in values or gradients."""
        asked = {known(name).aspect for name in self.under}
        tried = ("gate", "explore") if exploring else ("gate",)
        found = possible(self.exemplar, shown) if shown else {}
        return {
            name: one
            for name, one in found.items()
            if one.tried in tried and one.aspect not in asked and name not in self.left_out
        }

    @property
    def under(self) -> tuple[str, ...]:
        """In what circumstances every case is, as the claim or its reader asks."""
        asked: tuple[str, ...] = self.pins.get("under", ())
        return asked

    def smaller(self, like: Case) -> Iterator[Case]:
        """Give the cases with every size cut to a few small ones, and the rest as in a given case."""
        for small in SMALL:
            most = max(small)
            if max(self.sizes(like).values(), default=0) > most:
                turns = itertools.cycle(small)
                claim = self._configured(lambda name, kind: kind.cut(getattr(like.claim, name), turns))  # noqa: B023  (called at once)
                axes = {name: tuple(min(size, most) for size in shape) for name, shape in like.axes.items()}
                axes = {name: self.axis(name, shape) for name, shape in axes.items()}
                yield replace(like, claim=claim, axes=axes)

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
        rows, columns = (int({**values, **self.pins}[axis]) for axis in self.masks[name].over)
        return rows, columns

    def with_full_masks(self, values: Mapping[str, Any]) -> Equivalence:
        """Make the claim's instance with these sizes and options, every entry of a mask alive."""
        masks = {name: full(self.mask_shape(name, values)) for name in self.masks}
        return self.configure({**values, **masks})

    def _configured(self, choose: Callable[[str, Choice | SizeField], Any]) -> Equivalence:
        return self.with_full_masks({name: choose(name, kind) for name, kind in self.free.items()})

    def _first_accepted(self) -> Case:
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

    def _wide_case(self, picked: Mapping[str, Any], place: int) -> Case:
        sizes = itertools.cycle([*WIDE[place % len(WIDE) :], *WIDE[: place % len(WIDE)]])
        claim = self._configured(lambda name, kind: picked[name] if name in picked else kind.usual(sizes))
        axes = {name: self.axis(name, (1,)) for name in self.axes}
        return Case(claim, axes, self.pins.get("seed", place), under=self.under, setting=self.setting)

    def _exemplars(self) -> Iterator[Case]:
        """Give small configurations of equal sizes, then of all small sizes."""
        for size in (2, 1, 3, 4, 0, 5, 6):
            yield self._exemplar(itertools.repeat(size))
        every = itertools.product(range(1, WIDEST_EXEMPLAR), repeat=len(self.sized))
        for sizes in itertools.islice(every, 1000):
            yield self._exemplar(iter(sizes))

    def _exemplar(self, sizes: Iterator[int]) -> Case:
        claim = self._configured(lambda _, kind: kind.usual(sizes))
        axes = {name: self.axis(name, (2,)) for name in self.axes}
        return Case(claim, axes, 0, under=self.under, setting=self.setting)

    def _check_pins(self) -> None:
        known = [*self.fields, *self.axes, *RESERVED]
        look(self.pins.get("values", NORMAL))
        for name in self.pins:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                hint = "; it follows from the fields" if name in self.derived else hint
                message = f"{self.name}: it quantifies over {', '.join(known)}, but {name!r} was given{hint}"
                raise ClaimError(message)
