"""What must be true of every claim: one short function a law, grouped by what they look at."""

from properties.laws import function, inputs, modules, parameters
from properties.laws.plugins import all_laws
from properties.laws.registry import LAWS

__all__ = ["LAWS", "all_laws", "function", "inputs", "modules", "parameters"]
