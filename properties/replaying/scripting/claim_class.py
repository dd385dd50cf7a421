"""A claim as plain classes: its fields as values, and of its methods those that are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from equivalence import variable
from equivalence.claim import Equivalence
from properties.cases.definition import field_values
from properties.cases.fields import Field
from properties.replaying.scripting.binding import ScriptError
from properties.replaying.scripting.closure import Closure
from properties.replaying.scripting.plain_class import PlainClass


@dataclass
class PlainClaim(PlainClass):
    """The chain of a claim's classes, the last one with the values of its fields."""

    kind: type = field(init=False)
    claim: Equivalence = field(kw_only=True)

    def __post_init__(self) -> None:
        """Take the class of the claim, and its fields as values."""
        self.kind = type(self.claim)
        self.values = vars(self.claim)

    @property
    def field_names(self) -> list[str]:
        """What the values of the fields are made with."""
        return list(dict.fromkeys(name for _, kind, _ in field_values(self.claim) for name in kind.names))

    def resolve(self, closure: Closure) -> None:
        """Take up what the members and the values of the fields need from elsewhere."""
        super().resolve(closure)
        for name in self.field_names:
            closure.need(f"{name}\n", variable)

    def fields(self) -> Sequence[str]:
        """Write the fields."""
        return [f"{name} = {_value(*one)}\n" for name, *one in field_values(self.claim)]


def _value(kind: Field, value: object) -> str:
    """Write the value of a field; ScriptError for one that its repr does not make again."""
    try:
        return kind.source(value)
    except TypeError as error:
        raise ScriptError(str(error)) from error
