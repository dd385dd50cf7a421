"""What no case had, and where forms break: sizes at an edge or around blocks, looks, circumstances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from properties.cases.answering import FormError
from properties.cases.case import Case, Shape
from properties.cases.domain import Domain
from properties.cases.sample import build
from properties.cases.values import LIMIT, NORMAL
from properties.circumstances.registry import Circumstance, modes_of, together

EDGES = (0, 1)
ROWS, FEW_ROWS = 5, 3
BLOCKS = (33, 64, 129, 257)
"""A whole block, what lies just behind one, and a tail: what code that works in blocks forgets."""
EXPLORED_BLOCKS = tuple(2**power + step for power in range(4, 11) for step in (-1, 0, 1))
MOST_ENTRIES = 2**18
"""Numbers of a case around blocks: of its inputs, or of the reference's parameters."""
USED_IN_MODES = ("gradients", "calls")


@dataclass
class Corners:
    """The cases that a run of a claim adds to those it drew: small ones, whose numbers come from its seed."""

    domain: Domain
    seed: int = 0

    @cached_property
    def _typical(self) -> Case:
        pins = self.domain.pins
        seed, values = pins.get("seed", self.seed), pins.get("values", NORMAL)
        return replace(self.domain.typical, seed=seed, values=values)

    @cached_property
    def _wide(self) -> Case:
        axes = {name: self.domain.axis(name, (ROWS,)) for name in self.domain.axes}
        return replace(self._typical, claim=next(self.domain.wide()).claim, axes=axes)

    def uncovered(self, tried: Sequence[Case], looks: Iterable[str]) -> Iterator[Case]:
        """Give a small case for each size 0 or 1 and each look of values that none had.

        A size is that of a field or of a free axis; no axes are one too. What is pinned stays, and all other
        sizes are those of a typical case.
        """
        domain, typical = self.domain, self._typical
        shown = {case.values for case in tried if not case.has_few_entries}
        for look in looks:
            if "values" not in domain.pins and look not in {NORMAL, *shown}:
                yield replace(self._wide, values=look)
        # What differs just below overflow is told, and refutes nothing.
        tried = [case for case in tried if case.values != LIMIT]
        for name, kind in domain.sized.items():
            for size in EDGES if name not in domain.pins else ():
                if kind.within(size) == size and all(getattr(case.claim, name) != size for case in tried):
                    yield with_size(domain, typical, name, size)
        for name, starred in domain.axes.items():
            for shape in _shapes(starred=starred) if name not in domain.pins else ():
                if not any(_shows(case.axes[name], shape) for case in tried):
                    yield replace(typical, axes={**typical.axes, name: shape})

    def in_single(self, tried: Sequence[Case]) -> Iterator[Case]:
        """Give a case in float32 where none was of usual values that has entries to show a difference."""
        usual = [case for case in tried if case.values == self._wide.values and not case.has_few_entries]
        if not self.domain.setting.is_double:
            return
        if "seed" not in self.domain.pins and not any(case.in_single for case in usual):
            yield replace(self._wide, seed=self.seed).single

    def unused(self, tried: Sequence[Case], found: Mapping[str, Circumstance]) -> Iterator[Case]:
        """Give a small case of a few rows in each circumstance that none was in, and in each use of a mode.

        A mode by itself is for the law `modes`; its uses show what it does to gradients.
        """
        shown_in = {frozenset(case.under) for case in tried}
        alone = [(name,) for name, one in found.items() if one.aspect != "mode"]
        # One that looks at another dtype shows nothing where the case is in that dtype itself.
        typical = self._typical if "seed" in self.domain.pins else self._typical.double
        for names in (*alone, *_modes(found)):
            under = together([*self.domain.under, *names])
            if frozenset(under) not in shown_in:
                rows = _rows(self.domain, max(found[name].axes for name in names))
                axes = {name: self.domain.axis(name, shape) for name, shape in rows.items()}
                yield replace(typical, axes=axes, under=under)

    def around_blocks(self, sizes: Iterable[int]) -> Iterator[Case]:
        """Give a case for each of these sizes of each field and free axis, all others small, within a budget.

        From the largest on: what is traced of it covers the others.
        """
        domain = self.domain
        names = [name for name in (*domain.sized, *domain.axes) if name not in domain.pins]
        for name in names:
            for size in sorted(sizes, reverse=True):
                if name in domain.axes or domain.sized[name].within(size) == size:
                    case = with_size(domain, self._typical, name, size)
                    if _within_budget(case):
                        yield case


def _rows(domain: Domain, wanted: int) -> dict[str, Shape]:
    """Give each free axis a few rows, and as many leading axes as let an input have the axes wanted."""
    fixed = max(len(one.axes.split()) for one in domain.claim.inputs().values())
    leading = (*(2,) * (wanted - fixed), FEW_ROWS)
    return {name: leading if starred else (FEW_ROWS,) for name, starred in domain.axes.items()}


def with_size(domain: Domain, case: Case, name: str, size: int) -> Case:
    """Give the case with another size of one field, or of one free axis in place of all it stands for."""
    if name in domain.axes:
        return replace(case, axes={**case.axes, name: (size,)})
    return replace(case, claim=domain.with_full_masks({**vars(case.claim), name: size}))


def _within_budget(case: Case) -> bool:
    try:
        module = build(case.claim, "reference", case.seed)
    except FormError:
        # What a reference refuses costs nothing, and is counted by whoever runs it.
        return True
    return max(case.entries, sum(one.numel() for one in module.parameters())) <= MOST_ENTRIES


def _modes(found: Mapping[str, Circumstance]) -> Iterator[tuple[str, ...]]:
    """Join each mode with what is done in it alone: a deployed layer keeps tables, and has no gradients."""
    for mode in modes_of(found):
        yield from ((mode, name) for name, one in found.items() if one.aspect in USED_IN_MODES)
        if "no_grad" in found:
            yield from ((mode, "no_grad", name) for name, one in found.items() if one.aspect == "calls")


def _shapes(*, starred: bool) -> tuple[Shape, ...]:
    single: tuple[Shape, ...] = tuple((size,) for size in EDGES)
    return ((), *single) if starred else single


def _shows(drawn: Shape, shape: Shape) -> bool:
    return shape[0] in drawn if shape else not drawn
