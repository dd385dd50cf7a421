"""One failing case -> the text of a script that shows it: the forms, the numbers, and plain asserts."""

from __future__ import annotations

import platform
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.metadata import version

from properties.cases.answering import FormError
from properties.cases.setting import USUAL
from properties.laws import all_laws
from properties.refutation.counterexample import pins, place
from properties.replaying import standing
from properties.replaying.scripting.claim_class import PlainClaim
from properties.replaying.scripting.closure import Closure, written_imports
from properties.replaying.scripting.finding import Finding
from properties.replaying.scripting.shown import OF_CLAIM, Shown, constructions, law_of
from properties.replaying.scripting.source import bound_names

WIDTH = 100
DISTRIBUTIONS = ("torch", "numpy")
USAGE = (
    "Ends with an AssertionError, or what a form raises, while the failure is there; prints FIXED once it is "
    "gone."
)


NOT_SHOWN = (
    "NOT SHOWN: this script did not show the failure when it was written, and is no evidence of a fix; "
    "use equivalence replay"
)


def script(finding: Finding, *, shown: bool = True) -> str:
    """Write a script that raises AssertionError, or what a form raises, while the failure is there.

    Once it is gone, the script prints FIXED, or NOT SHOWN where it never was `shown`. Raises ScriptError for
    a law that a script cannot hold, and for a claim or a layer whose source cannot be written out.
    """
    try:
        ours = law_of(finding)
    except FormError:
        ours = constructions(finding)
    return "\n".join([*_parts(finding, ours, USAGE if shown else NOT_SHOWN), _ending(shown=shown)])


def _ending(*, shown: bool) -> str:
    return 'print("FIXED")\n' if shown else f'print(\n    "{NOT_SHOWN}"\n)\n'


def _parts(finding: Finding, ours: Shown, usage: str) -> Iterator[str]:
    claim = PlainClaim(claim=finding.case.claim)
    for name in ("reference", "candidate", *ours.read_of(*OF_CLAIM)):
        claim.need(name)
    theirs = Closure({one.__module__ for one in claim.order})
    claim.resolve(theirs)
    closure = ours.closure
    closure.need(ours.setup, standing, own={*ours.names, *closure.given, *claim.names, *claim.field_names})
    rename = _renaming(theirs, claim, ours)
    imports = [replace(one, name=rename(one.name)) for one in closure.imports.values()]
    yield _head(finding, usage)
    if theirs.needs_future_annotations or closure.needs_future_annotations:
        yield "from __future__ import annotations\n"
    yield from written_imports([*theirs.imports.values(), *imports])
    written = [*theirs.definitions.values(), claim.text(), *map(rename, ours.definitions)]
    for place_, text in enumerate(written):
        # As the usual formatter has it: a constant stands nearer to the imports than a class does.
        yield text if place_ == 0 and "\n" not in text.strip() else f"\n{text}"
    yield f"\n{rename(ours.setup)}"
    yield rename(ours.asked)


def _renaming(theirs: Closure, claim: PlainClaim, ours: Shown) -> Callable[[str], str]:
    """Give a name of ours that means something else in a layer another one, wherever we write it."""
    imported = {name for name, one in ours.closure.imports.items() if theirs.imports.get(name) != one}
    known = {*theirs.imports, *theirs.definitions, *claim.names}
    taken = sorted(known & (imported | ours.names | bound_names(ours.setup + ours.asked)))
    if not taken:
        return str
    # Neither attributes nor words, nor the names of arguments.
    return partial(re.compile(rf"(?<![\w.\"'])({'|'.join(taken)})(?![\w\"']|=[^=])").sub, r"\1_")


def _head(finding: Finding, usage: str) -> str:
    """Say in the script's docstring what it shows, and where that was seen."""
    case, law = finding.case, all_laws()[finding.law]
    lines = {
        "Law": law.statement,
        "Case": pins(case),
        "Setting": str(case.setting) if case.setting != USUAL else "",
        "Difference": finding.difference,
        "Seen with": ", ".join(
            f"{name} {number}" for name, number in (finding.versions or versions()).items()
        ),
    }
    told = [_flowing(f"{label + ':':<12}{text}") for label, text in lines.items() if text]
    content = "\n".join(
        [f"{place(case)} fails the law {law.name}.", "", *told, "", *textwrap.wrap(usage, WIDTH)]
    )
    content = content.replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{content}\n"""\n'


def versions() -> dict[str, str]:
    """Name what a script runs with here."""
    return {"Python": platform.python_version()} | {name: version(name) for name in DISTRIBUTIONS}


def _flowing(text: str) -> str:
    return textwrap.fill(
        text, WIDTH, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False
    )
