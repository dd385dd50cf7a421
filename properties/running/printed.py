"""What forms print while they are checked: kept apart, its first line shown and the others counted."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from properties.report.numbers import plural
from properties.report.text import one_line

STDOUT = 1
MOST_BYTES = 1 << 20
"""More is cut, between two cases."""
KEPT_BYTES = 1 << 12
MOST_SHOWN = 100


class Printed:
    """What went to standard output, in a file without a name."""

    def __init__(self) -> None:
        """Begin with none."""
        self.file = tempfile.TemporaryFile("w+b", buffering=0)  # noqa: SIM115  (closed where it is taken)
        self.cut_lines = 0

    def cut(self) -> None:
        """Keep the beginning of what has grown too long, and count the lines of the rest."""
        if os.fstat(self.file.fileno()).st_size > MOST_BYTES:
            self.cut_lines += self._rest().count(b"\n")
            self.file.truncate(KEPT_BYTES)
            # Whoever writes to it writes on from here: the place is one for all copies of a descriptor.
            self.file.seek(KEPT_BYTES)

    def taken(self) -> str:
        """Tell what was printed, in one line, and end; empty where nothing was."""
        self.file.seek(0)
        text = self.file.read(KEPT_BYTES)
        lines = text.count(b"\n") + self._rest().count(b"\n") + self.cut_lines
        self.file.close()
        first = one_line(text.decode(errors="replace").strip().partition("\n")[0])[:MOST_SHOWN]
        return f'the forms print {plural(max(lines, 1), "line")}: "{first}"' if text else ""

    def _rest(self) -> bytes:
        self.file.seek(KEPT_BYTES)
        return self.file.read()


_open: list[Printed] = []
"""Where what this process prints goes; empty where it is not kept apart."""


def cut_what_is_printed() -> None:
    """Let what is kept of the forms' prints stay small; called between two cases."""
    for printed in _open:
        sys.stdout.flush()
        printed.cut()


@contextmanager
def printed_apart() -> Iterator[list[str]]:
    """Keep what this process prints, from Python or from C, out of the way; gives what to tell of it."""
    told: list[str] = []
    printed = Printed()
    sys.stdout.flush()
    before = os.dup(STDOUT)
    os.dup2(printed.file.fileno(), STDOUT)
    text = io.TextIOWrapper(io.FileIO(os.dup(STDOUT), "w"), errors="replace", write_through=True)
    _open.append(printed)
    try:
        with redirect_stdout(text):
            yield told
    finally:
        text.close()
        os.dup2(before, STDOUT)
        os.close(before)
        _open.remove(printed)
        told += filter(None, [printed.taken()])
