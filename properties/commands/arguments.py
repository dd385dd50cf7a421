"""What the commands share: exit codes, and how a word of the command line is read."""

from __future__ import annotations

import argparse

AS_CLAIMED, NOT_AS_CLAIMED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130
Commands = argparse._SubParsersAction  # noqa: SLF001  (argparse has no public name for it)


def positive(text: str) -> int:
    """Read a count from the command line."""
    number = int(text)
    if number < 1:
        message = f"at least 1, but got {number}"
        raise argparse.ArgumentTypeError(message)
    return number
