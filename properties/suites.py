"""Claim -> a class of real Hypothesis tests, one a law, for pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from equivalence.claim import Equivalence
from equivalence.variable import ClaimError
from properties.cell import Cell, Plan
from properties.counterexample import Refuted
from properties.declarations import check_declarations, known_law
from properties.domain import Domain
from properties.laws import LAWS
from properties.laws.registry import Law
from properties.profiles import current


def chosen_laws(names: Iterable[str] | None = None) -> list[Law]:
    """Give laws by name, all of them by default; ClaimError for a name that is none."""
    wanted = list(LAWS) if names is None else list(dict.fromkeys(names))
    return [LAWS[known_law(name)] for name in wanted]


def cells(domain: Domain, names: Iterable[str] | None = None) -> list[Cell]:
    """Pair a claim with laws; ClaimError where it breaks a law that does not exist."""
    chosen = chosen_laws(names)
    check_declarations(domain)
    return [Cell(domain, law) for law in chosen]


def suite(
    claim: type[Equivalence],
    *,
    laws: Iterable[str] | None = None,
    examples: int | None = None,
    pins: Mapping[str, Any] | None = None,
) -> type:
    """Make the test class of a claim: `TestMyLayer = properties.suite(MyLayerIsOld)`.

    Each law is one test. A law that cannot apply is skipped with its reason; one that the claim declares it
    breaks must fail by a disagreement. ClaimError for a claim that is not written as one.
    """
    domain = Domain(claim, pins)
    plan = Plan(profile=current(), examples=examples)
    tests = {f"test_{cell.law.name}": staticmethod(_marked(cell, plan)) for cell in cells(domain, laws)}
    return type(f"Test{claim.__name__}", (), {"__doc__": claim.__doc__, **tests})


def _marked(cell: Cell, plan: Plan) -> Callable[[], None]:
    import pytest  # noqa: PLC0415  (an extra: the command line does without it)

    test = cell.test(plan)
    test.equivalence_cell = cell  # type: ignore[attr-defined]
    if _inapplicable(cell):
        return pytest.mark.skip(reason=f"{cell.law.name} does not apply: {cell.inapplicable}")(test)
    if cell.declared:
        return pytest.mark.xfail(raises=Refuted, strict=True, reason=f"as declared: {cell.declared}")(test)
    return test


def _inapplicable(cell: Cell) -> str:
    """Say why a law cannot apply; a form that crashes is for its test to report, not for the collection."""
    try:
        return cell.inapplicable
    except ClaimError:
        raise
    except Exception:  # noqa: BLE001  (the user's code may raise anything)
        return ""
