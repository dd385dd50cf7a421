"""The processes that run the forms: one that ends takes nothing with it but the claim that it was in."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from ctypes import Array, c_char
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

import torch

Answer = TypeVar("Answer")
LETTERS = 256
"""The room for what a process says that it is doing, and for a line of news."""
HEARTBEAT = 0.2
"""So many seconds news may wait."""
_said: list[Array[c_char]] = []
"""Where this process says what it is doing; empty in one that is no worker."""
_told: list[SimpleQueue[str]] = []
"""Where this process tells news; empty in one that is no worker."""


@dataclass(frozen=True)
class Ended:
    """A process that ended before it answered."""

    how: str
    """Its exit code, or the signal that it died of."""
    doing: str
    """What it last said that it was doing; empty where it said nothing."""


def say(*doing: str) -> None:
    """Leave word of what this process does next, and how, for whoever finds it ended."""
    for room in _said:
        room.value = ", ".join(filter(None, doing)).encode()[: LETTERS - 1]


def tell(news: str) -> None:
    """Let whoever waits for this process know something before it is done."""
    for queue in _told:
        queue.put(news[:LETTERS])


def unheard(_: str) -> None:
    """Do nothing with news."""


class Workers:
    """So many processes that call functions of one word; a new one takes the place of one that ends."""

    def __init__(self, jobs: int, hear: Callable[[str], None] = unheard) -> None:
        """Start no process yet; `hear` is given what they tell while they are waited for."""
        self.jobs = jobs
        self.hear = hear
        # A fork has torch imported already. It is safe here: the process of the command runs no form, so that
        # it has no threads of autograd or OpenMP, which would not survive; in the fork a form has one thread.
        # Several are spawned: they import side by side, and only a new process reads how to allocate.
        # What has begun to use a GPU cannot be forked.
        forks = jobs == 1 and sys.platform == "linux" and not torch.cuda.is_initialized()
        self.context = multiprocessing.get_context("fork" if forks else "spawn")
        self.pool: ProcessPoolExecutor | None = None
        self.processes: list[BaseProcess] = []

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
        while words:
            for place, future in enumerate(self._submitted(function, words)):
                try:
                    yield self._awaited(future)
                except BrokenProcessPool:
                    yield self._ended(function, words[place])
                    words = words[place + 1 :]
                    break
            else:
                return

    def _awaited(self, future: Future[Answer]) -> Answer:
        """Wait for an answer, and hear what is told meanwhile."""
        while not wait([future], HEARTBEAT).done:
            self._hear()
        self._hear()
        return future.result()

    def _hear(self) -> None:
        while not self.told.empty():
            self.hear(self.told.get())

    def _submitted(self, function: Callable[[str], Answer], words: Sequence[str]) -> list[Future[Answer]]:
        others = set(multiprocessing.active_children()) - {*self.processes}
        # Python 3.12 and later warn of any fork of a process with threads; NumPy's survive it.
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            submitted = [self._future(function, word) for word in words]
        self.processes += set(multiprocessing.active_children()) - others - {*self.processes}
        return submitted

    def _future(self, function: Callable[[str], Answer], word: str) -> Future[Answer]:
        """Ask for one answer; a process may have ended since the last."""
        if self.pool is None:
            self.said = self.context.RawArray(c_char, LETTERS)
            self.told: SimpleQueue[str] = self.context.SimpleQueue()
            self.pool = ProcessPoolExecutor(self.jobs, self.context, _begin, (self.said, self.told))
        try:
            return self.pool.submit(function, word)
        except BrokenProcessPool as broken:
            future = Future[Answer]()
            future.set_exception(broken)
            return future

    def _ended(self, function: Callable[[str], Answer], word: str) -> Answer | Ended:
        """Say how the one process ended; of several it is not known which did, so that one more is asked."""
        processes = self.processes
        self._close()
        if self.jobs == 1:
            return Ended(_how(processes), self.said.value.decode(errors="ignore"))
        with Workers(1, self.hear) as alone:
            return next(alone.map(function, [word]))

    def _close(self) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
        self.pool, self.processes = None, []


def _begin(said: Array[c_char], told: SimpleQueue[str]) -> None:
    """Let the parent alone answer Ctrl-C: it reports what was done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _said[:], _told[:] = [said], [told]
    warnings.showwarning = _once_a_line(warnings.showwarning)


def _once_a_line(show: Callable[..., None]) -> Callable[..., None]:
    """Show one warning of each line that gives any: a form is called hundreds of times, with other sizes."""
    seen = set()

    def shown(message: Warning | str, category: type[Warning], file: str, line: int, *more: Any) -> None:
        if (place := (category, file, line)) not in seen:
            seen.add(place)
            show(message, category, file, line, *more)

    return shown


def _how(processes: Sequence[BaseProcess]) -> str:
    code = processes[-1].exitcode if processes else None
    if code is None:
        return "no exit code"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
