"""The first oracle: integer-valued floating point, where two forms agree bitwise or differ.

Why a bitwise verdict is sound. Every input, parameter and cotangent is an integer of at most M = 2^bits.
Each tensor of a run is then bounded by weight * M^degree, where `weight` counts the products that are
summed and `degree` is the degree of the polynomial in all drawn numbers. While that bound stays below 2^53,
float64 holds every value and every partial sum exactly, in whatever order they are added; float32 does so
below 2^24, float16 below 2^11, bfloat16 below 2^8. A dispatch mode
traces both forms, forward and backward, and computes the two numbers for every intermediate tensor; an
operation that it does not know, or that leaves the integers, taints what depends on it, and a tainted
result is left to the rounding model.

Why agreement is evidence (Schwartz-Zippel). The difference of two polynomial forms is a polynomial of
degree at most d in independent draws from a set S of 2^(bits + 1) integers. If it is not zero
everywhere, it is zero at one random point with probability at most d / |S|. The bound holds for one case at
the sizes of that case, and only for polynomial forms: ReLU, max and comparisons are exact, but they make a
polynomial per sign region, and the run then speaks of the regions that were drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from properties.dtypes import named
from properties.operations.bounds import Bound, Exact, Tainted, observed
from properties.operations.table import Operation, known
from properties.operations.tf32 import SIGNIFICAND, in_tf32
from properties.oracle.mode import Mode
from properties.oracle.trees import tensors

SIGNIFICANDS = {torch.float64: 53, torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}
MARGIN = 1
"""One bit kept free, for tensors that enter a run from outside and are bounded by the values seen."""
MOST_BITS = 15
"""With more, drawing would take longer, and a miss is rare enough: d / 65,536 in one case."""
FEWEST_BITS = 4
"""Of float64. A narrower dtype may have fewer, and reals beside them where these miss too much."""
TRACED_BITS = 3
"""A trace draws small integers: the bounds it computes are symbolic in M."""
SINGLE_EVERY = 8
"""One case in so many runs in float32."""
MOST_MISSED = 1 / 32
"""Where integers of few bits miss a false identity more often, a case does not rest on them alone."""


@dataclass(frozen=True)
class Exactness:
    """What a trace found: the bits that keep a run exact, and what its agreement is worth."""

    bits: int
    single_bits: int
    """The same for a run in float32, whose significand is shorter."""
    degree: int
    piecewise: bool
    obstacle: str = ""
    """Why the run cannot be exact; empty where it is."""
    dtype: torch.dtype = torch.float64
    """The dtype that has room for these bits."""

    @property
    def suffices(self) -> bool:
        """Whether enough bits are left for a case to be decided by them alone."""
        return self._missed(self.bits) <= MOST_MISSED

    @property
    def single_suffices(self) -> bool:
        """Whether enough bits are left in float32 for a case to be decided there alone."""
        return self.single_bits > 0 and self._missed(self.single_bits) <= MOST_MISSED

    @property
    def miss_probability(self) -> float | None:
        """The chance that one case misses a false identity; None per sign region, and of too few bits.

        Of cases in float64 every eighth is one in float32.
        """
        if self.piecewise:
            return None
        if self.dtype != torch.float64:
            return self._missed(self.bits) if self.suffices else None
        double = self._missed(self.bits)
        single = self._missed(self.single_bits) if self.single_suffices else double
        return ((SINGLE_EVERY - 1) * double + single) / SINGLE_EVERY

    def _missed(self, bits: int) -> float:
        """Give d / |S|."""
        return min(1.0, math.ldexp(self.degree, -bits - 1))


class Trace(Mode):
    """Bounds every tensor of a run by weight * M^degree, storage by storage, and looks at every value."""

    def __init__(self, bits: int = TRACED_BITS, dtype: torch.dtype = torch.float64) -> None:
        """Watch a run in one dtype, whose drawn integers have at most this many bits."""
        super().__init__()
        self.bits = bits
        self.dtype = dtype
        self.significand = SIGNIFICANDS[dtype]
        self.bounds: dict[int, Bound] = {}
        # A weak reference keeps a storage's identity from being used again, but not its memory.
        self.named: list[StorageWeakRef] = []
        self.heaviest: dict[int, float] = {0: 1.0}
        self.piecewise = False

    def __torch_dispatch__(
        self,
        operation: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one operation, and bound what it wrote."""
        kwargs = kwargs or {}
        name = operation.overloadpacket.__name__
        line = known(name)
        sources = [self.bound(tensor) for tensor in tensors((args, kwargs))]
        sources = sources[1:] if line.overwrites else sources
        if in_tf32(name, tensors((args, kwargs))):
            self.significand = min(self.significand, SIGNIFICAND)
        result = operation(*args, **kwargs)
        bound = self._combine(name, line, sources, (args, kwargs, result))
        self._note_rounding(name, sources, result)
        for tensor in tensors(result):
            self._write(tensor, self._checked(tensor, bound, name), whole=not operation._schema.is_mutable)  # noqa: SLF001
        return result

    def bound(self, tensor: Tensor) -> Bound:
        """Give the bound of a tensor; one that came from outside is bounded by the values it holds."""
        if tensor.is_meta:
            return observed(tensor)
        storage = tensor.untyped_storage()
        if storage._cdata not in self.bounds:  # noqa: SLF001  (torch names a storage by this)
            self._write(tensor, observed(tensor), whole=True)
        return self.bounds[storage._cdata]  # noqa: SLF001

    def drawn(self, tensor: Tensor) -> Tensor:
        """Bound a tensor of freshly drawn integers by M, and give it back."""
        self._write(tensor, Exact(1, 1.0), whole=True)
        self.heaviest[1] = max(1.0, self.heaviest.get(1, 0.0))
        return tensor

    def _combine(self, name: str, line: Operation, sources: list[Bound], call: Any) -> Bound:
        if line.bound is None:
            return Tainted(f"{name} is not known to keep integers")
        if line.piecewise and any(isinstance(source, Exact) and source.degree for source in sources):
            self.piecewise = True
        exact = [source for source in sources if isinstance(source, Exact)]
        tainted = next((source for source in sources if isinstance(source, Tainted)), None)
        if tainted is None or line.forgets:
            return line.bound([] if line.forgets else exact, *call)
        return tainted

    def _note_rounding(self, name: str, sources: list[Bound], result: Any) -> None:
        """Mark a cast of drawn reals to integers, and a real read into Python: they choose by value too."""
        drawn = any(isinstance(source, Tainted) or source.degree for source in sources)
        cast = name in ("_to_copy", "copy_") and any(not one.is_floating_point() for one in tensors(result))
        if drawn and (cast or name == "_local_scalar_dense"):
            self.piecewise = True

    def _checked(self, tensor: Tensor, bound: Bound, name: str) -> Bound:
        """Hold the bound against the values of this run: integers, and no larger than it says."""
        if isinstance(bound, Tainted) or tensor.is_meta or not tensor.numel():
            return bound
        if not tensor.is_floating_point():
            return observed(tensor)
        if torch.finfo(tensor.dtype).eps > torch.finfo(self.dtype).eps and not _fits(bound, tensor.dtype):
            return Tainted(f"{name} computes in {named(tensor.dtype)}")
        self.heaviest[bound.degree] = max(bound.weight, self.heaviest.get(bound.degree, 0.0))
        largest = tensor.abs().max().item()
        if not torch.equal(tensor, tensor.round()):
            return Tainted(f"{name} gives values that are no integers")
        if not largest <= bound.at(self.bits):
            return Tainted(f"{name} gives {largest:g}, beyond the bound {bound.at(self.bits):g}")
        return bound

    def _write(self, tensor: Tensor, bound: Bound, *, whole: bool) -> None:
        if tensor.is_meta:
            return
        storage = tensor.untyped_storage()
        key = storage._cdata  # noqa: SLF001
        covers = whole or tensor.numel() * tensor.element_size() >= storage.nbytes()
        old = self.bounds.get(key)
        self.bounds[key] = bound if covers or old is None else old.joined(bound)
        if old is None:
            self.named.append(StorageWeakRef(storage))


def _fits(bound: Exact, dtype: torch.dtype) -> bool:
    """Whether a constant is held exactly by a narrow dtype."""
    return bound.degree == 0 and bound.weight * torch.finfo(dtype).eps <= 1


def examine(run: Callable[[], Any], trace: Trace) -> Exactness:
    """Watch a run that tells the trace what it draws, and say what keeps it exact."""
    with trace:
        result = run()
    bounds = [trace.bound(tensor) for tensor in tensors(result)]
    tainted = next((bound for bound in bounds if isinstance(bound, Tainted)), None)
    degree = max((bound.degree for bound in bounds if isinstance(bound, Exact)), default=0)
    room, single_room = (
        _room(trace.heaviest, digits) for digits in (trace.significand, SIGNIFICANDS[torch.float32])
    )
    fewest = FEWEST_BITS if trace.dtype == torch.float64 else 1
    obstacle = tainted.reason if tainted else ""
    if not obstacle and room < fewest:
        obstacle = f"degree {max(trace.heaviest)} leaves {room} bits to draw from"
    bits, single_bits = (min(one, MOST_BITS) for one in (room, single_room))
    return Exactness(bits, single_bits, degree, trace.piecewise, obstacle, trace.dtype)


def _room(heaviest: Mapping[int, float], significand: int) -> int:
    """Most bits b with weight * 2^(b * degree) <= 2^(significand - margin) for every tensor."""
    if any(math.isinf(weight) for weight in heaviest.values()):
        return 0
    rooms = [
        math.floor((significand - MARGIN - math.log2(max(1.0, weight))) / degree)
        for degree, weight in heaviest.items()
        if degree
    ]
    return min(rooms, default=MOST_BITS)
