"""A counterexample as text for a terminal, from its plain data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from properties.report.document import CounterexampleRecord, TensorRecord

WIDTH = 100
LABEL = 15


def refutation(claim: str, law: str, statement: str, found: CounterexampleRecord) -> str:
    """Name the claim and the law, the case, its values, what differs, and how to see it again."""
    return "\n".join(_lines(claim, law, statement, found))


def _lines(claim: str, law: str, statement: str, found: CounterexampleRecord) -> Iterator[str]:
    known = f", as declared ({found.declared})" if found.declared else ""
    known = known or (f", {found.beyond}" if found.beyond else "")
    yield f"{claim} is refuted by {law}{known}"
    yield labelled("law", statement)
    yield labelled("kind", found.kind)
    yield labelled("smallest case", found.case)
    yield from _flowing([f"{one.name} {shown(one)}" for one in found.values])
    yield from _difference(found)
    for sentence in found.wiring:
        yield labelled("wiring", sentence)
    if found.worst:
        yield labelled("worst seen", found.worst)
    yield labelled("replay", found.replay)
    if found.file:
        yield labelled("", f"equivalence replay {found.file}")


def shown(tensor: TensorRecord) -> str:
    """Write a tensor as nested lists; of one with too many entries the shape, and some that are not 0."""
    if tensor.omitted:
        some = ", ".join(f"{place} = {entry}" for place, entry in tensor.notable.items()) or "all 0"
        return f"of shape {tuple(tensor.shape)}: {some}{_more(tensor)}"
    return str(_nested(list(tensor.entries), list(tensor.shape))).replace("'", "")


def _difference(found: CounterexampleRecord) -> Iterator[str]:
    yield labelled("difference", f"{found.difference} [{found.decided}]")
    reference, candidate = found.reference_output, found.candidate_output
    if reference and candidate and found.total > 1 and not reference.omitted:
        yield from _flowing([f"reference {shown(reference)}", f"candidate {shown(candidate)}"])
    elif reference and candidate and len(reference.notable) > 1:
        sides = zip(reference.notable.items(), candidate.notable.values(), strict=False)
        yield from _flowing([f"{place} candidate {got}, reference {due}" for (place, due), got in sides])
        yield from _flowing(filter(None, [_more(reference).strip()]))


def _more(tensor: TensorRecord) -> str:
    return f" … and {tensor.more:,} more" if tensor.more else ""


def _nested(entries: Sequence[Any], shape: Sequence[int]) -> Any:
    if not shape:
        return entries[0]
    step = len(entries) // shape[0] if shape[0] else 0
    return [_nested(entries[row * step : (row + 1) * step], shape[1:]) for row in range(shape[0])]


def _flowing(parts: Iterable[str]) -> Iterator[str]:
    """Set tensors side by side as far as the line is long."""
    line = ""
    for part in parts:
        if line and len(line) + 3 + len(part) > WIDTH:
            yield line
            line = ""
        line = f"{line}   {part}" if line else f"    {part}"
    if line:
        yield line


def labelled(label: str, text: str) -> str:
    """Return a line of a finding: what it tells, and the text."""
    return f"  {label:<{LABEL}}" + textwrap.fill(text, 1000).strip()


def one_line(text: str) -> str:
    """Return a text from outside as one line of harmless characters."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def harmless(text: str) -> str:
    """Return a text from outside, line by line in harmless characters."""
    return "\n".join(map(one_line, text.split("\n")))
