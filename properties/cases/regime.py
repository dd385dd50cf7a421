"""Which numbers a case is filled with: integers for a bitwise verdict, reals for the rounding model."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from properties.cases.values import Look
from properties.oracle.disturbance import Disturbance
from properties.oracle.exact import MOST_BITS, Trace

NUMBER, NUMBERS_A_WORD = np.int16, 4
"""What a random word of 64 bits is cut into: MOST_BITS and a sign."""
SEEDS = 2**63 - 1
FEW = 1 << 15
"""So many numbers are drawn as fast one by one: cutting takes more calls."""

LEAST_POSITIVE = 0.25
"""Of reals that are positive: a variance near 0 would leave no digit of what is divided by its root."""

Shape = tuple[int, ...]


class Regime(Protocol):
    """A way to draw tensors, and the dtype that the forms run in."""

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of every real tensor of the case."""

    def given(self) -> AbstractContextManager[None]:
        """Return the context in which what a run is given is made: nothing there is part of the run."""

    def draw(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw an input or a cotangent."""

    def draw_parameter(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw a parameter."""

    def draw_positive(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw what is positive, as a running variance is."""

    def looking(self, look: Look, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw an input whose values look in a certain way."""


@dataclass(frozen=True)
class Integers:
    """Integers -2^bits <= n < 2^bits in a real dtype: 2^(bits + 1) equally likely values."""

    bits: int
    dtype: torch.dtype = torch.float64

    def __post_init__(self) -> None:
        """Refuse what a number cannot hold; ValueError."""
        if not 0 <= self.bits <= MOST_BITS:
            message = f"integers have 0 to {MOST_BITS} bits, but {self.bits} were asked for"
            raise ValueError(message)

    def draw(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw every entry uniformly and independently."""
        count = math.prod(shape)
        if count > FEW:
            # torch refuses a size that no memory holds; NumPy's words would do so in other terms.
            drawn = torch.empty(shape, dtype=self.dtype)
            drawn.view(-1).copy_(self._cut(count, generator))
            return drawn
        bound = 2**self.bits
        return torch.randint(-bound, bound, shape, generator=generator, dtype=self.dtype)

    def given(self) -> AbstractContextManager[None]:
        """Make it as it is."""
        return nullcontext()

    def _cut(self, count: int, generator: torch.Generator) -> Tensor:
        """Cut words into numbers: a word for each would take as long as the forms, at a million entries."""
        seed = torch.randint(SEEDS, (), generator=generator).item()
        # A word takes half the time of torch's; to start the generator, as long as a few thousand words.
        words = np.random.SFC64(int(seed)).random_raw(math.ceil(count / NUMBERS_A_WORD))
        numbers = torch.from_numpy(words.view(NUMBER)[:count])
        numbers >>= MOST_BITS - self.bits
        return numbers

    draw_parameter = draw

    def draw_positive(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw integers from 1 up."""
        return self.draw(shape, generator).abs().clamp(min=1)

    def looking(self, look: Look, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw, and change what is drawn; a change of scale would leave the integers."""
        drawn = self.draw(shape, generator)
        change = look.of_integers or look.change
        return drawn if look.scales else change(drawn, generator, self.dtype)


@dataclass(frozen=True)
class Traced:
    """The same integers, with a trace that is told of every draw."""

    integers: Integers
    trace: Trace

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the integers."""
        return self.integers.dtype

    def given(self) -> AbstractContextManager[None]:
        """Make it as it is: the trace looks at what it does not know."""
        return nullcontext()

    def draw(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw, and tell the trace."""
        return self.trace.drawn(self.integers.draw(shape, generator))

    draw_parameter = draw

    def draw_positive(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw, and tell the trace."""
        return self.trace.drawn(self.integers.draw_positive(shape, generator))

    def looking(self, look: Look, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw, and tell the trace: no look makes an integer larger."""
        return self.trace.drawn(self.integers.looking(look, shape, generator))


@dataclass(frozen=True)
class Undisturbed:
    """The same numbers in a disturbed run: they are given, not computed."""

    regime: Regime
    disturbance: Disturbance

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the numbers."""
        return self.regime.dtype

    def given(self) -> AbstractContextManager[None]:
        """Pause the disturbance."""
        return self.disturbance.paused()

    def draw(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw the numbers of the undisturbed run."""
        with self.given():
            return self.regime.draw(shape, generator)

    def draw_parameter(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw the numbers of the undisturbed run."""
        with self.given():
            return self.regime.draw_parameter(shape, generator)

    def draw_positive(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw the numbers of the undisturbed run."""
        with self.given():
            return self.regime.draw_positive(shape, generator)

    def looking(self, look: Look, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw the numbers of the undisturbed run."""
        with self.given():
            return self.regime.looking(look, shape, generator)


@dataclass(frozen=True)
class Reals:
    """Normal numbers, drawn in float32 so that every dtype from there on holds the same values."""

    dtype: torch.dtype

    def given(self) -> AbstractContextManager[None]:
        """Make it as it is."""
        return nullcontext()

    def draw(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw every entry from N(0, 1)."""
        return torch.randn(shape, generator=generator, dtype=torch.float32).to(self.dtype)

    def draw_parameter(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw every entry from N(0, 1 / fan_in), so that deep forms neither saturate nor overflow."""
        fan_in = max(1, math.prod(shape[1:]))
        return self.draw(shape, generator) / math.sqrt(fan_in)

    def draw_positive(self, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw every entry from 1/4 + |N(0, 1)|."""
        return self.draw(shape, generator).abs() + LEAST_POSITIVE

    def looking(self, look: Look, shape: Shape, generator: torch.Generator) -> Tensor:
        """Draw, and change what is drawn, in float32 as it is drawn."""
        drawn = torch.randn(shape, generator=generator, dtype=torch.float32)
        return look.change(drawn, generator, self.dtype)
