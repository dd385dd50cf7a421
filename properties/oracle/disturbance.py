"""Monte Carlo arithmetic: a run in which every operation rounds at random, at its own precision.

An operation of floating-point arithmetic gives (1 + d) times the exact result, |d| <= u, with u the unit
roundoff of the dtype that it computes in. So a run is repeated with (1 + 2 u ξ) times each result,
1/2 <= |ξ| < 1: how far the outputs of such runs spread is how far rounding can carry them, for this form, on
these numbers, forward or backward. No ξ is small: it would be rounded away. What moves, compares or chooses
values rounds nothing, and is left alone.

What is more than one operation inside (a contraction, a reduction, a fused norm, attention, a convolution, a
layer of LSTM cells) has its inputs disturbed too. Such an algorithm is backward stable: what it gives is the
exact result for inputs that are a few u away, so that disturbed inputs bound what happens inside. An error of
k terms that are added one by one grows beyond that like the root of k, and so does the disturbance. The few
that are not stable in this sense (gelu far from 0, a softmax's logarithm near 0, the derivative of a gate
that is rounded to 1) have what they take a difference of disturbed as well.

ξ follows from the bits of a number, and from the operation and the place in it that the number has. Numbers
that are tied stay tied where one operation meets them, so that no choice among them is made anew. In bfloat16
and float16 it follows from the bits before they are rounded: what rounding alone makes alike is no tie. Where
a matrix is solved or factored, ties of its entries choose nothing, and each is moved by itself.

Sources: D. S. Parker, Monte Carlo Arithmetic, 1997; N. J. Higham, Accuracy and Stability of Numerical
Algorithms, 2nd ed., sections 2.2 (the model) and 1.5 (backward error).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from properties.dtypes import NARROW, widened
from properties.operations.table import known
from properties.operations.tf32 import COARSER, in_tf32
from properties.oracle.mode import Mode
from properties.oracle.trees import tensors
from properties.oracle.widening import narrows

AMPLITUDE = 2.0
"""Of a disturbance, in unit roundoffs: a run stands for every order of summation, not for one."""
USUAL_TERMS = 64
"""So many terms are added up without more than one disturbance of each."""
COPIES = ("copy_", "_to_copy")
ELIMINATING = ("cholesky", "linalg", "lu_solve", "triangular_solve")
"""Parts of the names of what solves or factors a matrix."""
WORDS = {4: np.uint32, 8: np.uint64}
MIXERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
SHIFTS = (np.uint64(32), np.uint64(29))


class Disturbance(Mode):
    """Disturbs every operation that rounds, while it is entered and not paused; `only` names a single one."""

    def __init__(self, number: int, only: str = "") -> None:
        """Take the number of the run: another number, other disturbances."""
        super().__init__()
        self.number = number
        self.only = only
        self.rounded: Counter[tuple[str, torch.dtype]] = Counter()
        """Operation and the dtype that it computed in -> how often it was disturbed."""
        self._calls = 0
        self._paused = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave alone what runs inside: the numbers of a case are drawn, not computed."""
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before

    def __torch_dispatch__(
        self,
        operation: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation, on disturbed inputs where it is more than one inside, and disturb its results."""
        kwargs = kwargs or {}
        kind = _kind(operation)
        name = kind.name
        rounds = kind.rounds or (kind.copies and _narrows(name, args, kwargs))
        if self._paused or not rounds or self.only not in ("", name):
            return operation(*args, **kwargs)
        self._calls += 1
        with _our_work(name):
            inputs = args if kind.once else self._inputs(operation, name, args)
            unrounded = _unrounded(operation, name, args, kwargs) if kind.once or kind.copies else None
        result = operation(*inputs, **kwargs)
        with _our_work(name):
            return self._results(operation, name, args, result, unrounded)

    def _inputs(self, operation: Any, name: str, args: tuple[Any, ...]) -> list[Any]:
        """Disturb what an operation only reads."""
        factor = AMPLITUDE * _growth(name, args) * (COARSER if in_tf32(name, tensors(args)) else 1)
        apart = _eliminates(name)
        declared = operation._schema.arguments  # noqa: SLF001
        return [
            arg
            if one.alias_info is not None or one.name.startswith("running_")
            else self._changed(arg, factor, place, _places(arg) if apart else None)
            for place, (one, arg) in enumerate(zip(declared, args, strict=False))
        ]

    def _results(
        self, operation: Any, name: str, args: tuple[Any, ...], result: Any, unrounded: Tensor | None
    ) -> Any:
        written = operation._schema.is_mutable  # noqa: SLF001
        for tensor in tensors(result):
            if _is_inexact(tensor):
                self.rounded[name, tensor.dtype] += 1
        inside = INSIDE.get(name)
        if inside is not None:
            slack = inside(*args)
            if isinstance(slack, Tensor):
                return self._moved_by(slack, result)
            sizes = zip(slack, result, strict=True)
            return tuple(
                self._moved_by(size.expand_as(one).contiguous(), one, _places(one)) for size, one in sizes
            )
        if not written:
            return self._changed(result, AMPLITUDE, -1, unrounded)
        for tensor in tensors(result):
            if _is_inexact(tensor):
                tensor.copy_(self._disturbed(tensor, AMPLITUDE, -1, unrounded))
        return result

    def _moved_by(self, slack: Tensor, result: Tensor, bits: Tensor | None = None) -> Tensor:
        """Disturb a result, and move it by what the numbers that it is the difference of are disturbed by."""
        moved: Tensor = self._changed(slack, AMPLITUDE, -2, bits) - slack
        disturbed: Tensor = self._changed(result, AMPLITUDE, -1)
        return disturbed + moved.to(result.dtype)

    def _changed(self, tree: Any, factor: float, place: int, bits: Tensor | None = None) -> Any:
        if isinstance(tree, Tensor):
            return self._disturbed(tree, factor, place, bits) if _is_inexact(tree) else tree
        if isinstance(tree, list | tuple):
            return tree_map_only(Tensor, lambda one: self._changed(one, factor, place), tree)
        return tree

    def _disturbed(self, tensor: Tensor, factor: float, place: int, bits: Tensor | None = None) -> Tensor:
        """Return (1 + factor u ξ) times a tensor; both parts of a complex number are moved by its size.

        ξ follows from the bits of the tensor, or of what stands for it.
        """
        key = hash((self.number, self._calls, place)) % 2**64
        values = tensor.detach()
        finfo = torch.finfo(values.dtype)
        size = factor * finfo.eps / 2
        if values.is_complex():
            parts = torch.view_as_real(values.resolve_conj()).resolve_neg()
            turned = (1 + size * torch.from_numpy(_xi(parts[..., k].cpu().numpy(), key)) for k in (0, 1))
            factors = torch.complex(next(turned), next(turned) - 1).to(values.device)
            return (values * factors).to(values.dtype)
        # ξ is the same on every device.
        array = widened(values.resolve_neg()).cpu().numpy()
        least = finfo.tiny if values.dtype == torch.float16 else 0.0
        by = size * _xi(array if bits is None else bits.cpu().numpy(), key)
        moved = torch.from_numpy(_moved(array, by, least)).to(values.dtype)
        return _lying_as(values, moved.to(values.device))


class DisturbanceError(Exception):
    """An operation that cannot be disturbed: ours to mend, and no answer of a form."""


@contextmanager
def _our_work(name: str) -> Iterator[None]:
    """Keep a mistake of ours from being taken for a refusal of the form that is running."""
    try:
        yield
    except Exception as error:
        raise DisturbanceError(f"{name} cannot be disturbed: {type(error).__name__}: {error}") from error


def _lying_as(values: Tensor, moved: Tensor) -> Tensor:
    """Lay numbers out in memory as those that they stand for: what a form does may hang on that."""
    return moved if moved.stride() == values.stride() else torch.empty_like(values).copy_(moved)


Array = np.ndarray[Any, Any]


def _moved(array: Array, by: Array, least: float = 0.0) -> Array:
    """Return (1 + by) times an array, in float64; what is not finite stays.

    A number below the `least` is moved as that one is: subnormal numbers have fewer digits.
    """
    with np.errstate(all="ignore"):
        moving = np.where(array == 0, 0, np.maximum(np.abs(array), least)) if least else array
        moved = np.asarray(array + moving * by)
    if not np.isfinite(moved).all():
        moved = np.where(np.isfinite(moved), moved, array)
    return moved


def _xi(array: Array, key: int) -> Array:
    """Return ξ for every entry, 1/2 <= |ξ| < 1, from its bits and the key."""
    # An array of no axes would become a number with the first product.
    words = array.view(WORDS[array.itemsize]).astype(np.uint64).reshape(-1)
    # The highest bit is the sign, and a product carries nothing down: x and -x would be moved alike.
    words ^= words >> SHIFTS[0]
    words ^= np.uint64(key)
    words *= MIXERS[0]
    words ^= words >> SHIFTS[0]
    words *= MIXERS[1]
    words ^= words >> SHIFTS[1]
    drawn = words.view(np.int64) * 2.0**-64
    drawn += np.copysign(0.5, drawn)
    return drawn.reshape(array.shape)


def _unrounded(operation: Any, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor | None:
    """Return what a single operation gives before it rounds to a narrow dtype; None where it does not.

    So few digits make many numbers alike that were none: moved alike, they would stay so.
    """
    if name in COPIES:
        target, source = args[:2] if name == "copy_" else (args[0], args[0])
        narrow = (kwargs.get("dtype") or target.dtype) in NARROW
        return widened(source.detach()).expand_as(target).contiguous() if narrow else None
    if not any(isinstance(one, Tensor) and one.dtype in NARROW for one in args):
        return None
    wide = operation(*tree_map_only(Tensor, lambda one: widened(one.detach()), args), **kwargs)
    return wide if isinstance(wide, Tensor) and wide.dtype == torch.float32 else None


class Kind(NamedTuple):
    """What disturbing an operation asks of it, whatever it is given."""

    name: str
    rounds: bool
    """Not one that moves, compares, chooses, gives a view, or draws."""
    copies: bool
    """One that rounds where it copies to a narrower dtype."""
    once: bool
    """A single one on each entry: its result alone is disturbed."""


@cache
def _kind(operation: Any) -> Kind:
    name = operation.overloadpacket.__name__
    # Attention may drop entries: it draws beside what it computes.
    draws = torch.Tag.nondeterministic_seeded in operation.tags and "attention" not in name
    views = any(one.alias_info and not one.alias_info.is_write for one in operation._schema.returns)  # noqa: SLF001
    rounds = known(name).rounds and not draws and not views
    several = name.endswith("_backward") or name.removesuffix("_") in SEVERAL_AT_EACH_ENTRY
    once = torch.Tag.pointwise in operation.tags and not several
    return Kind(name, rounds, name in COPIES, once)


def _narrows(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a copy rounds, as one to a narrower dtype does."""
    if name == "copy_":
        return narrows(args[1].dtype, args[0].dtype)
    # A transform of torch.func makes a tensor of a number in the code of a form.
    return isinstance(args[0], Tensor) and narrows(args[0].dtype, kwargs.get("dtype") or args[0].dtype)


def _eliminates(name: str) -> bool:
    """Whether an operation solves or factors a matrix, by differences of its entries."""
    return any(part in name for part in ELIMINATING) and "norm" not in name


def _places(arg: Any) -> Tensor | None:
    """Return a number of its own for each entry: equal ones, moved alike, keep what they cancel to."""
    return torch.arange(arg.numel()).reshape(arg.shape) if isinstance(arg, Tensor) else None


def _growth(name: str, args: tuple[Any, ...]) -> float:
    """Give how much more a sum of many terms may round than one of few: the root of their number."""
    return max(1.0, math.sqrt(known(name).terms(args) / USUAL_TERMS))


def _is_inexact(tensor: Tensor) -> bool:
    # Autograd's zeros have no memory.
    stored = tensor.layout is torch.strided and not tensor.is_meta and not tensor._is_zerotensor()  # noqa: SLF001
    has_numbers = stored and tensor.numel() > 0
    return has_numbers and (tensor.is_complex() or (tensor.is_floating_point() and not _counts(tensor)))


def _counts(tensor: Tensor) -> bool:
    """Whether a tensor is a single whole number, as an optimiser counts its steps: nothing rounds there."""
    return not tensor.ndim and bool(tensor == tensor.round())


def _of_gelu_backward(gradient: Tensor, x: Tensor, **_: Any) -> Tensor:
    return gradient * (1 + x.abs())


def _of_glu_backward(gradient: Tensor, x: Tensor, axis: int) -> Tensor:
    """Return that of s (1 - s), s the sigmoid of the gate: only its gradient takes a difference."""
    values, _ = x.chunk(2, axis)
    return torch.cat([torch.zeros_like(gradient), gradient * values], axis)


def _of_log_softmax(x: Tensor, axis: int, *_: Any) -> Tensor:
    return x - x.amax(axis, keepdim=True) - 1 if x.numel() else x


def _of_recurrence_backward(*args: Any) -> list[Tensor]:
    """Return those of 1 - tanh² and s (1 - s), at most 1, by which the gradient of every step is multiplied.

    Where tanh is rounded to 1 nothing is left of it, and the memory that keeps it is not disturbed: bytes.
    Each is the most that all cotangents together come to.
    """
    x, of_x, of_h, _, _, first, _, outputs = args[:8]
    cotangents = [one for one in args[10:13] if one is not None]
    # In what it computes in, which may be narrower than its results.
    reached = torch.stack([one.abs().sum() for one in cotangents]).sum().to(x.dtype)
    states = torch.cat([first.flatten(), outputs.flatten()])
    by_inputs, by_x, by_states, by_h = (reached * _largest(one) for one in (of_x, x, states, of_h))
    return [by_inputs, by_x, by_states, reached, reached, by_h, reached]


def _largest(tensor: Tensor) -> Tensor:
    return tensor.abs().amax() if tensor.numel() else tensor.new_zeros(())


SEVERAL_AT_EACH_ENTRY = {"addcmul", "addcdiv", "lerp"}
"""What multiplies and adds at each entry: the sum may be small where the product was not."""
INSIDE: Mapping[str, Callable[..., Tensor | list[Tensor]]] = {
    "gelu": lambda x, **_: x,
    "gelu_backward": _of_gelu_backward,
    "glu_backward": _of_glu_backward,
    "_log_softmax": _of_log_softmax,
    "mkldnn_rnn_layer_backward": _of_recurrence_backward,
    "logsumexp": lambda x, axes, keepdim=False: x.abs().amax(axes, keepdim=keepdim) + 1,
}
"""Of what size are the numbers that an operation takes the difference of at its end; one for each result."""
