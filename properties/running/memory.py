"""How a process that runs forms keeps the memory that it frees."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

KEPT_BYTES = 1 << 22
"""What a worker keeps of the memory that it frees: more fills a GiB, and less is soon asked for again."""
OF_GLIBC = {"MALLOC_TRIM_THRESHOLD_": -1, "MALLOC_MMAP_THRESHOLD_": -3, "MALLOC_ARENA_MAX": -8}
"""What the user may have set in the environment -> the name that the allocator has for it."""
YOUNG = 10_000
"""So many new containers start a collection of garbage: a case on tiny tensors makes thousands."""


def keep_memory(kept_bytes: int) -> None:
    """Keep so much freed memory at the end of the heap of this process, where glibc allocates it.

    What the user has set in the environment stays.
    """
    if sys.platform != "linux" or not hasattr(libc := ctypes.CDLL(None), "mallopt"):
        return
    for name, option in OF_GLIBC.items():
        if name not in os.environ:
            libc.mallopt(option, 1 if name == "MALLOC_ARENA_MAX" else kept_bytes)


def collect_less() -> None:
    """Look for garbage less often, and never among what was imported before this process had any work."""
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
