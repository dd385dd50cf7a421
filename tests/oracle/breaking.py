"""An instrument with one line changed: some check of it must turn red."""

import inspect
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import pytest

Check = Callable[[Any], None]
"""A check of a module, which is handed over: the real one, or a broken one."""


def seen(module: ModuleType, old: str, new: str, checks: Iterable[Check]) -> bool:
    """Whether a check turns red where the first `old` in the source of a module is `new`."""
    source = inspect.getsource(module)
    assert old in source, f"{module.__name__} no longer has {old!r}: adjust the break"
    broken = ModuleType(f"broken_{module.__name__.rpartition('.')[2]}")
    # dataclasses look their module up by name.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, broken.__name__, broken)
        exec(compile(source.replace(old, new, 1), broken.__name__, "exec"), broken.__dict__)  # noqa: S102
        return any(_turns_red(check, broken) for check in checks)


def _turns_red(check: Check, module: ModuleType) -> bool:
    try:
        check(module)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        # A break may crash a check as well as fail it; pytest.fail raises no Exception.
        return True
    return False
