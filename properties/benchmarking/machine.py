"""How many threads of this machine can be asked for."""

from __future__ import annotations

import os

from properties.reading.claims import UsageError

THREADS_A_PROCESSOR = 4
"""More only wait for each other, and far more end the process."""


def check_threads(number: int) -> None:
    """Raise UsageError for more threads than this machine can use."""
    most = THREADS_A_PROCESSOR * (os.cpu_count() or 1)
    if number > most:
        message = f"--threads {number} is more than {THREADS_A_PROCESSOR} a processor; give at most {most}"
        raise UsageError(message)
