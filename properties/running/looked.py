"""What the cells of a claim looked at, and what they did not: no "the same" is said of the rest."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from properties.cases.setting import USUAL, Setting
from properties.cases.values import LOOKS, NORMAL
from properties.circumstances import CIRCUMSTANCES
from properties.circumstances.registry import APART
from properties.dtypes import DTYPES
from properties.laws import all_laws
from properties.report.document import CellRecord
from properties.report.numbers import plural
from properties.running.recording import UNKEPT
from properties.ways import WAYS, Way

NEVER = "values beyond 1e4"


def looked_at(records: Sequence[CellRecord], *, fed: bool = False, setting: Setting = USUAL) -> Iterator[str]:
    """Say on how many cases, sizes, dtypes and kinds of values a claim was run, and on what it was not.

    `fed` says that inputs came from data that the user gave.
    """
    if ran := [record for record in records if record.executed]:
        yield from _run_on(records, ran, _values(ran, fed=fed), setting)
    notes = dict.fromkeys(note for record in records for note in record.notes)
    yield from _told_once(note for note in notes if not note.startswith(UNKEPT))


def _run_on(
    records: Sequence[CellRecord], ran: Sequence[CellRecord], values: str, setting: Setting
) -> Iterator[str]:
    cases, sizes = plural(sum(record.executed for record in ran), "case"), _sizes(ran)
    dtypes = _dtypes(ran, setting)
    run_on = ", ".join(filter(None, [cases, _spanned(sizes), _told(dtypes, setting)]))
    uses = circumstances_of(ran)
    yield f"looked at: {run_on}; {values}"
    if uses:
        aspects = dict.fromkeys(CIRCUMSTANCES[name].aspect for name in uses)
        yield f"used in {plural(len(uses), 'circumstance')}: {', '.join(aspects)}"
    left = [*_other_sizes(sizes), NEVER, *_other_settings(dtypes, setting), *_other_laws(records)]
    yield f"not looked at: {', '.join([*left, *_not_used(uses)])}"


def _told_once(notes: Iterable[str]) -> Iterator[str]:
    """Give the first note of a kind, which stands before its colon, and count the others."""
    kinds: dict[str, list[str]] = {}
    for note in notes:
        kinds.setdefault(note.partition(":")[0], []).append(note)
    for first, *others in kinds.values():
        yield first + (f" (and {len(others)} more like it)" if others else "")


def circumstances_of(records: Sequence[CellRecord]) -> list[str]:
    """Name the circumstances that any case was in, in the order of the registry."""
    words = {word for record in records for word in record.sizes.get("under", {})}
    found = {name for word in words for name in word.split(APART)}
    return [name for name in CIRCUMSTANCES if name in found]


def _not_used(uses: Collection[str]) -> Iterator[str]:
    """Name the circumstances that a gate leaves out, and count the others."""
    left = [one for name, one in CIRCUMSTANCES.items() if name not in uses]
    rare = [one.told for one in left if one.tried != "gate"]
    yield from rare
    if others := len(left) - len(rare):
        yield plural(others, "other circumstance")


def _sizes(records: Sequence[CellRecord]) -> set[int]:
    """Give every size that a field or a free axis had."""
    words = (word for record in records for values in record.sizes.values() for word in values)
    return {int(size) for word in words if re.fullmatch(r"\d+(x\d+)*", word) for size in word.split("x")}


def _spanned(sizes: set[int]) -> str:
    if not sizes:
        return ""
    least, largest = min(sizes), max(sizes)
    return f"sizes {least:,} to {largest:,}" if least < largest else f"size {largest:,}"


def _dtypes(records: Sequence[CellRecord], setting: Setting) -> list[str]:
    """Name the dtypes that forms ran in, the usual one first."""
    singly = setting.is_double and any(way.single for way in _ways(records))
    return [setting.dtype_name, *(["float32"] if singly else [])]


def _told(dtypes: Sequence[str], setting: Setting) -> str:
    """Say in which dtypes forms ran, and where that is not the CPU."""
    return ", now and then ".join(dtypes) + ("" if setting.on_cpu else f" on {setting.device}")


def _other_settings(dtypes: Sequence[str], setting: Setting) -> Iterator[str]:
    """Name the dtypes in which no form ran, the narrowest first, and say that there are other devices."""
    *others, last = [name for name in reversed(DTYPES) if name not in dtypes]
    yield f"{', '.join(others)} and {last}"
    yield f"other devices than {'the CPU' if setting.on_cpu else setting.device}"


def _ways(records: Sequence[CellRecord]) -> list[Way]:
    """Give the ways in which any case was decided, in the order of their table."""
    words = {word for record in records for word in record.decided}
    return [way for word, way in WAYS.items() if word in words]


def _values(records: Sequence[CellRecord], *, fed: bool) -> str:
    kinds = list(dict.fromkeys(way.numbers for way in _ways(records)))
    drawn = {name for record in records for name in record.sizes.get("values", {})}
    kinds += [f"inputs {look.told}" for name, look in LOOKS.items() if name in drawn and name != NORMAL]
    asked = {record.law for record in records}
    kinds += dict.fromkeys(law.beside for name, law in all_laws().items() if law.beside and name in asked)
    return ", ".join([*kinds, *(["inputs from the data given"] if fed else [])])


def _other_sizes(sizes: set[int]) -> Iterator[str]:
    if sizes:
        yield "larger sizes"
        yield from ["size 0"] if 0 not in sizes else []


def _other_laws(records: Sequence[CellRecord]) -> Iterator[str]:
    """Count the laws that this run was not asked."""
    if unasked := all_laws().keys() - {record.law for record in records}:
        yield plural(len(unasked), "other law")
