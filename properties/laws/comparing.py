"""The ways to hold what is observed of one form against what is observed of the other, or of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from properties.cases.form import Form
from properties.cases.sample import Sample
from properties.oracle.agreement import Equation

Observe = Callable[[Form, Sample], Any]
"""(form, sample) -> what that form is observed to do: a tree of tensors, numbers, words or draws."""
Comparison = Callable[[Observe, Sample, Form], Equation]
"""(observe, sample, the form that is held against the reference) -> what is compared."""
Narrow = Callable[[Any, Any, Sample], tuple[Any, Any]]
"""(of the reference, of the form, sample) -> what of the two observations is compared."""


class Alone(NamedTuple):
    """What is expected of one form by itself, by name, and what was found."""

    expected: Mapping[str, Any]
    found: Mapping[str, Any]


def with_the_reference(observe: Observe, sample: Sample, form: Form) -> Equation:
    """Compare the observations of both forms, whole."""
    return Equation(observe(sample.reference, sample), observe(form, sample))


def with_its(expect: Observe) -> Comparison:
    """Compare what is expected, which is observed of the reference, with the observation of the form."""

    def compare(observe: Observe, sample: Sample, form: Form) -> Equation:
        return Equation(expect(sample.reference, sample), observe(form, sample))

    return compare


def narrowed(narrow: Narrow) -> Comparison:
    """Compare a part of the observations of both forms, or what follows from the two."""

    def compare(observe: Observe, sample: Sample, form: Form) -> Equation:
        return Equation(*narrow(observe(sample.reference, sample), observe(form, sample), sample))

    return compare


def with_itself(observe: Observe, sample: Sample, form: Form) -> Equation:
    """Compare what the form gives with what it should; what the reference refuses lies outside the claim."""
    sample.require_domain()
    return Equation(*observe(form, sample))


def each_with_itself(observe: Observe, sample: Sample, form: Form) -> Equation:
    """Compare what each of both forms gives with what it should."""
    reference, own = observe(sample.reference, sample), observe(form, sample)
    return Equation({**reference.expected, **own.expected}, {**reference.found, **own.found})
