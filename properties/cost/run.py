"""A module as it is run to be counted: with numbers of its own or others, and left as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from properties.oracle.trees import tensors


class Run:
    """(state, inputs) -> outputs, as often as wanted; nothing is written into the module."""

    def __init__(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Take a module and the inputs that it is counted on."""
        self.module = module
        self.inputs = inputs

    def __call__(self, state: Mapping[str, Tensor], inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the module with this state, and give the tensors of its output; it may write into both."""
        return list(tensors(functional_call(self.module, dict(state), tuple(inputs))))

    @property
    def device(self) -> torch.device:
        """Where it runs: the device of its first input, else of its first parameter, else the default."""
        first = next(iter([*self.inputs, *self.module.parameters()]), None)
        return torch.get_default_device() if first is None else first.device

    def parameters(self) -> dict[str, Tensor]:
        """Give copies of the parameters as leaves of their own, for a module may write into them."""
        return {
            name: parameter.detach().clone().requires_grad_(parameter.requires_grad)
            for name, parameter in self.module.named_parameters()
        }

    def buffers(self) -> dict[str, Tensor]:
        """Give copies of the buffers, for a module may write into them."""
        return {name: buffer.clone() for name, buffer in self.module.named_buffers()}
