"""One live line on the terminal, where someone is watching."""

from __future__ import annotations

import sys
import time

WIDTH = 79


class LiveLine:
    """A line of the error stream that is written over and over, and the time since it began."""

    def __init__(self) -> None:
        """Begin to measure the time."""
        self.started = time.monotonic()

    def write(self, line: str) -> None:
        """Show this in place of what stood there, where somebody is watching; an empty line wipes it."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{line[:WIDTH]:<{WIDTH}}\r")
            sys.stderr.flush()

    def above(self, line: str) -> None:
        """Print a line that stays, on the error stream, whoever is watching."""
        self.write("")
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def seconds_left(self, done: int, total: int) -> float:
        """Give the time that the rest takes, if it takes as long as what is done did."""
        return (time.monotonic() - self.started) / done * (total - done)

    def count(self, done: int, total: int, words: str, unit: str = "") -> None:
        """Show `done of total` things, the time left and what is next; wipe the line at the end."""
        left = f"{self.seconds_left(done, total):.0f} s left" if done else ""
        self.write(f"{done} of {total}{unit}  {left:>10}  {words}" if done < total else "")
