"""Three usual ways to test that two forms agree: what a careful person writes without this suite.

Each is given the claim's own carry, both gradients with a random cotangent, and weights as the
reference is constructed with. None looks at state, modes, fresh weights as draws, refusals or costs.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from hypothesis import Phase, given, reject, seed, settings
from torch import Tensor
from torch.autograd import gradcheck
from torch.testing import assert_close

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence, Theta
from equivalence.variable import Mask
from properties.benchmarking.points import case_at
from properties.benchmarking.sizes import family_of
from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.fields import mask_of
from properties.cases.form import Form
from properties.cases.regime import Reals
from properties.cases.sample import OutsideDomainError, Sample, Stream
from properties.cases.strategies import cases
from properties.running.profiles import profile

ROWS = 32
"""The batch of a test at one size."""
EXAMPLES = 100
"""Shapes that a Hypothesis test draws."""

Way = Callable[[type[Equivalence], int], bool]
"""(claim, seed) -> whether the test rejects the candidate."""


class FoundError(BaseException):
    """Ends a Hypothesis test at its first failure: what is no Exception is neither replayed nor shrunk."""


def one_size(claim: type[Equivalence], number: int) -> bool:
    """Compare outputs and gradients in float32 at one size."""
    return _differs(replace(usual_case(claim), seed=number))


def one_size_in_double(claim: type[Equivalence], number: int) -> bool:
    """Compare outputs and gradients in float64 at one size."""
    return _differs(replace(usual_case(claim), seed=number), torch.float64)


def published_size(name: str, number: int) -> bool:
    """Compare outputs and gradients of a catalogue claim in float32 at the sizes of its source."""
    family = family_of(name)[1]
    assert family
    return _differs(replace(case_at(CATALOGUE[name], family.published), seed=number))


def random_shapes(claim: type[Equivalence], number: int) -> bool:
    """Compare outputs and gradients in float32 at shapes that Hypothesis draws as the suite does."""

    def check(case: Case) -> None:
        try:
            differs = _differs(case)
        except OutsideDomainError:
            reject()
        if differs:
            raise FoundError

    plan = settings(profile("gate"), max_examples=EXAMPLES, phases=[Phase.generate])
    try:
        seed(number)(plan(given(case=cases(Domain(claim)))(check)))()
    except FoundError:
        return True
    return False


def fast_gradcheck(claim: type[Equivalence], number: int) -> bool:
    """Compare outputs, and the candidate's gradients with finite differences, in float64."""
    sample = Sample(replace(usual_case(claim), seed=number), Reals(torch.float64))
    theta, inputs = _fresh(sample), _leaves_of(sample.inputs)
    expected = _answer(sample.reference, theta, inputs)
    names = [name for name, value in theta.items() if value.requires_grad]
    try:
        assert_close(sample.candidate(theta, inputs), expected)
        given_values = (*inputs, *(theta[name] for name in names))
        return not gradcheck(
            _function(sample.candidate, theta, names, len(inputs)), given_values, fast_mode=True
        )
    except Exception:  # noqa: BLE001  (whatever a form or a comparison raises is a failed test)
        return True


WAYS: dict[str, Way] = {
    "one size, assert_close": one_size,
    "random shapes, assert_close": random_shapes,
    "gradcheck, fast mode": fast_gradcheck,
}
"""Every usual way by its name in the tables."""


def usual_case(claim: type[Equivalence]) -> Case:
    """Give a case of unequal sizes and ROWS rows, every option at its last value, half of each mask alive."""
    domain = Domain(claim)
    wide = list(domain.wide())[-1]
    values = dict(vars(wide.claim))
    for name in domain.masks:
        values[name] = _half(domain.mask_shape(name, values))
    return Case(domain.configure(values), {name: domain.axis(name, (ROWS,)) for name in domain.axes}, 0)


def _half(shape: tuple[int, int]) -> Mask:
    drawn = random.Random(0)  # noqa: S311  (no secret)
    return mask_of("".join(drawn.choice("01") for _ in range(math.prod(shape))), shape)


def _differs(case: Case, dtype: torch.dtype = torch.float32) -> bool:
    """Compare in one dtype; OutsideDomainError where the reference refuses the case."""
    sample = Sample(case, Reals(dtype))
    theta, inputs = _fresh(sample), _leaves_of(sample.inputs)
    expected = _answer(sample.reference, theta, inputs)
    cotangents = sample.draw_like(expected, Stream.COTANGENTS)
    leaves = [value for value in (*inputs, *theta.values()) if value.requires_grad]
    gradients = _gradients(expected, leaves, cotangents)
    try:
        outputs = sample.candidate(theta, inputs)
        assert_close(outputs, expected)
        assert_close(_gradients(outputs, leaves, cotangents), gradients)
    except Exception:  # noqa: BLE001  (whatever a form or a comparison raises is a failed test)
        return True
    return False


def _answer(reference: Form, theta: Theta, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    try:
        return reference(theta, inputs)
    except FormError as refusal:
        raise OutsideDomainError(str(refusal)) from refusal


def _fresh(sample: Sample) -> dict[str, Tensor]:
    """Give the reference's parameters and buffers as they were constructed."""
    module = sample.reference.module
    theta = {
        name: value.detach().to(sample.dtype).requires_grad_() for name, value in module.named_parameters()
    }
    return theta | {name: _cast(value, sample.dtype) for name, value in module.named_buffers()}


def _cast(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.to(dtype) if value.is_floating_point() else value


def _leaves_of(inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(x.detach().requires_grad_(x.is_floating_point()) for x in inputs)


def _gradients(
    outputs: Sequence[Tensor], leaves: Sequence[Tensor], cotangents: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    return torch.autograd.grad(outputs, leaves, cotangents, allow_unused=True, materialize_grads=True)


def _function(
    form: Form, theta: Theta, names: Sequence[str], count: int
) -> Callable[..., tuple[Tensor, ...]]:
    """Give a form as a function of its inputs and of the parameters named."""

    def function(*values: Tensor) -> tuple[Tensor, ...]:
        return form({**theta, **dict(zip(names, values[count:], strict=True))}, values[:count])

    return function
