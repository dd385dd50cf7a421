"""Claim -> a class of real Hypothesis tests, one a law, for pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from equivalence.claim import Equivalence
from equivalence.variable import ClaimError
from properties.cases.definition import located
from properties.cases.domain import Domain
from properties.cases.surroundings import surroundings_kept
from properties.judging.declarations import check_declarations, known_law
from properties.laws import all_laws
from properties.laws.registry import Law
from properties.refutation.counterexample import Refuted
from properties.refutation.failure import FOLDER
from properties.running import settings
from properties.running.cell import Cell, Plan
from properties.running.profiles import current


def chosen_laws(names: Iterable[str] | None = None) -> list[Law]:
    """Give laws by name, all of them by default; ClaimError for a name that is none."""
    laws = all_laws()
    wanted = list(laws) if names is None else list(dict.fromkeys(names))
    return [laws[known_law(name)] for name in wanted]


@surroundings_kept()
def cells(domain: Domain, names: Iterable[str] | None = None) -> list[Cell]:
    """Pair a claim with laws; ClaimError where its declarations do not fit its forms."""
    chosen = chosen_laws(names)
    with located(domain.claim):
        check_declarations(domain)
    return [Cell(domain, law) for law in chosen]


@surroundings_kept()
def required(asked: list[Cell]) -> list[Cell]:
    """Give cells whose claim and law were both asked for by name; ClaimError where a law does not apply.

    A law that skips a claim by itself says so in passing. To a reader who asked for both, a skip would look
    like a check.
    """
    for cell in asked:
        if reason := _inapplicable(cell):
            message = (
                f"{cell.domain.name}: a law asked for by name applies to the claim, but {cell.law.name} does "
                f"not ({reason}); leave {cell.law.name!r} out"
            )
            with located(cell.domain.claim):
                raise ClaimError(message)
    return asked


def suite(
    claim: type[Equivalence],
    *,
    laws: Iterable[str] | None = None,
    examples: int | None = None,
    pins: Mapping[str, Any] | None = None,
) -> type:
    """Make the test class of a claim: `TestMyLayer = properties.suite(MyLayerIsOld)`.

    Each law is one test. A law that cannot apply is skipped with its reason, or refused where `laws` names
    it; one that the claim declares it breaks must fail by a disagreement, and one beyond what the claim
    calls the same may. ClaimError, with the file and the line of the class, for a claim that is not written
    as one.
    """
    __tracebackhide__ = True
    try:
        # A claim may name circumstances that another distribution brings.
        all_laws()
        tests = _tests(Domain(claim, pins, setting=settings.current()), laws, examples)
    except ClaimError as error:
        # The mistake is in the claim: our frames would only stand between it and its reader.
        raise error.with_traceback(None) from None
    return type(f"Test{claim.__name__}", (), {"__doc__": claim.__doc__, **tests})


@surroundings_kept()
def _tests(domain: Domain, laws: Iterable[str] | None, examples: int | None) -> dict[str, Any]:
    plan = Plan(profile=current(), examples=examples, failures=FOLDER)
    paired = cells(domain) if laws is None else required(cells(domain, laws))
    return {f"test_{cell.law.name}": staticmethod(_marked(cell, plan)) for cell in paired}


def _marked(cell: Cell, plan: Plan) -> Callable[[], None]:
    import pytest  # noqa: PLC0415  (an extra: the command line does without it)

    drawn = cell.test(plan)

    @wraps(drawn)
    def test() -> None:
        drawn()
        if cell.found_inapplicable:
            pytest.skip(f"{cell.law.name} does not apply: {cell.found_inapplicable}")

    test.equivalence_cell, test.equivalence_plan = cell, plan  # type: ignore[attr-defined]
    if _inapplicable(cell):
        return pytest.mark.skip(reason=f"{cell.law.name} does not apply: {cell.inapplicable}")(test)
    if cell.declared:
        return pytest.mark.xfail(raises=Refuted, strict=True, reason=f"as declared: {cell.declared}")(test)
    if cell.beyond:
        reason = f"{cell.beyond}: {cell.law.told}"
        return pytest.mark.xfail(raises=Refuted, strict=False, reason=reason)(test)
    return test


def _inapplicable(cell: Cell) -> str:
    """Say why a law cannot apply; a form that crashes is for its test to report, not for the collection."""
    try:
        return cell.inapplicable
    except ClaimError:
        raise
    except Exception:  # noqa: BLE001  (the user's code may raise anything)
        return ""
