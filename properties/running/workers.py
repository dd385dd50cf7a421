"""The processes that run the forms: one that ends takes nothing with it but the claim that it was in."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

import torch

from properties.running.rooms import IDLE, Room, at_task, enter, said

Answer = TypeVar("Answer")
HEARTBEAT = 0.2
"""So many seconds news may wait."""
LIMIT = 300.0
"""So many seconds a process may be at what it said last."""
MOST_IDLE = 3
"""A process that has no task may be ended by somebody else; where so many end, none can be started."""


@dataclass(frozen=True)
class Ended:
    """A process that ended before it answered."""

    how: str
    """Its exit code, the signal that it died of, or for how long it gave no answer."""
    doing: tuple[str, ...] = ()
    """What it last said that it was doing; empty where it said nothing."""
    stalled: bool = False
    """Whether it was ended because it gave no answer."""

    def __str__(self) -> str:
        """Tell how it ended, as what its claim or form did."""
        return f"gave {self.how}" if self.stalled else f"ended the process ({self.how})"


def unheard(_: str) -> None:
    """Do nothing with news."""


class Workers:
    """So many processes that call functions of one word; a new one takes the place of one that ends.

    They are the standard library's, for pebble does not see a process end with exit code 0, and loky does
    not say which of several ended either: what each left in its room does.
    """

    def __init__(self, jobs: int, hear: Callable[[str], None] = unheard, limit: float = LIMIT) -> None:
        """Start no process yet; `hear` is given what they tell while they are waited for.

        A process that says nothing for `limit` seconds is ended.
        """
        self.jobs = jobs
        self.hear = hear
        self.limit = limit
        # A fork has torch imported already. It is safe here: the process of the command runs no form, so that
        # it has no threads of autograd or OpenMP, which would not survive; in the fork a form has one thread.
        # What has begun to use a GPU cannot be forked.
        forks = sys.platform == "linux" and not torch.cuda.is_initialized()
        self.context = multiprocessing.get_context("fork" if forks else "spawn")
        self.pool: ProcessPoolExecutor | None = None
        self.processes: list[BaseProcess] = []
        self.stalled: set[int] = set()
        """The processes that were ended because they said nothing."""
        self.idle = 0
        """How often a process ended that had no task."""
        self.early: dict[str, Any] = {}
        """What was answered before its turn when waiting was interrupted, by word."""

    def __enter__(self) -> Self:
        """Give the workers."""
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        """Let the processes end, at once where something went wrong here: a form may never answer."""
        for process in self.processes if kind is not None else ():
            process.kill()
        self._close()

    def map(self, function: Callable[[str], Answer], words: Sequence[str]) -> Iterator[Answer | Ended]:
        """Give what the function gives for each word, in order; Ended where the process ended in it."""
        known: dict[int, Answer | Ended] = {}
        asked: dict[int, Future[Answer]] = {}
        for task in range(len(words)):
            while task not in known:
                left = {one: words[one] for one in range(task, len(words)) if one not in known}
                asked = asked or self._submitted(function, left)
                try:
                    known[task] = self._awaited(asked[task])
                except BrokenProcessPool:
                    known |= self._ended(function, left) | _done(asked)
                    asked = {}
                except KeyboardInterrupt:
                    self.early = {
                        words[one]: answer for one, answer in (known | _done(asked)).items() if one > task
                    }
                    raise
            yield known.pop(task)

    def _awaited(self, future: Future[Answer]) -> Answer:
        """Wait for an answer, and hear what is told meanwhile."""
        while not wait([future], HEARTBEAT).done:
            self._hear()
            self._end_what_stalls()
        self._hear()
        return future.result()

    def _hear(self) -> None:
        while not self.told.empty():
            self.hear(self.told.get())

    def _end_what_stalls(self) -> None:
        processes = {process.pid: process for process in self.processes}
        for room in self.rooms:
            if room.task != IDLE and time.monotonic() - room.since > self.limit:
                self.stalled.add(room.pid)
                processes[room.pid].kill()

    def _submitted(
        self, function: Callable[[str], Answer], tasks: Mapping[int, str]
    ) -> dict[int, Future[Answer]]:
        others = set(multiprocessing.active_children()) - {*self.processes}
        # Python 3.12 and later warn of any fork of a process with threads; NumPy's survive it.
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            submitted = {task: self._future(task, function, word) for task, word in tasks.items()}
        self.processes += set(multiprocessing.active_children()) - others - {*self.processes}
        return submitted

    def _future(self, task: int, function: Callable[[str], Answer], word: str) -> Future[Answer]:
        """Ask for one answer; a process may have ended since the last."""
        if self.pool is None:
            self.rooms: Any = self.context.RawArray(Room, [(0, IDLE)] * self.jobs)
            self.told: SimpleQueue[str] = self.context.SimpleQueue()
            given = (self.rooms, self.context.Value("i"), self.told)
            self.pool = ProcessPoolExecutor(self.jobs, self.context, enter, given)
        try:
            return self.pool.submit(at_task, task, function, word)
        except BrokenProcessPool as broken:
            future = Future[Answer]()
            future.set_exception(broken)
            return future

    def _ended(self, function: Callable[[str], Answer], left: Mapping[int, str]) -> dict[int, Answer | Ended]:
        """Say which tasks ended their process, and how; where that is not known, each is asked for alone."""
        rooms = {room.pid: room for room in self.rooms if room.task in left}
        processes, stalled = self.processes, self.stalled
        self._close()
        # The pool ends the others by this signal; of one process it is known anyway.
        guilty = [one for one in processes if one.exitcode != -signal.SIGTERM or self.jobs == 1]
        if len(guilty) != 1:
            return {room.task: self._alone(function, left[room.task]) for room in rooms.values()}
        (process,) = guilty
        if process.pid in rooms:
            room, is_stalled = rooms[process.pid], process.pid in stalled
            how = f"no answer for {self.limit:g} s" if is_stalled else _how(process)
            return {room.task: Ended(how, said(room), is_stalled)}
        self.idle += 1
        return {} if self.idle < MOST_IDLE else {min(left): Ended(_how(process))}

    def _alone(self, function: Callable[[str], Answer], word: str) -> Answer | Ended:
        with Workers(1, self.hear, self.limit) as alone:
            return next(alone.map(function, [word]))

    def _close(self) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
        self.pool, self.processes, self.stalled = None, [], set()


def in_a_process(function: Callable[[str], Answer], word: str = "", limit: float = LIMIT) -> Answer | Ended:
    """Return what a function of one word gives in a process of its own; Ended where that ended in it."""
    with Workers(1, limit=limit) as workers:
        (answer,) = workers.map(function, [word])
        return answer


def _done(asked: Mapping[int, Future[Answer]]) -> dict[int, Answer]:
    return {task: one.result() for task, one in asked.items() if one.done() and one.exception() is None}


def _how(process: BaseProcess) -> str:
    code = process.exitcode
    if code is None:
        return "no exit code"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
