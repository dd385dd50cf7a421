"""What a worker says of itself: its room outlives it, its news is heard while it works."""

from __future__ import annotations

import ctypes
import os
import signal
import time
import warnings
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from typing import Any, TypeVar

from properties.running.memory import KEPT_BYTES, collect_less, keep_memory

Answer = TypeVar("Answer")
LETTERS = 256
"""The room for a line of news."""
BYTES = 4096
"""The room for what a process says that it is doing."""
SEPARATOR = "\x1f"
IDLE = -1
"""The task of a process that has none."""


class Room(ctypes.Structure):
    """What a process is doing, where whoever started it can read it too."""

    _fields_ = (
        ("pid", ctypes.c_int64),
        ("task", ctypes.c_int64),
        ("since", ctypes.c_double),
        ("doing", ctypes.c_char * BYTES),
    )


_room: list[Any] = []
"""The room of this process; empty in one that is no worker."""
_told: list[SimpleQueue[str]] = []
"""Where this process tells news; empty in one that is no worker."""


def say(*doing: str) -> None:
    """Leave word of what this process does next, and how, for whoever finds it ended or waits too long."""
    for room in _room:
        room.doing = SEPARATOR.join(doing).encode()[: BYTES - 1]
        room.since = time.monotonic()


def said(room: Any) -> tuple[str, ...]:
    """Return what the process of a room said last; empty where it said nothing."""
    text = room.doing.decode(errors="ignore")
    return tuple(text.split(SEPARATOR)) if text else ()


def tell(news: str) -> None:
    """Let whoever waits for this process know something before it is done."""
    for queue in _told:
        queue.put(news[:LETTERS])


def enter(rooms: Any, taken: Any, told: SimpleQueue[str]) -> None:
    """Take the next room, and leave it to the parent to answer Ctrl-C: it reports what was done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    keep_memory(KEPT_BYTES)
    collect_less()
    with taken.get_lock():
        room = rooms[taken.value]
        taken.value += 1
    room.task, room.pid = IDLE, os.getpid()
    _room[:], _told[:] = [room], [told]
    warnings.showwarning = _once_a_line(warnings.showwarning)


def at_task(task: int, function: Callable[[str], Answer], word: str) -> Answer:
    """Call a function, with the number of the task in the room of this process meanwhile."""
    say()
    for room in _room:
        room.task = task
    try:
        return function(word)
    finally:
        for room in _room:
            room.task = IDLE


def _once_a_line(show: Callable[..., None]) -> Callable[..., None]:
    """Show one warning of each line that gives any: a form is called hundreds of times, with other sizes."""
    seen = set()

    def shown(message: Warning | str, category: type[Warning], file: str, line: int, *more: Any) -> None:
        if (place := (category, file, line)) not in seen:
            seen.add(place)
            show(message, category, file, line, *more)

    return shown
