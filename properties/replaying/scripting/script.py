"""One failing case -> the text of a script that shows it: the forms, the numbers, and plain asserts."""

from __future__ import annotations

import platform
import re
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from properties.cases.form import FormError
from properties.cases.sample import Sample
from properties.laws import all_laws
from properties.refutation.counterexample import pins, place
from properties.replaying import scripts
from properties.replaying.scripting.binding import ScriptError
from properties.replaying.scripting.claim_class import PlainClaim, attributes_of
from properties.replaying.scripting.closure import Closure, written_imports
from properties.replaying.scripting.finding import Finding
from properties.replaying.scripting.numbers import forms, numbers
from properties.replaying.scripting.source import bound_names, global_names

FOLDER = Path(str(scripts.__file__)).parent
WIDTH = 100
DISTRIBUTIONS = ("torch", "numpy")
CONSTRUCTED = "print(reference)\nprint(candidate)\n"
"""All that can be asked where a form cannot be constructed."""
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
    a law that has no text in properties/replaying/scripts, and for a claim or a layer whose source cannot be
    written out.
    """
    asked = _asked(finding.law)
    try:
        sample = Sample(finding.case, finding.regime, None, finding.values)
        setup = _needed(numbers(finding, sample), asked)
    except FormError:
        asked = CONSTRUCTED
        setup = _needed(forms(finding), asked)
    return "\n".join([*_parts(finding, setup, asked, USAGE if shown else NOT_SHOWN), _ending(shown=shown)])


def _asked(law: str) -> str:
    path = FOLDER / f"{law}.txt"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in FOLDER.glob("*.txt")))
        message = f"a script can show {known}, but not {law!r}; replay the failure instead"
        raise ScriptError(message)
    return path.read_text(encoding="utf-8")


def _needed(lines: Mapping[str, str], asked: str) -> str:
    """Keep the lines whose names are read further down."""
    read, kept = set(global_names(asked)), []
    for name, text in reversed(list(lines.items())):
        if name in read:
            read |= global_names(text)
            kept.append(text)
    return "".join(reversed(kept))


def _ending(*, shown: bool) -> str:
    return 'print("FIXED")\n' if shown else f'print(\n    "{NOT_SHOWN}"\n)\n'


def _parts(finding: Finding, setup: str, asked: str, usage: str) -> Iterator[str]:
    claim = PlainClaim(finding.case.claim)
    for name in ("reference", "candidate", *attributes_of("claim", setup + asked)):
        claim.need(name)
    theirs = Closure({one.__module__ for one in claim.order})
    claim.resolve(theirs)
    ours = Closure({scripts.__name__})
    ours.need(setup + asked, scripts, own={*claim.names, *claim.field_names})
    rename = _renaming(theirs, claim, ours, bound_names(setup + asked))
    imports = [replace(one, name=rename(one.name)) for one in ours.imports.values()]
    yield _head(finding, usage)
    if theirs.needs_future_annotations:
        yield "from __future__ import annotations\n"
    yield from written_imports([*theirs.imports.values(), *imports])
    written = [*theirs.definitions.values(), claim.text(), *map(rename, ours.definitions.values())]
    for place_, text in enumerate(written):
        # As the usual formatter has it: a constant stands nearer to the imports than a class does.
        yield text if place_ == 0 and "\n" not in text.strip() else f"\n{text}"
    yield f"\n{rename(setup)}"
    yield f"\n{rename(asked)}" if asked.startswith("def ") else rename(asked)


def _renaming(
    theirs: Closure, claim: PlainClaim, ours: Closure, assigned: Collection[str]
) -> Callable[[str], str]:
    """Give a name of ours that means something else in a layer another one, wherever we write it."""
    imported = {name for name, one in ours.imports.items() if theirs.imports.get(name) != one}
    known = {*theirs.imports, *theirs.definitions, *claim.names}
    taken = sorted(known.intersection(imported | ours.definitions.keys() | set(assigned)))
    if not taken:
        return str
    return partial(re.compile(rf"(?<![\w.])({'|'.join(taken)})(?!\w)").sub, r"\1_")


def _head(finding: Finding, usage: str) -> str:
    """Say in the script's docstring what it shows, and where that was seen."""
    case, law = finding.case, all_laws()[finding.law]
    lines = {
        "Law": law.statement,
        "Case": pins(case),
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
