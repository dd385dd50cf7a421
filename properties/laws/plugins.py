"""The laws of other distributions, found through their entry points in the group `equivalence.laws`.

Each entry point names a module, whose import registers laws with `@law()`:

    [project.entry-points."equivalence.laws"]
    my-laws = "my_package.laws"
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from equivalence.variable import ClaimError
from properties.laws.registry import DISTRIBUTIONS, LAWS, Law

GROUP = "equivalence.laws"


@cache
def all_laws() -> Mapping[str, Law]:
    """Return every law by name, ours first; ClaimError where those of a distribution cannot be loaded."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (_distribution(entry), entry.name)):
        _load(entry)
    return LAWS


def _load(entry: EntryPoint) -> None:
    before = dict(LAWS)
    try:
        entry.load()
    except (Exception, SystemExit) as error:
        # What it registered before the mistake must not look taken when it is loaded again.
        LAWS.clear()
        LAWS.update(before)
        raise _error(entry, f"it raised {type(error).__name__}: {error}") from error
    # Its module may have been imported before, by a test or by another entry point.
    brought = [name for name, law in LAWS.items() if name not in before or _is_of(entry, law)]
    if not brought:
        raise _error(entry, "it registers none; write @law() above one")
    DISTRIBUTIONS.update(dict.fromkeys(brought, _distribution(entry)))


def _is_of(entry: EntryPoint, law: Law) -> bool:
    return law.observe.__module__.partition(".")[0] == entry.module.partition(".")[0]


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown distribution"


def _error(entry: EntryPoint, problem: str) -> ClaimError:
    text = " ".join(problem.split())
    return ClaimError(
        f"an entry point of the group {GROUP} names a module that registers laws, but with {entry.name!r} "
        f"({entry.value}) of {_distribution(entry)} {text}; mend that distribution, or uninstall it"
    )
