"""Numbers as a reader wants them."""

from __future__ import annotations

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MINUTE = 60


def duration(seconds: float) -> str:
    """Return 34 ms, 1.2 s or 3 min 20 s."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    return f"{seconds // MINUTE:.0f} min {seconds % MINUTE:.0f} s"


def count(number: int) -> str:
    """Return 12,345."""
    return f"{number:,}"


def scientific(number: float) -> str:
    """Return 4.5 × 10⁻⁷, and a number that is neither small nor large as it stands."""
    mantissa, _, exponent = f"{number:.2g}".partition("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(SUPERSCRIPTS)}" if exponent else mantissa


def plural(number: int, word: str) -> str:
    """Return 1 case, 2 cases."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
