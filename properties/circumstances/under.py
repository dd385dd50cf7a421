"""The circumstances of one case, put around the form that is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from torch import nn

from equivalence.claim import Theta
from properties.circumstances.registry import ASPECTS, Call, Circumstance, Use, known

INNER = ("mode", "parameters")
"""Aspects that are no part of a call."""


class Under:
    """What some circumstances together make of a module, of its parameters and of a call."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Take names of circumstances, at most one of each aspect; none for the plainest use."""
        self._of = {one.aspect: one for one in map(known, names)}

    @property
    def single(self) -> bool:
        """Whether any does something in float32 alone."""
        return any(one.single for one in self._of.values())

    @property
    def narrows(self) -> bool:
        """Whether any computes in a narrower dtype by itself."""
        return any(one.narrows for one in self._of.values())

    @property
    def computes_otherwise(self) -> bool:
        """Whether more is changed than a mode and what needs gradients."""
        return not self._of.keys() <= {"mode", "parameters", "gradients"}

    @property
    def alike(self) -> bool:
        """Whether any is about forms that give the same without it."""
        return any(one.alike for one in self._of.values())

    @property
    def optional(self) -> bool:
        """Whether a form may do without any of them."""
        return any(one.optional for one in self._of.values())

    def put(self, module: nn.Module) -> nn.Module:
        """Put a module into its mode."""
        if "mode" in self._of:
            self._of["mode"].change(module)
        return module

    def theta(self, theta: Theta) -> Theta:
        """Give the parameters, those as leaves that need a gradient."""
        changed: Theta = self._of["parameters"].change(theta) if "parameters" in self._of else theta
        return changed

    def around(self, used: Callable[[], Use], call: Call) -> Call:
        """Give what is called with the inputs in place of a module."""
        if not (around := list(self._around())):
            return call
        use = used()
        for one in reversed(around):
            call = partial(one.change, use, call)
        return call

    def _around(self) -> Iterable[Circumstance]:
        return (self._of[aspect] for aspect in ASPECTS if aspect in self._of and aspect not in INNER)


PLAIN = Under()
"""The plainest use: in training mode, with gradients, contiguous, a module that was not called before."""
