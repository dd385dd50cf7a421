"""What the commands share: exit codes, and how a word of the command line is read."""

from __future__ import annotations

import argparse
import math

from properties.cases.setting import USUAL, Setting
from properties.dtypes import DTYPES
from properties.reading.devices import device_named

AS_CLAIMED, NOT_AS_CLAIMED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130
Commands = argparse._SubParsersAction  # noqa: SLF001  (argparse has no public name for it)


def positive(text: str) -> int:
    """Read a count from the command line."""
    number = int(text)
    if number < 1:
        message = f"at least 1, but got {number}"
        raise argparse.ArgumentTypeError(message)
    return number


def seconds(text: str) -> float:
    """Read a time from the command line, in seconds."""
    number = float(text)
    if not 0 < number < math.inf:
        message = f"more than 0 seconds, but got {text}"
        raise argparse.ArgumentTypeError(message)
    return number


def add_setting(command: argparse.ArgumentParser, dtype: str = "float64") -> None:
    """Add in what the forms run; `setting_of` reads it."""
    command.add_argument(
        "--dtype", choices=DTYPES, default=dtype, help=f"of parameters and inputs (default: {dtype})"
    )
    command.add_argument("--device", default="cpu", help="cpu, cuda or cuda:1 (default: cpu)")


def setting_of(options: argparse.Namespace) -> Setting:
    """Give what `add_setting` added, the usual where nothing is said; UsageError for a device not here."""
    dtype, device = options.dtype or USUAL.dtype_name, options.device or str(USUAL.device)
    return Setting(DTYPES[dtype], device_named(device))
