"""One kept failure run again in pytest, in place of everything that was collected.

Apart from the plugin, since it imports torch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equivalence.catalogue import CATALOGUE
from properties.reading.claims import UsageError
from properties.reading.failures import FailureFileError, read
from properties.refutation.failure import Failure
from properties.replaying.replay import from_failure
from properties.running.cell import Cell

BAD_USAGE = 2


def kept_failure(path: str) -> Failure:
    """Read a replay file; the run ends with one line where it is none."""
    try:
        return read(Path(path))
    except FailureFileError as error:
        pytest.exit(f"--equivalence-replay: {error}", BAD_USAGE)


def select(failure: Failure, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the failure's claim and law, and have them decide its values alone."""
    chosen = [item for item in items if _is_about(item, failure)]
    if not chosen:
        message = (
            f"--equivalence-replay: no test that was collected is about {failure.claim!a} under "
            f"{failure.law}; name the file that holds its suite, or use: equivalence replay"
        )
        pytest.exit(message, BAD_USAGE)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen
    for item in chosen:
        tested: Any = item
        tested.obj = _replaying(tested.obj.equivalence_cell, failure)


def _is_about(item: pytest.Item, failure: Failure) -> bool:
    cell = getattr(getattr(item, "obj", None), "equivalence_cell", None)
    # How a module is called depends on how pytest was started; its class is called one thing.
    if cell is None or cell.law.name != failure.law:
        return False
    claim = cell.domain.claim
    return CATALOGUE.get(failure.claim) is claim or failure.claim.rpartition(":")[2] == claim.__qualname__


def _replaying(cell: Cell, failure: Failure) -> Callable[[], None]:
    def replayed() -> None:
        try:
            refuted = from_failure(failure, cell.domain.claim).refuted
        except (FailureFileError, UsageError) as error:
            pytest.fail(str(error), pytrace=False)
        cell.tally.executed += 1
        if refuted is not None:
            raise refuted

    replayed.equivalence_cell = cell  # type: ignore[attr-defined]
    return replayed
