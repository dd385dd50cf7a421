"""Which buffers of a reference are trained, as running statistics are, and drawn as parameters are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from equivalence.claim import Equivalence

Trained = Mapping[str, bool]
"""Name of a trained buffer -> whether it is positive, as a variance is."""
Ask = Callable[[], nn.Module]
"""Construct a module of one's own, call it in training mode, and return it."""
_known: WeakKeyDictionary[type[Equivalence], dict[tuple[str, ...], Trained]] = WeakKeyDictionary()


def trained_buffers(claim: type[Equivalence], module: nn.Module, called: Ask) -> Trained:
    """Return the floating buffers of a module that a call in training mode changes.

    The module is asked, and its class need not be known. What no call changes is a constant, such as a mask
    or a table of positions. A buffer is positive that is so when fresh and after the call.
    """
    floating = {name: value for name, value in module.named_buffers() if value.is_floating_point()}
    if not any(value.numel() for value in floating.values()):
        return {}
    found = _known.setdefault(claim, {})
    names = tuple(floating)
    if names not in found:
        found[names] = _changed(floating, dict(called().named_buffers()))
    return found[names]


def _changed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> Trained:
    return {
        name: bool((value > 0).all() and (after[name] > 0).all())
        for name, value in before.items()
        if not torch.equal(value, after[name])
    }
