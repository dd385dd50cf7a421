"""The random generators that a form may draw from: torch's, Python's and NumPy's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch

SEEDS = 2**32
"""NumPy takes no larger seed."""
_kept = ContextVar("_kept", default=False)


@contextmanager
def generator_state(seed: int) -> Iterator[None]:
    """Seed torch's generator inside, and leave it as it was; inside `generators_kept`, seed all three."""
    state = torch.default_generator.get_state()
    reseed(seed)
    try:
        yield
    finally:
        torch.default_generator.set_state(state)


def reseed(seed: int) -> None:
    """Start torch's generator from a seed, inside `generator_state`; inside `generators_kept`, all three."""
    torch.default_generator.manual_seed(seed)
    if _kept.get():
        random.seed(seed)
        np.random.seed(seed % SEEDS)  # noqa: NPY002  (the generator that a form may use)


@contextmanager
def generators_kept() -> Iterator[None]:
    """Leave Python's and NumPy's generators as they were: once a case, for each call would take too long."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  (as above)
    token = _kept.set(True)
    try:
        yield
    finally:
        _kept.reset(token)
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002  (as above)


def drawn_so_far() -> tuple[Any, ...]:
    """Return how far the generators are: what has drawn in between leaves another answer."""
    _, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002  (as above)
    numpy = (np.asarray(keys).tobytes(), *rest)
    return torch.default_generator.get_state().numpy().tobytes(), random.getstate(), numpy
