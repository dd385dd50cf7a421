"""What stops a count."""

from __future__ import annotations


class UncountedOperationError(Exception):
    """An operation whose multiply-adds are not known: its name, and where to add it."""

    def __init__(self, name: str) -> None:
        """Take the operation's name in torch.ops.aten."""
        super().__init__(
            "every operation of a form is counted or known to be free, but the multiply-adds of "
            f"{name!r} are not known; give it products in properties.operations.table.OPERATIONS, or leave "
            "the costs of its claim unstated"
        )
        self.name = name
