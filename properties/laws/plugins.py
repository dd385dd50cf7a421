"""Laws and circumstances of other distributions, found through entry points in the group `equivalence.laws`.

Each entry point names a module, whose import registers laws with `@law()`, or circumstances with
`@circumstance(…)`:

    [project.entry-points."equivalence.laws"]
    my-laws = "my_package.laws"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from equivalence.variable import ClaimError
from properties.circumstances import CIRCUMSTANCES
from properties.laws.registry import DISTRIBUTIONS, LAWS, Law

GROUP = "equivalence.laws"


@cache
def all_laws() -> Mapping[str, Law]:
    """Return every law by name, ours first; ClaimError where those of a distribution cannot be loaded."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (_distribution(entry), entry.name)):
        _load(entry)
    return LAWS


def _load(entry: EntryPoint) -> None:
    before, circumstances = dict(LAWS), dict(CIRCUMSTANCES)
    try:
        entry.load()
    except (Exception, SystemExit) as error:
        # What it registered before the mistake must not look taken when it is loaded again.
        _restore(LAWS, before)
        _restore(CIRCUMSTANCES, circumstances)
        raise _error(entry, f"it raised {type(error).__name__}: {error}") from error
    # Its module may have been imported before, by a test or by another entry point.
    brought = [name for name, law in LAWS.items() if name not in before or _is_of(entry, law.observe)]
    if not brought and not any(_is_of(entry, one.change) for one in CIRCUMSTANCES.values()):
        raise _error(entry, "it registers none; write @law() above one")
    DISTRIBUTIONS.update(dict.fromkeys(brought, _distribution(entry)))


def _restore(table: dict[str, Any], before: Mapping[str, Any]) -> None:
    table.clear()
    table.update(before)


def _is_of(entry: EntryPoint, function: Callable[..., Any]) -> bool:
    return function.__module__.partition(".")[0] == entry.module.partition(".")[0]


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown distribution"


def _error(entry: EntryPoint, problem: str) -> ClaimError:
    text = " ".join(problem.split())
    return ClaimError(
        f"an entry point of the group {GROUP} names a module that registers laws, but with {entry.name!r} "
        f"({entry.value}) of {_distribution(entry)} {text}; mend that distribution, or uninstall it"
    )
