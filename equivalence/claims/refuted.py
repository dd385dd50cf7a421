"""What a claim declares whose two forms compute different functions."""

from __future__ import annotations

FUNCTION_LAWS = (
    "forward",
    "input_gradient",
    "parameter_gradient",
    "second_derivative",
    "rows",
    "layout",
    "modes",
    "training",
    "training_adafactor",
)
"""The laws that hold the values of one form against those of the other."""


def trained_apart(reason: str) -> dict[str, str]:
    """Give the `breaks` of a claim whose forms agree until they are trained, by whatever optimiser."""
    return dict.fromkeys(("training", "training_adafactor", "training_muon"), reason)


def another_function(reason: str) -> dict[str, str]:
    """Give the `breaks` of a claim whose forms differ in every value, and in every derivative."""
    return dict.fromkeys(FUNCTION_LAWS, reason)
