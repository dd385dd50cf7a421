"""How a claim is checked: laws, the oracle that decides them, and the tests made from both.

The public names are imported when they are first used: pytest loads this package's plugin in every run, and
must not wait for torch where no claim is tested.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from properties.circumstances.registry import circumstance
    from properties.laws.registry import law
    from properties.oracle.agreement import Equation
    from properties.running.suites import suite

_HOMES = {
    "Equation": "properties.oracle.agreement",
    "circumstance": "properties.circumstances.registry",
    "law": "properties.laws.registry",
    "suite": "properties.running.suites",
}

__all__ = ["Equation", "circumstance", "law", "suite"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module 'properties' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)
