"""A group of equal forms -> how long the first takes beside each of the others, and how much memory."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from properties.benchmarking.clock import Step, clock_of
from properties.benchmarking.intervals import Interval, compared
from properties.benchmarking.rounds import interleaved
from properties.cost import UncountedOperationError
from properties.cost.measure import cost
from properties.running.threads import threads_set
from tests.fastest.groups import Group

FORWARD, TRAINING = "forward", "forward + backward"
TRIED = "tried"
"""What the name of a form says that is in no catalogue."""
BUDGET = 0.06
"""Seconds a form and pass, beyond the least number of rounds."""


@dataclass(frozen=True)
class Measured:
    """One group, pass and number of threads."""

    size: str
    passed: str
    threads: int
    microseconds: float
    """The median of the first form."""
    ratios: Mapping[str, Interval]
    """Rival -> the first form's time over its own."""


def measured(group: Group) -> Iterator[Measured]:
    """Check that the forms are equal on the very input, then time each pass with each number of threads."""
    check_equal(group)
    first = next(iter(group.forms))
    for threads in group.threads:
        for passed, step in [(FORWARD, forward), (TRAINING, training)]:
            with threads_set(threads), torch.set_grad_enabled(passed == TRAINING):
                steps = {name: step(form, group.x) for name, form in group.forms.items()}
                clock = clock_of(group.x.device, threads)
                seconds = interleaved(steps, clock, BUDGET * len(steps)).seconds
            rivals = {name: taken for name, taken in seconds.items() if name != first}
            ratios = {name: compared(seconds[first], taken) for name, taken in rivals.items()}
            median = float(torch.from_numpy(seconds[first]).median())
            yield Measured(group.size, passed, threads, median * 1e6, ratios)


def check_equal(group: Group) -> None:
    """AssertionError where two forms differ, in float64."""
    x = group.x[:4].double()
    with torch.no_grad():
        outputs = {name: copy.deepcopy(form).double()(x) for name, form in group.forms.items()}
    expected = next(iter(outputs.values()))
    for name, output in outputs.items():
        torch.testing.assert_close(output, expected, msg=f"{name} is another function at {group.size}")


def forward(form: nn.Module, x: Tensor) -> Step:
    """Give a call that computes the output."""
    return lambda: form(x)


def training(form: nn.Module, x: Tensor) -> Step:
    """Give a call that computes the output and every gradient."""
    leaves = [x.detach().requires_grad_(), *form.parameters()]
    cotangent = torch.ones_like(form(x))
    return lambda: torch.autograd.grad(form(leaves[0]), leaves, cotangent)


def peaks(group: Group) -> dict[str, int]:
    """Form -> most bytes in forward and backward, beyond its state, inputs, output and gradients."""
    found = {}
    for name, form in group.forms.items():
        if TRIED in name:
            continue
        try:
            found[name] = cost(form, [group.x]).peak_training_bytes
        except UncountedOperationError:
            # No peak without a rule for each operation; the page leaves the cell empty.
            continue
    return found


def shares(group: Group, most: int = 3) -> list[tuple[str, float]]:
    """Give the operations in which the first form spends most of a forward and backward, and their shares."""
    step = training(next(iter(group.forms.values())), group.x)
    with threads_set(1):
        step()
        activities = [torch.profiler.ProfilerActivity.CPU]
        with torch.profiler.profile(activities=activities) as profile:
            for _ in range(10):
                step()
    times = {event.key: float(event.self_cpu_time_total) for event in profile.key_averages()}
    total = sum(times.values())
    ranked = sorted(times, key=lambda name: -times[name])[:most]
    return [(name, times[name] / total) for name in ranked]
