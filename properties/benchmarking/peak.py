"""What this machine can do at most, measured in the same run as the forms."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from properties.benchmarking.clock import Clock, Step
from properties.cases.setting import Setting

LEAST_TRIALS = 3
SECONDS = 0.3
"""The best trial within this time counts: what is asked for is what the machine can do."""


@dataclass(frozen=True)
class Peak:
    """The two rates that bound every form."""

    multiply_adds_per_second: float
    bytes_per_second: float

    def part(self, multiply_adds: int, moved: int, seconds: float) -> tuple[float, str]:
        """Give the larger of both parts that a form reaches, and which it is: compute or memory."""
        compute = multiply_adds / seconds / self.multiply_adds_per_second
        memory = moved / seconds / self.bytes_per_second
        return (compute, "compute") if compute >= memory else (memory, "memory")


def measured(setting: Setting, clock: Clock) -> Peak:
    """Multiply two large matrices, and copy a large tensor, in the dtype and on the device of the forms."""
    large = setting.device.type == "cuda"
    size, entries = (8192, 2**28) if large else (1024, 2**23)
    one, other, product = (_ones(setting, size, size) for _ in range(3))
    source, target = (_ones(setting, entries) for _ in range(2))
    with torch.no_grad():
        multiplying = _best(lambda: torch.matmul(one, other, out=product), clock)
        copying = _best(lambda: target.copy_(source), clock)
    return Peak(size**3 / multiplying, 2 * entries * source.element_size() / copying)


def _ones(setting: Setting, *shape: int) -> Tensor:
    return torch.ones(shape, dtype=setting.dtype, device=setting.device)


def _best(step: Step, clock: Clock) -> float:
    best, spent, trials = float("inf"), 0.0, 0
    while trials < LEAST_TRIALS or spent < SECONDS:
        seconds = clock.seconds(step, 1)
        best, spent, trials = min(best, seconds), spent + seconds, trials + 1
    return best
