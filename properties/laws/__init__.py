"""What must be true of every claim: one short function a law, grouped by what they look at."""

# In the order of the tables: a law registers itself when its file is imported.
from properties.laws import function, inputs, modules, parameters, initialisation, training, cost  # noqa: I001
from properties.laws.plugins import all_laws
from properties.laws.registry import LAWS

__all__ = [
    "LAWS",
    "all_laws",
    "cost",
    "function",
    "initialisation",
    "inputs",
    "modules",
    "parameters",
    "training",
]
