"""What a run reads, writes and keeps alive, storage by storage.

Seen are the storages of tensors: those that an operation gives are new, those that one is first given came
from outside. Not seen is what a kernel takes for itself while it runs, as a packed copy of a matrix, nor what
the allocator rounds up.
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from properties.cost.meter import Call
from properties.operations.table import RESERVATION, known
from properties.oracle.trees import tensors

OVERWRITING = ("copy_", "zero_", "fill_")
"""Their first tensor is written without being read."""
SELECTING = ("index", "index_select", "gather", "embedding")
"""They read as many entries of their first tensor as they give."""


class LiveBytes:
    """Bytes of the storages that a run made: alive now, and at most at once."""

    def __init__(self) -> None:
        """Start with nothing of its own."""
        self.peak = 0
        self._sizes: dict[int, int] = {}
        # A weak reference keeps a storage's identity from being used again, but not its memory.
        self._references: dict[int, StorageWeakRef] = {}
        self._outside: dict[int, StorageWeakRef] = {}

    def __call__(self, call: Call) -> None:
        """Add what an operation made, and drop what has died since the one before."""
        for tensor in tensors((call.args, call.kwargs)):
            if _identity(tensor) not in self._sizes:
                self._outside.setdefault(_identity(tensor), _reference(tensor))
        for tensor in tensors(call.result):
            if _identity(tensor) not in self._outside:
                self._references.setdefault(_identity(tensor), _reference(tensor))
                self._sizes[_identity(tensor)] = tensor.untyped_storage().nbytes()
        self.peak = max(self.peak, self.alive())

    def alive(self) -> int:
        """Give the bytes that are alive now."""
        for identity in [one for one, reference in self._references.items() if reference.expired()]:
            del self._sizes[identity], self._references[identity]
        return sum(self._sizes.values())


class Traffic:
    """Counts the operations that compute, and the bytes that they read and write."""

    def __init__(self) -> None:
        """Start at none."""
        self.kernels = 0
        self.read = 0
        self.written = 0

    def __call__(self, call: Call) -> None:
        """Add one operation; a view, and memory that is only reserved, cost nothing."""
        if is_view(call) or known(call.name) is RESERVATION:
            return
        given = list(tensors((call.args, call.kwargs)))
        if call.name in SELECTING:
            self.read += bytes_of(call.result) + sum(map(bytes_of, given[1:]))
        else:
            self.read += sum(map(bytes_of, given[1:] if call.name in OVERWRITING else given))
        self.written += sum(map(bytes_of, tensors(call.result)))
        self.kernels += 1


def is_view(call: Call) -> bool:
    """Whether an operation gives only its arguments' own memory, and writes nothing."""
    given = {_identity(tensor) for tensor in tensors((call.args, call.kwargs))}
    made = [_identity(tensor) for tensor in tensors(call.result)]
    return bool(made) and not call.writes and given.issuperset(made)


def bytes_of(tensor: Tensor) -> int:
    """Give the bytes of a tensor's entries, each counted once where it is expanded."""
    sizes = zip(tensor.shape, tensor.stride(), strict=True)
    return prod(size for size, stride in sizes if stride or not size) * tensor.element_size()


def _identity(tensor: Tensor) -> int:
    identity: int = tensor.untyped_storage()._cdata  # noqa: SLF001  (torch names a storage by this)
    return identity


def _reference(tensor: Tensor) -> StorageWeakRef:
    return StorageWeakRef(tensor.untyped_storage())


class Peak:
    """Bytes that a run takes beyond those alive before it: at most at once, and at its end."""

    def __init__(self, device: torch.device) -> None:
        """Start to watch; on CUDA this starts torch's own peak statistics anew."""
        self.live = LiveBytes()
        self.device = device
        self.before = 0
        if self.is_cuda:
            torch.cuda.synchronize(device)
            torch.cuda.reset_peak_memory_stats(device)
            self.before = torch.cuda.memory_allocated(device)

    @property
    def is_cuda(self) -> bool:
        """Whether torch's allocator keeps the account, which sees what kernels take for themselves too."""
        return self.device.type == "cuda"

    def most(self) -> int:
        """Give the most bytes alive at once."""
        return torch.cuda.max_memory_allocated(self.device) - self.before if self.is_cuda else self.live.peak

    def left(self) -> int:
        """Give the bytes alive now."""
        return torch.cuda.memory_allocated(self.device) - self.before if self.is_cuda else self.live.alive()
