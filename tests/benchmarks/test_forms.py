"""The forms of every claim side by side: a group for each family, size and pass, a test for each form.

Every form is held against its reference on the very case before it is timed, and is timed with one thread.
`make benchmark` runs these; `equivalence bench` times the same forms interleaved, and ranks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import product

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from equivalence.catalogue import CATALOGUE
from properties.benchmarking.contenders import (
    FORWARD_PASS,
    TRAINING_PASS,
    Contender,
    Pass,
    contenders,
)
from properties.benchmarking.document import REFERENCE
from properties.benchmarking.points import case_at, named_points
from properties.benchmarking.proof import difference_before
from properties.benchmarking.sizes import FAMILIES, NAMES
from properties.cases.case import Case
from properties.cases.setting import CPU, Setting
from properties.cost import cost
from properties.running.threads import threads_set

DEVICES = [CPU, *([torch.device("cuda")] if torch.cuda.is_available() else [])]
PASSES = (FORWARD_PASS, TRAINING_PASS)
Place = tuple[str, str, torch.device]
"""Family, size and device."""


def timed_claims(family: str) -> list[str]:
    """Leave out what says itself that its forms differ."""
    return [name for name in FAMILIES[family].claims if "forward" not in CATALOGUE[name].breaks]


def places() -> Iterator[object]:
    """Give every form of every family, at every named size, on every device that is here."""
    for family, size, device in product(FAMILIES, NAMES, DEVICES):
        claims = timed_claims(family)
        for form in (REFERENCE, *claims) if claims else ():
            yield pytest.param((family, size, device), form, id=f"{family}-{size}-{device}-{form}")


@cache
def cases(family: str, size: str) -> Mapping[str, Case]:
    """Give the case of every claim of a family at one size, each of them verified."""
    (point,) = named_points(FAMILIES[family], (size,), "")
    found = {name: case_at(CATALOGUE[name], point.at) for name in timed_claims(family)}
    for name, case in found.items():
        assert not (difference := difference_before(case)), f"{name}: {difference}"
    return found


@lru_cache(maxsize=1)
def forms(place: Place) -> Mapping[str, Contender]:
    """Build the forms of a place; the tests of one place and pass follow each other."""
    family, size, device = place
    return {form.name: form for form in contenders(cases(family, size), Setting(torch.float32, device))}


class EventTimer:
    """Seconds by an event in the GPU's own stream; what was launched before is done then."""

    def __init__(self) -> None:
        self.start = torch.cuda.Event(enable_timing=True)
        self.start.record()

    def __call__(self) -> float:
        now = torch.cuda.Event(enable_timing=True)
        now.record()
        now.synchronize()
        return float(self.start.elapsed_time(now)) / 1000


@pytest.mark.parametrize(("place", "form"), list(places()))
@pytest.mark.parametrize("timed", PASSES, ids=lambda timed: timed.name)
def test_form(place: Place, form: str, timed: Pass, benchmark: BenchmarkFixture) -> None:
    family, size, device = place
    contender = forms(place)[form]
    benchmark.group = f"{family} {size} {device}: {timed.name}"
    benchmark.extra_info.update(circumstances(contender, timed, device))
    if device.type == "cuda":
        benchmark._timer = EventTimer()
    with threads_set(1), timed.gradients():
        benchmark(timed.step(contender))


def circumstances(contender: Contender, timed: Pass, device: torch.device) -> dict[str, object]:
    """Say what the time depends on, and what the form costs beside it."""
    counted = cost(contender.plain, contender.inputs)
    training = timed is TRAINING_PASS
    return {
        "threads": 1,
        "dtype": str(contender.form.dtype),
        "device": str(device),
        "torch": torch.__version__,
        "multiply_adds": counted.multiply_adds + training * counted.backward_multiply_adds,
        "peak_bytes": counted.peak_training_bytes if training else counted.peak_forward_bytes,
    }
