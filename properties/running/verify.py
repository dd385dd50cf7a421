"""Claims × laws -> records: the run behind the command line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Protocol

from properties.report.document import CellRecord
from properties.running.checking import check, read
from properties.running.ending import besides
from properties.running.request import Request
from properties.running.workers import Ended, Workers


class Watcher(Protocol):
    """Who is told how far a run is."""

    def count(self, done: int, total: int, claim: str) -> None:
        """Take it in that so many claims are done, and which is next."""

    def hear(self, news: str) -> None:
        """Take in what was found in a claim that is not done yet."""


def verify(request: Request, jobs: int, watcher: Watcher) -> Iterator[list[CellRecord]]:
    """Check every claim of a request, claim by claim in order; every mistake in it shows before the first."""
    total = len(request.claims)
    with Workers(jobs, watcher.hear, request.limit) as workers:
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
