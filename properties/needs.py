"""What a law or a circumstance needs of the inputs of a claim, each with the reason where it is missing."""

from __future__ import annotations

from equivalence.claim import Equivalence

OF_IMAGES = 4
"""Axes of a batch of images."""


def inputs(claim: Equivalence) -> str:
    """Need an input."""
    return "" if claim.inputs() else "no inputs"


def real_inputs(claim: Equivalence) -> str:
    """Need an input that can be differentiated."""
    return "" if any(one.real for one in claim.inputs().values()) else "no real inputs"


def one_real_input(claim: Equivalence) -> str:
    """Need a single input, and one that can be differentiated."""
    return "" if [one.real for one in claim.inputs().values()] == [True] else "not one real input alone"


def leading_axes(claim: Equivalence) -> str:
    """Need inputs with any number of leading axes."""
    variables = list(claim.inputs().values())
    starred = [one.axes.split()[0] for one in variables if one.axes.startswith("*")]
    if variables and len(starred) == len(variables) and len(set(starred)) == 1:
        return ""
    return "no leading axes common to all inputs"


def free_axes(claim: Equivalence) -> str:
    """Need a size that one form sees change."""
    names = (name for one in claim.inputs().values() for name in one.axes.split())
    free = any(name.startswith("*") or not (name.isdigit() or hasattr(claim, name)) for name in names)
    return "" if free else "no free axes"


def images(claim: Equivalence) -> str:
    """Need an input that can be a batch of images."""
    names = [one.axes.split() for one in claim.inputs().values()]
    fits = any(len(axes) == OF_IMAGES or any(name.startswith("*") for name in axes) for axes in names)
    return "" if fits else "no input of four axes"
