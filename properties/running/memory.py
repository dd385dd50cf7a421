"""How much of the memory that a process frees it keeps for later."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Two parameters of glibc's mallopt."""
NEVER_TRIM, LARGEST_MMAP_THRESHOLD = -1, 1 << 25


def keep_freed_memory() -> None:
    """Let this process keep what a case frees for the next: to ask for it anew can take as long as a case.

    This overrides what the environment says of glibc's allocator, in a worker that is ours alone.
    """
    if allocator := _glibc():
        allocator.mallopt(TRIM_THRESHOLD, NEVER_TRIM)
        allocator.mallopt(MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)


def give_memory_back() -> None:
    """Return to the system what was freed."""
    if allocator := _glibc():
        allocator.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Give the C library of this process, if it is the one whose allocator can be told."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "malloc_trim") else None
