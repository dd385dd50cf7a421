"""Claims × laws -> records: the run behind the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from properties.report.document import CellRecord
from properties.running.checking import check, read
from properties.running.ending import besides
from properties.running.request import Request
from properties.running.workers import Ended, Workers

KEPT_BYTES = 1 << 22
"""What a worker keeps of the memory that it frees: more fills a GiB, and less is soon asked for again."""


class Watcher(Protocol):
    """Who is told how far a run is."""

    def count(self, done: int, total: int, claim: str) -> None:
        """Take it in that so many claims are done, and which is next."""

    def hear(self, news: str) -> None:
        """Take in what was found in a claim that is not done yet."""


def verify(request: Request, jobs: int, watcher: Watcher) -> Iterator[list[CellRecord]]:
    """Check every claim of a request, claim by claim in order; every mistake in it shows before the first."""
    total = len(request.claims)
    with keeping_memory(KEPT_BYTES), Workers(jobs, watcher.hear, request.limit) as workers:
        answers = workers.map(partial(read, request), request.claims)
        ended = {
            name: answer for name, answer in zip(request.claims, answers, strict=True) if answer is not None
        }
        watcher.count(0, total, request.claims[0])
        checked = workers.map(partial(check, request), [name for name in request.claims if name not in ended])
        try:
            for done, name in enumerate(request.claims, start=1):
                records = ended.get(name) or next(checked)
                watcher.count(done, total, name)
                yield besides(request, name, records) if isinstance(records, Ended) else records
        except KeyboardInterrupt:
            yield from (records for records in workers.early.values() if not isinstance(records, Ended))
            raise


@contextmanager
def keeping_memory(kept_bytes: int) -> Iterator[None]:
    """Let processes that are started inside keep so much freed memory at the end of their heap.

    These are names of glibc's allocator; other systems know none of them.
    """
    allocator = {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_TRIM_THRESHOLD_": f"{kept_bytes}",
        "MALLOC_MMAP_THRESHOLD_": f"{kept_bytes}",
    }
    before = {name: os.environ.get(name) for name in allocator}
    os.environ.update({**allocator, **{name: value for name, value in before.items() if value is not None}})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
