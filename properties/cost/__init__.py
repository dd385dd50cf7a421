"""What a form costs: parameters, multiply-adds, memory and kernels, counted and not timed."""

from properties.cost.measure import Cost, cost
from properties.operations.errors import UncountedOperationError

__all__ = ["Cost", "UncountedOperationError", "cost"]
