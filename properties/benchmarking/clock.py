"""Seconds of many calls, on the processor or on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import torch

FINEST = 1e-6
"""Seconds that a clock must tell apart; the processor time of some systems has steps of 16 ms."""

Step = Callable[[], Any]
"""What is timed: one forward, or one forward and backward."""


class Clock(Protocol):
    """Times repeated calls."""

    name: str
    """What it measures, in a few words."""

    def seconds(self, step: Step, repetitions: int) -> float:
        """Give the seconds that so many calls take together."""


class HostClock:
    """Times by a clock of this machine, for work that is done when a call returns."""

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        """Take what the clock measures, and what gives its seconds."""
        self.name = name
        self.now = now

    def seconds(self, step: Step, repetitions: int) -> float:
        """Give the seconds that so many calls take together."""
        started = self.now()
        for _ in range(repetitions):
            step()
        return self.now() - started


class EventClock:
    """Times by events in a GPU's own stream: a call returns before its work is done."""

    name = "events on the device"

    def seconds(self, step: Step, repetitions: int) -> float:
        """Give the seconds between an event before the calls and one after them."""
        before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        before.record()
        for _ in range(repetitions):
            step()
        after.record()
        torch.cuda.synchronize()
        return float(before.elapsed_time(after)) / 1000


def clock_of(device: torch.device, threads: int) -> Clock:
    """Give the clock for work on a device.

    One thread is timed by its processor time: what other programs take of a shared machine is not in it.
    """
    if device.type == "cuda":
        return EventClock()
    if threads == 1 and time.get_clock_info("process_time").resolution <= FINEST:
        return HostClock("processor time", time.process_time)
    return HostClock("elapsed time", time.perf_counter)
