"""Sizes for which a machine has no memory."""

from __future__ import annotations

NO_ROOM = "its sizes need more memory than there is; give smaller ones with --at"
SIGNS = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "Unable to allocate",
    "size calculation overflowed",
    "multiplication overflow",
)
"""What torch and numpy say of it: an allocator's refusal has no class of its own on the CPU."""


def is_shortage(error: BaseException) -> bool:
    """Say whether an error, or what a form's error tells of its own, is one of memory."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in SIGNS)


def reason(error: BaseException) -> str:
    """Give an error as a refusal: NO_ROOM for a want of memory, else its own text."""
    return NO_ROOM if is_shortage(error) else str(error)
