"""A sweep as text for a terminal: every form's ratio at each size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from properties.benchmarking import words
from properties.benchmarking.document import REFERENCE, FormRecord, GroupRecord
from properties.benchmarking.words import WIDTH, cut

SIZE, NAME, RATIO = 10, 25, 23
LEGEND = "ratio to the reference [99 %] at each size; * fastest, or not told apart from it"
COLUMN = 2 + max(NAME, RATIO)
BAND = (WIDTH - SIZE - 14) // (COLUMN + 1)
"""Forms that stand side by side; the others follow below, in a band of their own."""


def sweep_lines(curve: Sequence[GroupRecord]) -> Iterator[str]:
    """Give the title, and one line a size for each band of forms."""
    first = curve[0]
    fixed = ",".join(word for word in first.at.split(",") if not word.startswith(f"{first.axis}="))
    yield ""
    yield cut(f"{first.family}, {first.timed}, along {first.axis}{f', at {fixed}' if fixed else ''}:", WIDTH)
    yield f"  {LEGEND}"
    names = list(dict.fromkeys(form.form for group in curve for form in group.forms))
    candidates = [name for name in names if name != REFERENCE]
    for start in range(0, len(candidates), BAND):
        yield from _band(curve, candidates[start : start + BAND])


def _band(curve: Sequence[GroupRecord], names: Sequence[str]) -> Iterator[str]:
    heads = "".join(f"   {cut(name, NAME):<{COLUMN - 2}}" for name in names)
    yield f"{cut(curve[0].axis, SIZE):>{SIZE}}    {REFERENCE:<10}{heads}".rstrip()
    for group in curve:
        forms = {form.form: form for form in group.forms}
        cells = "".join(f" {_cell(forms.get(name)):<{COLUMN}}" for name in names)
        reference = forms[REFERENCE]
        yield (
            f"{group.value:>{SIZE}}  {_mark(reference)} {words.seconds(reference.seconds):<10}{cells}"
        ).rstrip()


def _cell(form: FormRecord | None) -> str:
    """Give a ratio; nothing for a form that was refused at this size."""
    return "" if form is None else f"{_mark(form)} {words.ratio(form)}"


def _mark(form: FormRecord) -> str:
    return "*" if form.leads else " "
