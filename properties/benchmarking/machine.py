"""What of this machine can be asked for: its devices and threads."""

from __future__ import annotations

import os

import torch

from properties.reading.claims import UsageError

THREADS_A_PROCESSOR = 4
"""More only wait for each other, and far more end the process."""


def device_named(text: str) -> torch.device:
    """Give the CPU or a GPU by its name; UsageError where it is neither, or is not here."""
    try:
        device = torch.device(text)
        _check_kind(device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        message = f"--device {text} cannot be used here: {str(error).splitlines()[0]}; take cpu"
        raise UsageError(message) from error
    return device


def check_threads(number: int) -> None:
    """Raise UsageError for more threads than this machine can use."""
    most = THREADS_A_PROCESSOR * (os.cpu_count() or 1)
    if number > most:
        message = f"--threads {number} is more than {THREADS_A_PROCESSOR} a processor; give at most {most}"
        raise UsageError(message)


def _check_kind(device: torch.device) -> None:
    if device.type not in ("cpu", "cuda") or (device.type == "cpu" and device.index is not None):
        message = "a benchmark runs on cpu, cuda or cuda:N"
        raise ValueError(message)
