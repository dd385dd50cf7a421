"""What belongs to the whole process, which a form may change: as it was afterwards, and told by name."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch


class Surrounding(NamedTuple):
    """One thing that belongs to the process: what it is, and how it is put back."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


def _handle_interruption(handler: Any) -> None:
    # Python lets no other thread set a handler, so that none has changed it.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)


SURROUNDINGS = {
    "torch's default dtype": Surrounding(torch.get_default_dtype, torch.set_default_dtype),
    "torch's grad mode": Surrounding(torch.is_grad_enabled, torch.set_grad_enabled),
    "torch's number of threads": Surrounding(torch.get_num_threads, torch.set_num_threads),
    "torch's deterministic algorithms": Surrounding(
        torch.are_deterministic_algorithms_enabled, lambda mode: torch.use_deterministic_algorithms(mode=mode)
    ),
    "torch's precision of float32 products": Surrounding(
        torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
    ),
    "the working directory": Surrounding(os.getcwd, os.chdir),
    "Python's recursion limit": Surrounding(sys.getrecursionlimit, sys.setrecursionlimit),
    "the handler of Ctrl-C": Surrounding(lambda: signal.getsignal(signal.SIGINT), _handle_interruption),
}


@contextmanager
def surroundings_kept() -> Iterator[list[str]]:
    """Leave what belongs to the process as it was; gives the names of what had changed, once it is left."""
    before = {name: one.read() for name, one in SURROUNDINGS.items()}
    changed: list[str] = []
    try:
        yield changed
    finally:
        for name, one in SURROUNDINGS.items():
            if one.read() != before[name]:
                one.write(before[name])
                changed.append(name)
