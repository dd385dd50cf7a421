"""A law's time for a case beside the forms' own time, as the tensors grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from statistics import median

import numpy as np
import torch

from equivalence.catalogue import CATALOGUE
from properties.benchmarking.contenders import Contender, contenders, forward_step, training_step
from properties.benchmarking.points import case_at
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.regime import Integers
from properties.cases.sample import Sample, Stream
from properties.judging.judge import Judge
from properties.laws import LAWS
from properties.oracle.agreement import first_difference
from properties.oracle.exact import SINGLE_EVERY
from properties.running.memory import keep_memory
from tests.report_card.laws import DOUBLE
from tests.report_card.timing import CLOCK, Seconds, Spread, Step, side_by_side, spread

LAYERS = {
    "n-d-linear-flatten": (
        "batch=10,in_features=10,out_features=10",
        "batch=32,in_features=32,out_features=32",
        "batch=100,in_features=100,out_features=100",
        "batch=391,in_features=256,out_features=256",
        "batch=3907,in_features=256,out_features=256",
        "batch=39063,in_features=256,out_features=256",
    ),
    "two-d-fc": (
        "batch=2,height=7,width=7,out_features=2",
        "batch=20,height=7,width=7,out_features=10",
        "batch=13,height=28,width=28,out_features=10",
        "batch=128,height=28,width=28,out_features=10",
        "batch=1276,height=28,width=28,out_features=10",
    ),
    "two-d-fc-flatten-matmul": (
        "batch=2,height=7,width=7,out_features=2",
        "batch=20,height=7,width=7,out_features=10",
        "batch=13,height=28,width=28,out_features=10",
        "batch=128,height=28,width=28,out_features=10",
        "batch=1276,height=28,width=28,out_features=10",
        "batch=12756,height=28,width=28,out_features=10",
    ),
}
"""The published TwoDFC makes products 10 times as large as its input: it stops one power of 10 earlier."""
NAMES = ("forward", "input_gradient", "parameter_gradient")
TRAINING, BUILD, DRAW = "forward and backward", "build", "draw"
BUDGET, ROUNDS = 8.0, 15
TRACES = 3
KEPT_BYTES = 1 << 25
SINGLE = " with float32"
NEEDED = " of the forms"
COMPARED = " compared"


@dataclass(frozen=True)
class Grown:
    """One law of one layer at one size; every ratio is of processor times in the same round."""

    claim: str
    law: str
    entries: int
    """Of the largest tensor that is drawn."""
    milliseconds: float
    training: Spread
    """To one forward and backward of both forms."""
    passes: Spread
    """To those passes alone that the law itself needs of both forms."""
    parts: dict[str, float]
    """What of the time, as a share of these passes, is spent on other things."""
    trace: float
    """The single trace, in forwards and backwards of both forms."""


def grown(layers: dict[str, tuple[str, ...]], budget: float, rounds: int) -> Iterator[list[Grown]]:
    """Measure every layer at every one of its sizes, in a process that keeps what a case frees."""
    with ProcessPoolExecutor(1, get_context("spawn"), _alone) as pool:
        for name, texts in layers.items():
            for text in texts:
                yield pool.submit(_measured, name, text, budget, rounds).result()


def _alone() -> None:
    """Give the process that measures one thread, and let it keep what a case frees."""
    torch.set_num_threads(1)
    keep_memory(KEPT_BYTES)


def _measured(name: str, text: str, budget: float, rounds: int) -> list[Grown]:
    case = case_at(CATALOGUE[name], f"{text},bias=true")
    pins = {**vars(case.claim), **case.axes}
    judges = {law: Judge(Domain(type(case.claim), pins), LAWS[law]) for law in NAMES}
    traces = {law: _trace(judge, case) for law, judge in judges.items()}
    steps = {**_own_steps(case), **_parts(case), **_law_steps(judges, case)}
    seconds = side_by_side(steps, budget, rounds)
    entries = _entries(case)
    return [_grown(name, law, entries, seconds, traces[law]) for law in NAMES]


def _trace(judge: Judge, case: Case) -> float:
    """Give the seconds of tracing a case of this size, and leave the judge traced."""
    kept = [Judge(judge.domain, judge.law) for _ in range(TRACES - 1)] + [judge]
    return median(CLOCK.seconds(partial(one.tracing.exactness, case), 1) for one in kept)


def _law_steps(judges: dict[str, Judge], case: Case) -> dict[str, Step]:
    """Give one case in float64 and one of those that run in float32, for every law."""
    single = replace(case, seed=SINGLE_EVERY - 1)
    steps: dict[str, Step] = {}
    for law, judge in judges.items():
        equation = judge.statement.equation(case, Integers(judge.tracing.exactness(case).bits))
        steps[law] = partial(judge.verdict, case)
        steps[law + SINGLE] = partial(judge.verdict, single)
        steps[law + COMPARED] = partial(first_difference, equation)
    return steps


def _own_steps(case: Case) -> dict[str, Step]:
    """Give the forms' own passes: a training step, and what each law needs of it."""
    forms = contenders({"candidate": case}, DOUBLE)
    return {
        TRAINING: _both([training_step(form) for form in forms]),
        f"forward{NEEDED}": _both([forward_step(form) for form in forms]),
        f"input_gradient{NEEDED}": _both([_gradient_step(form, of_inputs=True) for form in forms]),
        f"parameter_gradient{NEEDED}": _both([_gradient_step(form, of_inputs=False) for form in forms]),
    }


def _both(steps: Sequence[Step]) -> Step:
    return lambda: [step() for step in steps]


def _gradient_step(form: Contender, *, of_inputs: bool) -> Step:
    """Give a call that computes the outputs, then the gradients of the inputs or of the parameters."""
    inputs = tuple(x.detach().requires_grad_(of_inputs) for x in form.inputs)
    leaves = list(inputs) if of_inputs else list(form.module.parameters())
    cotangent = torch.ones_like(form.module(*inputs))
    return lambda: torch.autograd.grad(form.module(*inputs), leaves, cotangent)


def _parts(case: Case) -> dict[str, Step]:
    """Give the building of both forms, and the drawing of parameters, inputs and a cotangent."""
    regime = Integers(8)
    sample = Sample(case, regime)
    outputs = sample.reference(sample.theta, sample.inputs)

    def draw() -> None:
        sample.draw_theta(Stream.THETA)
        sample.draw_inputs(Stream.INPUTS)
        sample.draw_like(outputs, Stream.COTANGENTS)

    return {BUILD: lambda: Sample(case, regime), DRAW: draw}


def _entries(case: Case) -> int:
    sample = Sample(case, Integers(8))
    return max(value.numel() for value in (*sample.theta.values(), *sample.inputs))


def _grown(claim: str, law: str, entries: int, seconds: Seconds, trace: float) -> Grown:
    # Of SINGLE_EVERY cases one runs in float32, in place of float64 or beside it.
    once = (seconds[law] * (SINGLE_EVERY - 1) + seconds[law + SINGLE]) / SINGLE_EVERY
    passes = seconds[law + NEEDED]
    others = {
        BUILD: seconds[BUILD],
        DRAW: seconds[DRAW],
        "compare": seconds[law + COMPARED],
    }
    return Grown(
        claim=claim,
        law=law,
        entries=entries,
        milliseconds=float(np.median(once)) * 1e3,
        training=spread(once / seconds[TRAINING]),
        passes=spread(once / passes),
        parts={name: float(np.median(part / passes)) for name, part in others.items()},
        trace=trace / float(np.median(seconds[TRAINING])),
    )
