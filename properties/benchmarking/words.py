"""Numbers as a reader of benchmarks wants them."""

from __future__ import annotations

from properties.benchmarking.document import FormRecord

WIDTH = 110
"""Columns of a terminal that a table may take."""
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
SMALL_PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


def seconds(value: float) -> str:
    """Return 88.3 µs."""
    factor, prefix = next((one for one in SMALL_PREFIXES if value >= one[0]), SMALL_PREFIXES[-1])
    return f"{value / factor:.3g} {prefix}s" if value / factor < 1000 else f"{value / factor:.0f} {prefix}s"  # noqa: PLR2004


def large(value: float | None, unit: str = "") -> str:
    """Return 1.57 M, or 6.27 MB; a question mark where nothing was counted."""
    if value is None:
        return "?"
    found = next((one for one in PREFIXES if value >= one[0]), None)
    if found is None:
        return f"{value:.0f} {unit}".strip()
    number = value / found[0]
    return f"{number:.{max(0, 2 - len(str(int(number))) + 1)}f} {found[1]}{unit}"


def cut(text: str, width: int) -> str:
    """Return a text of at most so many characters, the last one … where more are left out."""
    return text if len(text) <= width else text[: width - 1] + "…"


def ratio(form: FormRecord) -> str:
    """Return 7.68 [7.41, 7.82]; the reference's is 1 by definition."""
    if form.standing == "reference":
        return "1"
    return f"{_ratio(form.ratio)} [{_ratio(form.low)}, {_ratio(form.high)}]"


def part(form: FormRecord) -> str:
    """Return 34 % compute; nothing where the bytes were not counted."""
    return "" if form.part_of_peak is None else f"{form.part_of_peak:.0%} {form.limit}".replace("%", " %")


def _ratio(value: float) -> str:
    """Give two digits at least, however small the ratio."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"  # noqa: PLR2004
