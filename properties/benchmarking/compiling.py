"""Whether torch.compile works here."""

from __future__ import annotations

import torch
from torch import nn

from properties.cases.setting import Setting
from properties.reading.claims import UsageError


def check_compiler(setting: Setting) -> None:
    """Compile one small layer; UsageError with the compiler's first line where that fails."""
    layer = nn.Identity()
    x = torch.ones(2, dtype=setting.dtype, device=setting.device)
    try:
        torch.compile(lambda x: layer(x) + 1, fullgraph=True)(x)
    except Exception as error:  # a compiler fails in ways of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        message = (
            f"--compile needs what torch.compile needs, but it failed here: {reason}; install a C++ "
            "compiler, or leave --compile out"
        )
        raise UsageError(message) from error
