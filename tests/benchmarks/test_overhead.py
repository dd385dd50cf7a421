"""Time per case of a law beside a bare Hypothesis test that does the same work, round by round in one run.

The bare tests draw the same sizes, build the same modules, run the same forward and backward through
functional_call, and compare with torch.equal. Every round has a new seed, for both, and its processor time
is taken: the machines are shared. `pytest --benchmark-only tests/benchmarks` prints the ratios.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn
from torch.func import functional_call

from equivalence.claims.two_d_fc import TwoDFCIsFlattenLinear
from equivalence.layers.two_d_fc import TwoDFC
from properties.cases.domain import Domain
from properties.cases.fields import LARGE
from properties.cases.strategies import SEEDS, STARRED
from properties.running.cell import Plan
from properties.running.profiles import profile
from properties.running.suites import cells

CASES = 300
ROUNDS = 30
BOUND = 2**20

SIZES = st.sampled_from([1, 2, 3, 4, 5, 6, 0, LARGE])


class Forms(NamedTuple):
    """Two modules, their parameters, an input, and the generator for a cotangent."""

    reference: nn.Module
    theta: dict[str, Tensor]
    candidate: nn.Module
    carried: dict[str, Tensor]
    x: Tensor
    generator: torch.Generator

    def outputs(self) -> tuple[Tensor, Tensor]:
        return (
            functional_call(self.reference, self.theta, (self.x,)),
            functional_call(self.candidate, self.carried, (self.x,)),
        )


@st.composite
def forms(draw: st.DrawFn) -> Forms:
    height, width, out, bias = draw(SIZES), draw(SIZES), draw(SIZES), draw(st.booleans())
    leading = draw(STARRED)
    generator = torch.Generator().manual_seed(draw(SEEDS))
    reference = nn.Sequential(nn.Flatten(-2), nn.Linear(height * width, out, bias))
    candidate = TwoDFC((height, width), out, bias)
    theta = {name: integers(value.shape, generator) for name, value in reference.named_parameters()}
    for value in theta.values():
        value.requires_grad_()
    carried = {"weight": theta["1.weight"].T.reshape(1, height, width, out)}
    if bias:
        carried["bias"] = theta["1.bias"]
    x = integers((*leading, height, width), generator).requires_grad_()
    return Forms(reference, theta, candidate, carried, x, generator)


def bare_test(compare: Callable[[Forms], None]) -> Callable[[], None]:
    """Make the test that a careful person would write by hand for this one layer."""

    @settings(profile("gate"), max_examples=CASES)
    @given(forms())
    def bare(drawn: Forms) -> None:
        compare(drawn)

    return bare


def forward(drawn: Forms) -> None:
    assert torch.equal(*drawn.outputs())


def input_gradient(drawn: Forms) -> None:
    equal_gradients(drawn, [drawn.x])


def parameter_gradient(drawn: Forms) -> None:
    equal_gradients(drawn, list(drawn.theta.values()))


def equal_gradients(drawn: Forms, leaves: Sequence[Tensor]) -> None:
    reference, candidate = drawn.outputs()
    cotangent = integers(reference.shape, drawn.generator)
    left, right = (torch.autograd.grad(output, leaves, cotangent) for output in (reference, candidate))
    assert all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


def integers(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    return torch.randint(-BOUND, BOUND + 1, tuple(shape), generator=generator, dtype=torch.float64)


BARE = {compare.__name__: compare for compare in (forward, input_gradient, parameter_gradient)}


@pytest.mark.parametrize("law", BARE)
@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.filterwarnings("ignore:Initializing zero-element")
def test_time_per_case(law: str, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    cell = cells(Domain(TwoDFCIsFlattenLinear), [law])[0]
    bare = bare_test(BARE[law])
    seeds = itertools.count()
    bare_seconds: list[float] = []

    def time_bare() -> tuple[tuple[Callable[[], None]], dict[str, Any]]:
        number = next(seeds)
        started = time.process_time()
        seed(number)(bare)()
        bare_seconds.append(time.process_time() - started)
        return (cell.test(Plan(examples=CASES, seed=number)),), {}

    benchmark.pedantic(lambda test: test(), setup=time_bare, rounds=ROUNDS, warmup_rounds=1)
    assert benchmark.stats is not None
    ratios = [
        law_time / bare_time
        for law_time, bare_time in zip(benchmark.stats.stats.data, bare_seconds[1:], strict=True)
    ]
    low, middle, high = statistics.quantiles(ratios, n=4)
    benchmark.extra_info.update({"ratio": middle, "quartiles": [low, high], "cases": CASES})
    with capsys.disabled():
        print(f"\n{law}: {statistics.median(bare_seconds) / CASES * 1e3:.2f} ms a case bare, ", end="")
        print(f"ratio {middle:.2f} (quartiles {low:.2f} to {high:.2f}, {ROUNDS} rounds of {CASES} cases)")
