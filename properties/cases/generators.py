"""The random generators that a form may draw from: torch's, Python's and NumPy's."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from numpy.random import get_bit_generator, set_bit_generator  # type: ignore[attr-defined]

from properties.cases.setting import CPU

SEEDS = 2**32
"""NumPy takes no larger seed."""
_kept = ContextVar("_kept", default=False)
_instead = np.random.MT19937(0)
"""What forms draw from in place of NumPy's own generator; it is seeded before each call of a form."""


@contextmanager
def generator_state(seed: int, device: torch.device = CPU) -> Iterator[None]:
    """Seed torch's generators inside, and leave them as they were; inside `generators_kept`, all three."""
    with of_torch_kept(device):
        reseed(seed, device)
        yield


@contextmanager
def of_torch_kept(device: torch.device = CPU) -> Iterator[None]:
    """Leave torch's generators as they were: the CPU's, and that of the device where forms run."""
    generators = _of_torch(device)
    states = [one.get_state() for one in generators]
    try:
        yield
    finally:
        for one, state in zip(generators, states, strict=True):
            one.set_state(state)


def reseed(seed: int, device: torch.device = CPU) -> None:
    """Start torch's generators from a seed; inside `generators_kept`, all three."""
    for one in _of_torch(device):
        one.manual_seed(seed)
    if _kept.get():
        random.seed(seed)
        np.random.seed(seed % SEEDS)  # noqa: NPY002  (the generator that a form may use)


@contextmanager
def generators_kept() -> Iterator[None]:
    """Leave Python's and NumPy's generators as they were: once a case, for each call would take too long."""
    python, numpy = random.getstate(), get_bit_generator()
    # To copy the state of NumPy's takes longer than a call of many a form.
    set_bit_generator(_instead)
    token = _kept.set(True)
    try:
        yield
    finally:
        _kept.reset(token)
        random.setstate(python)
        set_bit_generator(numpy)


def drawn_so_far(device: torch.device) -> tuple[Any, ...]:
    """Return how far the generators are: what has drawn in between leaves another answer."""
    _, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002  (as above)
    numpy = (np.asarray(keys).tobytes(), *rest)
    states = [one.get_state().numpy().tobytes() for one in _of_torch(device)]
    return states, random.getstate(), numpy


def _of_torch(device: torch.device) -> Sequence[torch.Generator]:
    if device.type == "cpu":
        return (torch.default_generator,)
    torch.cuda.init()
    number = torch.cuda.current_device() if device.index is None else device.index
    return torch.default_generator, torch.cuda.default_generators[number]
