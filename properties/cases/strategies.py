"""Claim -> cases. The only place that knows Hypothesis' strategies.

Every strategy draws little and shrinks towards the case that is easiest to read: sizes to 1, masks to nothing
alive, no leading axes, seed 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from equivalence.claim import Equivalence
from equivalence.variable import AtLeast, Between, Mask, Over
from properties.cases.case import Case, Shape
from properties.cases.definition import Choice
from properties.cases.domain import LARGE, SPAN, WIDE, Domain
from properties.cases.values import LOOKS, NORMAL
from properties.circumstances.registry import Shown, together

STARRED: st.SearchStrategy[Shape] = st.sampled_from(
    [
        *((), (1,), (2,), (3,), (5,)),
        *((1, 1), (1, 2), (2, 1), (2, 3), (3, 2)),
        *((2, 1, 3), (1, 2, 2), (0,), (2, 0), (LARGE,)),
    ]
)
"""Leading axes of small cases: none, one, several, with sizes 0 and 1."""
FREE: st.SearchStrategy[Shape] = st.sampled_from([(1,), (2,), (3,), (4,), (5,), (0,)])
SEEDS = st.integers(0, 2**32 - 1)
Cases = st.SearchStrategy[Case]
Size = Callable[[AtLeast | Between], st.SearchStrategy[int]]
"""How the sizes of a field are drawn."""


LOOKED = st.sampled_from([*[NORMAL] * (len(LOOKS) - 1), *(name for name in LOOKS if name != NORMAL)])
"""Half of the cases have usual values."""


@dataclass(frozen=True)
class Kinds:
    """What else a case of one law may be drawn with."""

    looks: bool = False
    """Values that look unlike N(0, 1)."""
    shown: Shown | None = None
    """Circumstances that show in values, or in gradients."""


def cases(domain: Domain, *, wide: bool = False, kinds: Kinds = Kinds()) -> st.SearchStrategy[Case]:
    """Draw cases of a claim: fields, masks over them, free axes, a seed, looks and circumstances."""
    size = _wide_size if wide else _small_size
    # Made once: a strategy made anew for every case costs as much as drawing from it.
    values = {name: _values(kind, size) for name, kind in domain.drawn if not isinstance(kind, Over)}
    looks = LOOKED if kinds.looks else st.just(NORMAL)
    return _cases(domain, values, looks, _circumstances(domain, kinds.shown))


def _circumstances(domain: Domain, shown: Shown | None) -> st.SearchStrategy[tuple[str, ...]]:
    """Draw none in half of the cases, else one or two, beside those that every case is under."""
    found = domain.circumstances(shown, exploring=True)
    if not found:
        return st.just(domain.under)
    few = st.lists(
        st.sampled_from(list(found)), min_size=1, max_size=2, unique_by=lambda one: found[one].aspect
    )
    return (st.just(()) | few).map(lambda names: together([*domain.under, *names]))


@st.composite
def _cases(
    draw: st.DrawFn,
    domain: Domain,
    values: Mapping[str, st.SearchStrategy[Any]],
    looks: st.SearchStrategy[str],
    under: st.SearchStrategy[tuple[str, ...]],
) -> Case:
    claim = _claim(draw, domain, values)
    axes = {
        name: domain.axis(name, () if name in domain.pins else draw(STARRED if starred else FREE))
        for name, starred in domain.axes.items()
    }
    seed = domain.pins["seed"] if "seed" in domain.pins else draw(SEEDS)
    return Case(claim, axes, seed, domain.pins.get("values") or draw(looks), draw(under))


def _claim(draw: st.DrawFn, domain: Domain, values: Mapping[str, st.SearchStrategy[Any]]) -> Equivalence:
    drawn: dict[str, Any] = {}
    for name, _ in domain.drawn:
        strategy = values[name] if name in values else _masks(*domain.mask_shape(name, drawn))
        drawn[name] = draw(strategy)
    return domain.configure(drawn)


def _values(kind: AtLeast | Between | Choice, size: Size) -> st.SearchStrategy[Any]:
    return st.sampled_from(kind.values) if isinstance(kind, Choice) else size(kind)


def _small_size(kind: AtLeast | Between) -> st.SearchStrategy[int]:
    """Draw 1 and up first; 0 shows little, and a large size, for code that works in blocks, takes long."""
    if isinstance(kind, Between):
        return st.integers(kind.low, kind.high)
    usual = range(max(1, kind.low), kind.low + SPAN + 1)
    return st.sampled_from([*usual, *([0] if kind.low == 0 else []), kind.low + LARGE])


def _wide_size(kind: AtLeast | Between) -> st.SearchStrategy[int]:
    if isinstance(kind, Between):
        return st.integers(max(kind.low, kind.high - 1), kind.high)
    return st.sampled_from([max(kind.low, size) for size in WIDE])


def _masks(rows: int, columns: int) -> st.SearchStrategy[Mask]:
    """Draw a mask of any density: none alive, all, one entry, or any pattern, as one integer of bits."""
    entries = rows * columns
    every = 2**entries - 1
    bits = st.sampled_from([0, every]) | st.integers(0, every)
    if entries:
        bits = (
            st.sampled_from([0, every])
            | st.integers(0, entries - 1).map(lambda k: 1 << k)
            | st.integers(0, every)
        )
    return bits.map(lambda pattern: _mask(pattern, rows, columns))


def _mask(pattern: int, rows: int, columns: int) -> Mask:
    digits = f"{pattern:b}".zfill(rows * columns) if rows * columns else ""
    return Mask("/".join(digits[row * columns : (row + 1) * columns] for row in range(rows)))
