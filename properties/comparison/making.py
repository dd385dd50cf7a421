"""The tensors that get_inputs() creates: watched, and others put in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

RANDOM = (torch.rand, torch.randn, torch.normal, torch.rand_like, torch.randn_like, torch.randint)
"""What draws a tensor, which stands for any."""
FILLED = (torch.empty, torch.zeros, torch.ones, torch.full)
"""What makes a tensor that stands for any where it is an input as it is: a first state, a mask."""
DRAWS_INTO = ("uniform_", "normal_")
"""What draws into a tensor that was created before."""
MOVES = ("to", "cuda", "cpu", "contiguous", "requires_grad_", "float", "double", "half", "bfloat16")
"""What gives the same real numbers, elsewhere or in another dtype."""
ELSEWHERE = ("device", "generator", "pin_memory")
"""The arguments that say where a tensor lies, or what it is drawn from."""


@dataclass(frozen=True)
class Drawn:
    """One tensor of which get_inputs() makes its own."""

    number: int
    """Its place among the tensors that get_inputs() creates."""
    kind: str
    """The class of the variable that it is an example of."""
    shape: tuple[int, ...]
    bound: int = 0
    """What integers lie below (Index), or go up to (Lengths)."""


class _Made(NamedTuple):
    tensor: Tensor
    kind: str
    bound: int


class Making(TorchFunctionMode):
    """Watches which tensors get_inputs() creates, and puts others in the place of some."""

    def __init__(self, others: Mapping[int, Tensor]) -> None:
        self.others = others
        self.made: list[_Made] = []
        self.places: dict[int, int] = {}
        """The id of each tensor that was created -> its number."""
        self.random: set[int] = set()
        """The numbers of those that were drawn."""
        self.written: set[int] = set()
        """The ids of tensors that were written into."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a function of torch, on the device of the other tensors or on none."""
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if func in RANDOM or func in FILLED:
            return self._making(func, args, kwargs)
        if name in MOVES and isinstance(args[0], Tensor) and args[0].is_floating_point():
            return args[0]
        if name in DRAWS_INTO and id(args[0]) in self.places:
            self.random.add(self.places[id(args[0])])
            return args[0]
        if kwargs.get("device") is not None:
            kwargs["device"] = self._device
        if name == "__setitem__" or (name.endswith("_") and not name.endswith("__")):
            self.written.add(id(args[0]))
        return func(*args, **kwargs)

    def drawn(self, values: Sequence[Any]) -> tuple[Drawn, ...]:
        """Return what others may stand for: what is random, and what is given as it was made."""
        given = {id(value) for value in values} - self.written
        return tuple(
            Drawn(number, one.kind, tuple(one.tensor.shape), one.bound)
            for number, one in enumerate(self.made)
            if one.kind and (number in self.random or id(one.tensor) in given)
        )

    @property
    def _device(self) -> str:
        return next((str(one.device) for one in self.others.values()), "meta")

    def _making(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        number = len(self.made)
        kwargs = {name: value for name, value in kwargs.items() if name not in ELSEWHERE}
        other = self.others.get(number)
        tensor: Tensor = func(*args, **kwargs, device=self._device) if other is None else other.clone()
        kind, bound = _kind(tensor), 0
        if func is torch.randint and kind != "Bool":
            kind, bound = _integers(*args, **kwargs)
        self.made.append(_Made(tensor, kind, bound))
        self.places[id(tensor)] = number
        if func in RANDOM:
            self.random.add(number)
        return tensor


def _kind(tensor: Tensor) -> str:
    """Return the class of a variable that a tensor without bounds is an example of; empty for none."""
    if tensor.dtype == torch.bool:
        return "Bool"
    return "Real" if tensor.is_floating_point() else ""


def _integers(*args: Any, low: int = 0, high: int | None = None, **_: Any) -> tuple[str, int]:
    """Return what torch.randint(high, size) or (low, high, size) draws an example of; of another low none."""
    *lows, end = [*(one for one in args if isinstance(one, int)), *([] if high is None else [high])]
    least = lows[0] if lows else low
    return {0: ("Index", end), 1: ("Lengths", end - 1)}.get(least, ("", 0))
