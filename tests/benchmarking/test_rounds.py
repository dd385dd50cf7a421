"""Rounds: every form in each, in a new order, for as long as the budget lasts."""

import gc
import random
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch

from properties.benchmarking import clock as clocks
from properties.benchmarking.clock import EventClock, HostClock, Step, clock_of
from properties.benchmarking.rounds import LEAST_ROUNDS, MOST_ROUNDS, ROUND, WARM_UP, Rounds, interleaved

SECONDS = {"quick": 1e-4, "slow": 3e-4, "endless": 1.0}


class Planned:
    """A clock for which a step takes as long as planned, and which keeps what it was asked for."""

    name = "planned"

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def seconds(self, step: Step, repetitions: int) -> float:
        name = step()
        self.asked.append((name, repetitions))
        return SECONDS[name] * repetitions


def run(*names: str, budget: float = 0.1, seed: int = 0) -> tuple[Planned, Rounds]:
    clock = Planned()
    found = interleaved({name: partial(str, name) for name in names}, clock, budget, seed)
    return clock, found


def orders(clock: Planned, forms: int) -> list[tuple[str, ...]]:
    timed = [name for name, _ in clock.asked[WARM_UP * forms :]]
    return [tuple(timed[start : start + forms]) for start in range(0, len(timed), forms)]


def test_every_round_has_every_form_once_in_a_new_order() -> None:
    clock, found = run("quick", "slow")
    drawn = orders(clock, 2)
    assert len(drawn) == len(found.seconds["quick"])
    assert set(drawn) == {("quick", "slow"), ("slow", "quick")}


def test_another_seed_gives_another_order() -> None:
    assert orders(run("quick", "slow")[0], 2) != orders(run("quick", "slow", seed=1)[0], 2)


def test_a_round_is_as_long_for_a_quick_form_as_for_a_slow_one() -> None:
    _, found = run("quick", "slow")
    for name, repetitions in found.repetitions.items():
        assert ROUND <= SECONDS[name] * repetitions < ROUND + SECONDS[name]


def test_a_call_takes_as_long_as_the_clock_says() -> None:
    _, found = run("quick", "slow")
    assert {name: pytest.approx(times[0]) for name, times in found.seconds.items()} == {
        name: SECONDS[name] for name in ("quick", "slow")
    }


@pytest.mark.parametrize(
    ("names", "budget", "rounds"),
    [
        (("quick", "slow"), 0.1, 24),
        (("quick", "slow"), 0.0, LEAST_ROUNDS),
        (("quick", "slow"), 1e9, MOST_ROUNDS),
        (("quick", "endless"), 0.1, LEAST_ROUNDS),
    ],
)
def test_the_budget_decides_on_the_rounds_within_bounds(
    names: tuple[str, ...], budget: float, rounds: int
) -> None:
    assert len(run(*names, budget=budget)[1].seconds["quick"]) == rounds


@pytest.fixture
def collecting() -> Iterator[None]:
    enabled = gc.isenabled()
    yield
    (gc.enable if enabled else gc.disable)()


@pytest.mark.usefixtures("collecting")
@pytest.mark.parametrize(("switch", "enabled"), [(gc.enable, True), (gc.disable, False)])
def test_the_collector_sleeps_during_the_rounds_and_is_as_before_after(
    switch: Callable[[], None], *, enabled: bool
) -> None:
    switch()
    seen = []

    def step() -> str:
        seen.append(gc.isenabled())
        return "quick"

    interleaved({"quick": step}, Planned(), 0)
    assert not any(seen)
    assert gc.isenabled() == enabled


def test_the_users_generator_is_left_alone() -> None:
    before = random.getstate()
    run("quick", "slow")
    assert random.getstate() == before


def test_a_host_clock_repeats_a_step_between_two_looks() -> None:
    calls: list[None] = []
    clock = HostClock("calls", lambda: float(len(calls)))
    assert clock.seconds(lambda: calls.append(None), 5) == 5


class Event:
    """An event of a GPU that is not here: as many milliseconds as steps were run before it."""

    steps = 0

    def __init__(self, *, enable_timing: bool) -> None:
        assert enable_timing

    def record(self) -> None:
        self.at = Event.steps

    def elapsed_time(self, other: "Event") -> float:
        return other.at - self.at


def test_on_a_gpu_events_time_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = []
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waits.append(Event.steps))

    def step() -> None:
        Event.steps += 1

    Event.steps = 7
    assert EventClock().seconds(step, 4) == pytest.approx(4e-3)
    assert waits == [7, 11], "it waits for what came before, and for the steps themselves"


@pytest.mark.parametrize(
    ("device", "threads", "name"),
    [
        ("cpu", 1, "processor time"),
        ("cpu", 2, "elapsed time"),
        ("cuda", 1, "events on the device"),
    ],
)
def test_the_clock_fits_the_device_and_the_threads(device: str, threads: int, name: str) -> None:
    if time.get_clock_info("process_time").resolution <= clocks.FINEST or threads > 1:
        assert clock_of(torch.device(device), threads).name == name


def test_processor_time_in_coarse_steps_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "FINEST", 0.0)
    assert clock_of(torch.device("cpu"), 1).name == "elapsed time"
