"""In what a run takes place: the dtype of its real numbers, and the device where they lie."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

CPU = torch.device("cpu")
DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
"""What a setting may have, by name."""


@dataclass(frozen=True)
class Setting:
    """The dtype and the device of the forms, of their parameters and of their inputs."""

    dtype: torch.dtype = torch.float64
    device: torch.device = CPU

    def __str__(self) -> str:
        """Write it as a reader would: float64 on cpu."""
        return f"{self.dtype_name} on {self.device}"

    @property
    def dtype_name(self) -> str:
        """The dtype by its name in DTYPES."""
        return named(self.dtype)

    @property
    def is_double(self) -> bool:
        """Whether real numbers are float64: then every eighth case is tried in float32 too."""
        return self.dtype == torch.float64

    @property
    def is_narrow(self) -> bool:
        """Whether real numbers have fewer digits than those of float32."""
        return self.dtype in (torch.bfloat16, torch.float16)

    @property
    def on_cpu(self) -> bool:
        """Whether everything stays where it is made."""
        return self.device.type == "cpu"

    def moved(self, module: nn.Module) -> nn.Module:
        """Move a module to the device, as its user does.

        It is constructed on the CPU: so it starts with the same numbers on every device, and a tensor that it
        keeps beside its parameters and buffers stays behind, and shows.
        """
        return module if self.on_cpu else module.to(self.device)


USUAL = Setting()
"""In which everything runs where nobody asks for another."""


def named(dtype: torch.dtype) -> str:
    """Give the name of a dtype as a reader knows it."""
    return str(dtype).removeprefix("torch.")
