"""Cases that the reference refuses: a few lie at the edge of a domain, many mean that it is stated wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hypothesis.errors import Unsatisfiable

from properties.cases.answering import FormError
from properties.cases.domain import Domain
from properties.judging.tally import Tally

FEWEST = 10
"""So many refusals are no chance of a few cases."""
OF_SHAPE = re.compile(r"shape|size|dimension", re.IGNORECASE)
"""What an exception says that is about the shape of an input."""


class MostlyRefusedError(Unsatisfiable):
    """The reference refused more than half of the cases: what is left says little about the claim."""


def mostly_refused(tally: Tally, wanted: int) -> bool:
    """Whether more cases were refused than will be executed, so that the rest need not be drawn."""
    return tally.refused >= FEWEST and tally.refused > max(wanted, tally.executed)


def told(domain: Domain, law: str, tally: Tally) -> str:
    """Say how many cases were refused, with which words the first was, and what to do."""
    drawn = tally.refused + tally.executed
    return (
        f"{domain.name} under {law}: the reference accepts at least half of the cases, but refused "
        f"{tally.refused} of the first {drawn}, the first with {tally.refusal}; {_remedy(domain, tally)}"
    )


def _remedy(domain: Domain, tally: Tally) -> str:
    free = ", ".join(_free_axes(domain))
    if free and tally.refusal is not None and _is_of_shape(tally.refusal):
        return (
            f"where the size of a free axis ({free}) follows from others, name the axis by a property that "
            "computes it"
        )
    return "narrow the fields to what it accepts, by AtLeast, Between or Literal"


def _free_axes(domain: Domain) -> Iterator[str]:
    yield from (name for name, starred in domain.axes.items() if not starred and name not in domain.pins)


def _is_of_shape(refusal: Exception) -> bool:
    original = refusal.__cause__.original if isinstance(refusal.__cause__, FormError) else None
    return isinstance(original, RuntimeError | ValueError | IndexError) and bool(
        OF_SHAPE.search(f"{original}")
    )
