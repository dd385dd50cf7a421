"""One cause told once: of the laws that a claim fails, the test of the plainest shows the case.

Apart from the plugin, since it imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from properties.laws.registry import plainest_first
from properties.refutation.counterexample import Refuted
from properties.running.cell import Cell
from properties.running.recording import Status

REFUTED = pytest.StashKey[dict[int, bool]]()
"""Whether a cell, by its id, is known to be refuted: from its own test, or from one asked here."""


def elsewhere(item: pytest.Item, entry: Mapping[str, Any]) -> str:
    """Say which test of the suite shows plainly what this one found, too; empty where none does.

    Only tests that were selected count. With several workers the plainer test may have run in another
    process: its cell is then asked here, once.
    """
    refuted = item.session.stash.setdefault(REFUTED, {})
    cell, status = _cell(item), entry["cell"]["status"]
    refuted[id(cell)] = status == Status.REFUTED
    if not refuted[id(cell)]:
        return ""
    suite = {_cell(one).law.name: one for one in item.session.items if _is_beside(one, cell)}
    ranked = plainest_first(suite)
    for name in ranked[: ranked.index(cell.law.name)]:
        plainer = _cell(suite[name])
        if id(plainer) not in refuted:
            refuted[id(plainer)] = _is_refuted(suite[name])
        if refuted[id(plainer)]:
            return (
                f"see test_{name}: {entry['cell']['claim']} is refuted by {name}\n"
                f"  (alone, test_{cell.law.name} shows a case of its own)"
            )
    return ""


def _cell(item: pytest.Item) -> Any:
    return getattr(getattr(item, "obj", None), "equivalence_cell", None)


def _is_beside(item: pytest.Item, cell: Cell) -> bool:
    return _cell(item) is not None and _cell(item).domain is cell.domain


def _is_refuted(item: pytest.Item) -> bool:
    """Run the cell of a test in this process, and keep nothing of it."""
    cell, plan = _cell(item), getattr(item, "obj").equivalence_plan  # noqa: B009  (an item of any kind)
    if cell.declared:
        return False
    try:
        fresh = Cell(cell.domain, cell.law)
        if not fresh.inapplicable:
            fresh.test(replace(plan, failures=None))()
    except Refuted:
        return True
    except (Exception, SystemExit):  # noqa: BLE001  (a crash is for its own test to report)
        return False
    return False
