"""The device that a command line or a file names: the CPU, or a GPU that is here."""

from __future__ import annotations

import re

import torch

from properties.reading.claims import UsageError

DEVICE = re.compile(r"cpu|cuda(:\d{1,3})?")
"""How a device is written."""


def device_named(text: str) -> torch.device:
    """Give the CPU or a GPU by its name; UsageError where it is neither, or is not here."""
    if reason := why_not(text):
        message = f"--device {text} cannot be used here: {reason}; take cpu"
        raise UsageError(message)
    return torch.device(text)


def why_not(text: str) -> str:
    """Say why a device cannot be used; empty where it can."""
    if not DEVICE.fullmatch(text):
        return "forms run on cpu, cuda or cuda:N"
    try:
        torch.empty(0, device=text)
    except (RuntimeError, AssertionError) as error:
        return str(error).splitlines()[0]
    return ""
