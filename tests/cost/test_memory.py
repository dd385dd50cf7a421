"""Memory that is followed storage by storage, against what is counted by hand."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from properties.cost.memory import LiveBytes, Peak, Traffic, bytes_of
from properties.cost.meter import Meter

X = torch.ones(100)
FLOATS = 4
"""Bytes of each."""


def chain(x: Tensor) -> Tensor:
    x = x * 2
    x = x + 1
    x = x + 1
    return x + 1


def fork(x: Tensor) -> Tensor:
    left, right = x * 2, x * 3
    return left + right


def outer(x: Tensor) -> Tensor:
    return (x[:, None] * x[None, :]).sum(1)


@pytest.mark.parametrize(
    ("run", "most", "left"),
    [
        (chain, 200, 100),
        (fork, 300, 100),
        (outer, 10_100, 100),
        (lambda x: x.clone().add_(1).mul_(2), 100, 100),
        (lambda x: x.reshape(10, 10).T[2:], 0, 0),
        (lambda x: x.expand(50, 100), 0, 0),
        (lambda x: torch.empty(30) if x.numel() else x, 30, 30),
        (lambda x: [x + 1, x + 2, x + 3][0], 300, 100),
        (lambda x: x.split(50)[0] + 1, 50, 50),
    ],
)
def test_live_memory_is_that_counted_by_hand(run: Callable[[Tensor], Tensor], most: int, left: int) -> None:
    live = LiveBytes()
    with Meter(live):
        kept = run(X)
    assert (live.peak, live.alive()) == (most * FLOATS, left * FLOATS)
    del kept
    assert live.alive() == 0


def test_memory_that_never_dies_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StorageWeakRef, "expired", lambda _: False)
    live = LiveBytes()
    with Meter(live):
        chain(X)
    assert live.peak == 400 * FLOATS


def test_on_cuda_the_allocators_own_peak_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: None)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _: None)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 512)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 4096)
    peak = Peak(torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 1536)
    assert (peak.most(), peak.left()) == (4096 - 512, 1536 - 512)


@pytest.mark.parametrize(
    ("run", "kernels", "read", "written"),
    [
        (lambda x: x + 1, 1, 100, 100),
        (lambda x: x + x, 1, 200, 100),
        (outer, 2, 200 + 10_000, 10_000 + 100),
        (lambda x: x.reshape(10, 10).T[2:].detach(), 0, 0, 0),
        (lambda _: torch.empty(30), 0, 0, 0),
        (lambda _: torch.zeros(30), 1, 0, 30),
        (lambda x: x.expand(50, 100) + 1, 1, 100, 5_000),
        (lambda x: torch.empty(100).copy_(x), 1, 100, 100),
        (lambda x: x.clone().mul_(2), 2, 200, 200),
        (lambda x: x.index_select(0, torch.tensor([1, 2], dtype=torch.int32)), 1, 2 + 2, 2),
    ],
)
def test_traffic_is_that_counted_by_hand(
    run: Callable[[Tensor], Tensor], kernels: int, read: int, written: int
) -> None:
    traffic = Traffic()
    with Meter(traffic):
        run(X)
    assert (traffic.kernels, traffic.read, traffic.written) == (kernels, read * FLOATS, written * FLOATS)


@pytest.mark.parametrize(
    ("tensor", "entries"),
    [(torch.ones(2, 3), 6), (torch.ones(1).expand(5), 1), (torch.ones(0, 3), 0), (torch.ones(()), 1)],
)
def test_expanded_entries_count_once(tensor: Tensor, entries: int) -> None:
    assert bytes_of(tensor) == entries * FLOATS
