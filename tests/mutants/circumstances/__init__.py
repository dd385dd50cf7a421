"""Mutants that are right in the plainest use, and wrong in one circumstance: grouped as the circumstances."""

from tests.mutants.circumstances import right, modes, leaves, earlier_calls, memory, transforms  # noqa: I001

__all__ = ["earlier_calls", "leaves", "memory", "modes", "right", "transforms"]
