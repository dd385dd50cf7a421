"""A worker keeps what a case frees, until the cell is done."""

import mmap
import platform
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from properties.running import verify
from properties.running.memory import give_memory_back
from properties.running.request import Request

COUNT, SIZE = 4, 24 << 20


def resident() -> int:
    """The bytes of this process that lie in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


def held_after_freeing() -> tuple[int, int]:
    """What is held of some blocks after they are freed, and after that is given back."""
    before = resident()
    blocks = [b"x" * SIZE for _ in range(COUNT)]
    blocks.clear()
    kept = resident() - before
    give_memory_back()
    return kept, resident() - before


def test_every_cell_gives_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    monkeypatch.setattr(verify, "give_memory_back", lambda: given.append("once"))
    records = verify.check(Request(("n-d-linear",), ("forward", "masked")), "n-d-linear")
    assert len(records) == len(given) == 2


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked")
def test_freed_memory_is_kept_until_it_is_given_back() -> None:
    with ProcessPoolExecutor(1, get_context("spawn"), verify._start_worker) as pool:
        kept, left = pool.submit(held_after_freeing).result()
    assert kept > (COUNT - 1) * SIZE
    assert left < SIZE
