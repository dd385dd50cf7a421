"""In what a run takes place: the dtype of its real numbers, and the device where they lie."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from properties.dtypes import NARROW, named

CPU = torch.device("cpu")


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
        """The name of the dtype."""
        return named(self.dtype)

    @property
    def is_double(self) -> bool:
        """Whether real numbers are float64: then every eighth case is tried in float32 too."""
        return self.dtype == torch.float64

    @property
    def is_narrow(self) -> bool:
        """Whether real numbers have fewer digits than those of float32."""
        return self.dtype in NARROW

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
