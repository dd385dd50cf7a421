"""The words of a report: what a status is called, how it is marked, and how urgent it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from properties.ways import WAYS
from properties.ways import mark as mark_of


@dataclass(frozen=True)
class StatusWord:
    """A status as a reader meets it."""

    name: str
    """As a cell's record has it."""
    mark: str
    """One letter, as in the terminal's table."""
    style: str
    """The class that colours it."""
    as_claimed: bool

    @property
    def reason(self) -> str:
        """How a reason is introduced."""
        return REASONS.get(self.name, "Declared")


REFUTED_AS_DECLARED = "refuted as declared"
NOT_CLAIMED = "not claimed"
DOES_NOT_APPLY = "does not apply"
REASONS = {NOT_CLAIMED: "Not claimed", DOES_NOT_APPLY: "Does not apply"}
STATUSES = {
    word.name: word
    for word in (
        StatusWord("refuted", "!", "refuted", as_claimed=False),
        StatusWord("declared break not found", "?", "unfound", as_claimed=False),
        StatusWord("error", "E", "error", as_claimed=False),
        StatusWord(REFUTED_AS_DECLARED, "x", "declared", as_claimed=True),
        StatusWord(NOT_CLAIMED, "-", "unclaimed", as_claimed=True),
        StatusWord("holds", "=", "holds", as_claimed=True),
        StatusWord(DOES_NOT_APPLY, "·", "inapplicable", as_claimed=True),
    )
}
"""By name, the most urgent first."""
DECIDED = {word: way.told for word, way in WAYS.items()}
"""How a case was decided."""
CORNERS = ("zero", "one", "equal", "prime", "non-contiguous")
"""The sizes and layouts that hide mistakes."""


def mark(status: str, decided: Mapping[str, int]) -> str:
    """Return the letter of a cell; one that holds is = (exact), ~ (up to rounding) or % (statistics)."""
    return mark_of(decided) if status == "holds" else STATUSES[status].mark
