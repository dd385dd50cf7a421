"""In what suites run under pytest, where no command line says so."""

from __future__ import annotations

import os

from properties.cases.setting import USUAL, Setting
from properties.dtypes import DTYPES
from properties.reading.claims import UsageError
from properties.reading.devices import device_named

DTYPE, DEVICE = "EQUIVALENCE_DTYPE", "EQUIVALENCE_DEVICE"


def current() -> Setting:
    """Give the setting that suites are made in: the environment's EQUIVALENCE_DTYPE and EQUIVALENCE_DEVICE.

    UsageError for a dtype or a device that there is not.
    """
    dtype = os.environ.get(DTYPE, USUAL.dtype_name)
    if dtype not in DTYPES:
        message = f"{DTYPE} is one of {', '.join(DTYPES)}, but is {dtype!r}; name one"
        raise UsageError(message)
    return Setting(DTYPES[dtype], device_named(os.environ.get(DEVICE, "cpu")))
