"""The lanes of an experiment, trained in one process or in several; the numbers are the same."""

from __future__ import annotations

import os
import signal
import sys
import threading
import zlib
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event

import torch

from properties.experiments.images import Images, load
from properties.experiments.lane import Check, LaneRun, train
from properties.experiments.plan import Lane
from properties.experiments.records import Epoch
from properties.experiments.task import Task

GLANCE = 0.2
"""Seconds between two looks at what the workers have told."""


class StoppedError(Exception):
    """The run was interrupted; what is done is kept."""


def trained(task: Task, jobs: int) -> Iterator[Epoch]:
    """Give every epoch of every lane as it is done, first those that are kept.

    Raises DataError for a kept file of another run, or of none.
    """
    lanes = list(task.experiment.lanes())
    if min(jobs, len(lanes)) > 1:
        yield from _side_by_side(task, lanes, jobs)
        return
    for lane in lanes:
        yield from _lane(task, lane, load(task.images), lambda: None)


def _lane(task: Task, lane: Lane, images: Images, check: Check) -> Iterator[Epoch]:
    run = LaneRun(lane, task.experiment.settings, images)
    yield from train(run, _identity(task, run), task.path(lane), check)


def _identity(task: Task, run: LaneRun) -> dict[str, object]:
    """Say what a kept file must agree in with the run that goes on from it; the epochs may differ."""
    digest = 0
    for part in (*run.images.training, *run.images.validation):
        digest = zlib.crc32(part.numpy().tobytes(), digest)
    return {
        "experiment": task.experiment.name,
        # The claim rather than the words of --at, whose order says nothing.
        "forms": "; ".join(f"{one.variant.claim}: {one.claim!r}.{one.variant.side}" for one in run.singles),
        "seed": run.lane.seed,
        "learning rate": run.settings.learning_rate,
        "batch size": run.settings.batch,
        "images": f"{digest:08x}",
        "torch": torch.__version__,
    }


def _side_by_side(task: Task, lanes: Sequence[Lane], jobs: int) -> Iterator[Epoch]:
    # Spawned, not forked: autograd's threads do not survive a fork.
    context = get_context("spawn")
    told: SimpleQueue[Epoch] = context.SimpleQueue()
    stop = context.Event()
    with ProcessPoolExecutor(min(jobs, len(lanes)), context, _prepare, (told, stop)) as pool:
        try:
            with _sigint_held():
                futures = [pool.submit(_work, task, lane) for lane in lanes]
            yield from _told(futures, told)
        finally:
            # Where all is done, this tells no one.
            stop.set()
            pool.shutdown(cancel_futures=True)


@contextmanager
def _sigint_held() -> Iterator[None]:
    """Hold Ctrl-C back, here and in the processes that start: they inherit it, and are not ready for it."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _told(futures: Sequence[Future[None]], told: SimpleQueue[Epoch]) -> Iterator[Epoch]:
    going: Collection[Future[None]] = futures
    while going:
        finished, going = wait(futures, GLANCE, FIRST_EXCEPTION)
        while not told.empty():
            yield told.get()
        for future in finished:
            future.result()


class _Worker:
    """What a worker knows from its start."""

    told: SimpleQueue[Epoch]
    stop: Event


def _prepare(told: SimpleQueue[Epoch], stop: Event) -> None:
    """Leave Ctrl-C to the parent, and the machine when the parent has."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Worker.told, _Worker.stop = told, stop
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """End this process when its parent was killed: a resumed run must be alone with its files."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Task, lane: Lane) -> None:
    for epoch in _lane(task, lane, load(task.images), _check):
        _Worker.told.put(epoch)


def _check() -> None:
    if _Worker.stop.is_set():
        raise StoppedError
