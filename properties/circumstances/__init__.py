"""In what circumstances a form is used: one short function each, grouped by what they change."""

# In the order in which a case names them: a circumstance registers itself when its file is imported.
from properties.circumstances import modes, leaves, earlier_calls, memory, transforms  # noqa: I001
from properties.circumstances.registry import CIRCUMSTANCES, Circumstance, Use, circumstance

__all__ = [
    "CIRCUMSTANCES",
    "Circumstance",
    "Use",
    "circumstance",
    "earlier_calls",
    "leaves",
    "memory",
    "modes",
    "transforms",
]
