"""What a form costs: parameters, multiply-adds, memory and kernels, counted and not timed."""

from properties.cost.errors import UncountedOperationError
from properties.cost.measure import Cost, cost

__all__ = ["Cost", "UncountedOperationError", "cost"]
