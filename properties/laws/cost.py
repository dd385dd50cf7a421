"""The law about what a form costs."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from torch.func import functional_call

from equivalence.claim import Equivalence
from equivalence.counts import Counts
from properties.cases.form import Form
from properties.cases.generators import generator_state
from properties.cases.sample import Sample
from properties.cost.measure import multiply_adds
from properties.cost.parameters import buffer_entries, free_scalars, stored_scalars
from properties.laws.comparing import Alone, each_with_itself
from properties.laws.registry import law


def closed_form(claim: Equivalence) -> str:
    """Need a claim that states what a form costs in closed form."""
    stated = claim.reference_cost(1) or claim.candidate_cost(1)
    return "" if stated else "no closed form of what the forms cost"


@law(
    closed_form,
    decided="directly",
    compared=each_with_itself,
    scope="layer",
    otherwise="costs something else than is stated",
    kind="another cost",
)
def cost(form: Form, sample: Sample) -> Any:
    """Parameters, buffers and multiply-adds of each form = what the claim states in closed form, exactly."""
    stated = form.stated_cost(prod(prod(shape) for shape in sample.case.axes.values()))
    if stated is None:
        return Alone({}, {})
    return Alone(_named(form, _stated(stated)), _named(form, _measured(form, sample)))


def _named(form: Form, counts: Mapping[str, int]) -> dict[str, int]:
    return {f"{name} of the {form.side}, measured against stated": count for name, count in counts.items()}


def _stated(counts: Counts) -> dict[str, int]:
    return {
        "parameters": counts.parameters,
        "free parameters": counts.free_parameters,
        "buffer entries": counts.buffers,
        "multiply-adds": counts.multiply_adds,
    }


def _measured(form: Form, sample: Sample) -> dict[str, int]:
    """Count what the form keeps and multiplies; what `carry` multiplies is not the form's."""
    state, inputs = form.state(sample.theta), sample.inputs
    with torch.no_grad(), generator_state(form.draws, form.device), form.answering():
        products = multiply_adds(lambda: functional_call(form.module, state, inputs))
    return {
        "parameters": stored_scalars(form.module),
        "free parameters": free_scalars(form.module, form.dead),
        "buffer entries": buffer_entries(form.module),
        "multiply-adds": products,
    }
