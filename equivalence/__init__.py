"""What is claimed: two ways of writing a layer, said to be the same layer."""

from equivalence.claim import (
    AtLeast,
    Between,
    Bool,
    ClaimError,
    Dim,
    Equivalence,
    Index,
    Lengths,
    Mask,
    Over,
    Real,
)
from equivalence.distribution import Constant, Normal, TruncatedNormal, Uniform

__all__ = [
    "AtLeast",
    "Between",
    "Bool",
    "ClaimError",
    "Constant",
    "Dim",
    "Equivalence",
    "Index",
    "Lengths",
    "Mask",
    "Normal",
    "Over",
    "Real",
    "TruncatedNormal",
    "Uniform",
]
