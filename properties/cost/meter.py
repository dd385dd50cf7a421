"""A dispatch mode that shows every operation of a run to those who count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from properties.operations.errors import UncountedOperationError
from properties.operations.products import ProductRule
from properties.operations.table import known
from properties.oracle.mode import Mode


class Call(NamedTuple):
    """One operation that has run."""

    name: str
    """Its name in torch.ops.aten; that of another library with its namespace."""
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any
    writes: bool
    """Whether it writes into its arguments."""


class Meter(Mode):
    """Runs every operation inside, and shows it to each observer."""

    def __init__(self, *observers: Callable[[Call], None]) -> None:
        """Take who is shown each call, in order."""
        super().__init__()
        self.observers = observers

    def __torch_dispatch__(
        self,
        operation: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one operation, then show it."""
        kwargs = kwargs or {}
        result = operation(*args, **kwargs)
        packet = operation.overloadpacket
        name = packet.__name__ if operation.namespace == "aten" else str(packet)
        call = Call(name, args, kwargs, result, operation._schema.is_mutable)  # noqa: SLF001
        for observe in self.observers:
            observe(call)
        return result


class Products:
    """Counts the multiply-adds of a run; UncountedOperationError for an operation of which none are known."""

    def __init__(self) -> None:
        """Start at none."""
        self.count = 0

    def __call__(self, call: Call) -> None:
        """Add those of one operation."""
        self.count += _rule(call.name).dense(call.args, call.kwargs, call.result)


class UsefulProducts(Products):
    """Counts the multiply-adds of a run that have no factor 0."""

    def __call__(self, call: Call) -> None:
        """Add those of one operation."""
        self.count += _rule(call.name).useful(call.args, call.kwargs, call.result)


def _rule(name: str) -> ProductRule:
    """Find how the products of an operation are counted; UncountedOperationError where it is not known."""
    rule = known(name).products
    if rule is None:
        raise UncountedOperationError(name)
    return rule
