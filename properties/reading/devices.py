"""The device that a command line names: the CPU, or a GPU that is here."""

from __future__ import annotations

import re

import torch

from properties.reading.claims import UsageError

DEVICE = re.compile(r"cpu|cuda(:\d{1,3})?")
"""How a device is written."""


def device_named(text: str) -> torch.device:
    """Give the CPU or a GPU by its name; UsageError where it is neither, or is not here."""
    try:
        device = _known(text)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ValueError) as error:
        message = f"--device {text} cannot be used here: {str(error).splitlines()[0]}; take cpu"
        raise UsageError(message) from error
    return device


def _known(text: str) -> torch.device:
    if not DEVICE.fullmatch(text):
        message = "forms run on cpu, cuda or cuda:N"
        raise ValueError(message)
    return torch.device(text)
