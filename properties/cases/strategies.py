"""Claim -> cases. The only place that knows Hypothesis' strategies.

Every strategy draws little and shrinks towards the case that is easiest to read: sizes to 1, masks to nothing
alive, no leading axes, seed 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from equivalence.claim import Equivalence
from equivalence.variable import Mask
from properties.cases.case import Case, Shape
from properties.cases.domain import Domain
from properties.cases.fields import LARGE, mask_of
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
    # Made once: a strategy made anew for every case costs as much as drawing from it.
    values = {name: _values(kind.drawn(wide=wide)) for name, kind in domain.free.items()}
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
    look = domain.pins.get("values") or draw(looks)
    return Case(claim, axes, seed, look, draw(under), domain.setting)


def _claim(draw: st.DrawFn, domain: Domain, values: Mapping[str, st.SearchStrategy[Any]]) -> Equivalence:
    drawn: dict[str, Any] = {}
    for name, _ in domain.drawn:
        strategy = values[name] if name in values else _masks(*domain.mask_shape(name, drawn))
        drawn[name] = draw(strategy)
    return domain.configure(drawn)


def _values(drawn: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Draw any integer of a range, or one of a few values, which shrink to the first."""
    return st.integers(drawn[0], drawn[-1]) if isinstance(drawn, range) else st.sampled_from(drawn)


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
    return bits.map(lambda pattern: mask_of(f"{pattern:0{entries}b}" if entries else "", (rows, columns)))
