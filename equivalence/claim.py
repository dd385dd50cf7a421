"""The claim: for all sizes, parameters and inputs, candidate(carry(theta), x) = reference(theta, x)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, dataclass_transform

from torch import Tensor, nn

from equivalence.counts import Counts
from equivalence.distribution import Distribution
from equivalence.variable import (
    AtLeast,
    Between,
    Bool,
    ClaimError,
    Index,
    Lengths,
    Mask,
    Over,
    Real,
    Variable,
)

__all__ = [
    "AtLeast",
    "Between",
    "Bool",
    "ClaimError",
    "Dim",
    "Equivalence",
    "Index",
    "Lengths",
    "Mask",
    "Over",
    "Real",
    "Theta",
]

Dim = Annotated[int, AtLeast(0)]
"""A size of the claim, zero included."""

FreshDraws = Literal["any", "same", "permuted"]
Scope = Literal["function", "module", "layer"]
"""How much is claimed, each word with what the ones before it say."""

Theta = Mapping[str, Tensor]
"""The named parameters and buffers of a form."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Equivalence:
    """For all fields, theta and x: candidate(carry(theta), x) = reference(theta, x).

    A subclass states one claim. Its annotated fields are the variables it quantifies over, its `Real` and
    `Index` attributes are the inputs, its docstring is the statement. An instance fixes the fields, and its
    repr is the code that makes it again.
    """

    source: ClassVar[str] = ""
    """Where the claim comes from."""

    same: ClassVar[Scope] = "layer"
    """How much is claimed to be the same, in one word.

    The function: values and derivatives. The module too: state, modes, dead and free parameters, what it
    refuses. The layer too: initial weights, training, cost. Laws beyond the word are run all the same, and
    what they find is told.
    """

    breaks: ClassVar[Mapping[str, str]] = {}
    """Law -> reason, for every law within `same` that it is known to fail: the failure must be found."""

    circumstances: ClassVar[Sequence[str]] = ()
    """In what the forms are the same, where that is not every way of using them: ("eval",), ("not jvp",)."""

    fresh_entries_independent: ClassVar[bool] = True
    """Whether all entries of all fresh parameters are independent draws, but for copies that both forms make.

    Within a parameter and across them: not so for an orthogonal matrix, or for a copy with noise.
    """

    fresh_draws: ClassVar[FreshDraws] = "any"
    """What both forms start with under one seed: any draws, the same, or those in another order."""

    def __init_subclass__(cls) -> None:
        """Make every claim a frozen dataclass."""
        super().__init_subclass__()
        dataclass(frozen=True, kw_only=True)(cls)

    def reference(self) -> nn.Module:
        """Build the form that is taken as right."""
        raise NotImplementedError

    def candidate(self) -> nn.Module:
        """Build the form that is claimed to equal the reference."""
        raise NotImplementedError

    def carry(self, theta: Theta) -> Theta:
        """Give the candidate's parameters as a differentiable function of the reference's.

        `theta` holds the reference's parameters and buffers by name. The result names every parameter of
        the candidate, and those of its buffers that have a counterpart in the reference.
        """
        return theta

    def dead_in_reference(self) -> Mapping[str, Tensor]:
        """Name the reference's parameter entries (bool, True = dead) that no output may depend on."""
        return {}

    def dead_in_candidate(self) -> Mapping[str, Tensor]:
        """Name the candidate's parameter entries (bool, True = dead) that no output may depend on."""
        return {}

    def initial(self) -> Mapping[str, Distribution]:
        """Give the closed-form distribution of fresh entries, for each candidate parameter that has one."""
        return {}

    def reference_cost(self, batch: int) -> Counts | None:  # noqa: ARG002  (for those who override it)
        """Give what the reference costs on `batch` rows (all free axes together); None: no closed form."""
        return None

    def candidate_cost(self, batch: int) -> Counts | None:  # noqa: ARG002  (for those who override it)
        """Give what the candidate costs on `batch` rows (all free axes together); None: no closed form."""
        return None

    @classmethod
    def inputs(cls) -> dict[str, Variable]:
        """Return the quantified input tensors by name, in the order of definition."""
        return {
            name: value
            for base in reversed(cls.__mro__)
            # These two have none and many attributes, and a run asks in every case.
            if base not in (Equivalence, object)
            for name, value in vars(base).items()
            if isinstance(value, Variable)
        }
