"""Whether forms are equal on the very case that is timed: by the laws before, by the modules after."""

from __future__ import annotations

import torch
from torch import Tensor

from properties.benchmarking.contenders import Contender
from properties.benchmarking.memory import is_shortage, reason
from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.generators import generator_state
from properties.cases.regime import Integers, Reals, Regime
from properties.cases.sample import OutsideDomainError, Sample, Stream, load
from properties.judging.judge import Judge
from properties.laws import all_laws
from properties.oracle.agreement import Equation, first_difference

LAWS = ("forward", "input_gradient", "parameter_gradient")
"""What is timed is the function and these derivatives of it."""
STALE = 0.5
"""Two draws of outputs are √2 of their norm apart; rounding, in any dtype, stays far below this part."""


def difference_before(case: Case) -> str:
    """Say under which law the forms of a case differ, and where; nothing where they are equal."""
    domain = Domain(type(case.claim))
    for name in LAWS:
        law = all_laws()[name]
        if law.needs(case.claim):
            continue
        try:
            difference = Judge(domain, law).verdict(case).difference
        except OutsideDomainError as refusal:
            outside = f"the sizes lie outside the claim: {refusal}; give others with --at"
            return reason(refusal) if is_shortage(refusal) else outside
        if difference is not None:
            return f"refuted by {name}: {difference}"
    return ""


def difference_after(case: Case, reference: Contender, candidate: Contender) -> str:
    """Say where the very modules that were timed differ on numbers that they have not seen.

    A module that keeps a result, of an input or of a weight, for the next call gives a stale one here.
    Small integers are compared bitwise where the dtype holds every intermediate; in others, where only
    rounding may differ, the distance of the outputs is held against what a stale output would have.
    """
    regime = exact_regime(case, reference.inputs)
    sample = Sample(case, regime or Reals(candidate.form.dtype))
    try:
        with generator_state(case.seed), torch.no_grad():
            outputs = [_fresh_outputs(sample, contender) for contender in (reference, candidate)]
    except FormError as error:
        return reason(error) if is_shortage(error) else f"on new numbers: {error}"
    if regime is None:
        return (
            "" if all(map(_near, *outputs)) else "on new numbers its outputs are not those of the reference"
        )
    difference = first_difference(Equation(*outputs))
    return f"on new numbers: {difference}" if difference else ""


def exact_regime(case: Case, inputs: tuple[Tensor, ...]) -> Regime | None:
    """Give the integers on which the case is exact in the dtype of the inputs; None where there are none."""
    dtype = next((x.dtype for x in inputs if x.is_floating_point()), torch.float32)
    try:
        exactness = Judge(Domain(type(case.claim)), all_laws()["forward"]).tracing.exactness(case)
    except (FormError, OutsideDomainError):
        return None
    bits = {torch.float64: exactness.bits, torch.float32: exactness.single_bits}.get(dtype, 0)
    return Integers(bits, dtype) if bits > 0 and not exactness.obstacle else None


def _fresh_outputs(sample: Sample, contender: Contender) -> tuple[Tensor, ...]:
    """Write new numbers into the tensors that were timed, and run the module on them."""
    form = sample.reference if contender.form.side == "reference" else sample.candidate
    load(contender.plain, form.state(sample.other_theta))
    for x, value in zip(contender.inputs, sample.draw_inputs(Stream.SECOND_ROW), strict=True):
        x.copy_(value)
    outputs = form.run(contender.module, contender.inputs)
    return tuple(output.cpu() for output in outputs)


def _near(reference: Tensor, candidate: Tensor) -> bool:
    distance = (candidate.double() - reference.double()).norm()
    return bool(distance <= STALE * reference.double().norm())
