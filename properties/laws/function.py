"""Laws about the function that a form computes, and its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from properties.cases.answering import FormError
from properties.cases.form import Form
from properties.cases.sample import InapplicableError, Sample, Stream
from properties.laws.applicability import parameters, real_inputs_or_parameters
from properties.laws.registry import law
from properties.needs import real_inputs


@law(shown="values", wired=True, otherwise="other outputs")
def forward(form: Form, sample: Sample) -> Any:
    """candidate(carry(theta), x) = reference(theta, x), in value, shape and dtype."""
    output = form(sample.theta, sample.inputs)
    return {"structure": form.outputs.structure, "output": form.outputs.named(output)}


@law(real_inputs, shown="gradients", gradients=True, otherwise="other gradients of the inputs")
def input_gradient(form: Form, sample: Sample) -> Any:
    """d<c, candidate(carry(theta), x)>/dx = d<c, reference(theta, x)>/dx for every cotangent c."""
    names = [name for name, value in sample.named_inputs.items() if _is_real(value)]
    return _named(names, input_cotangents(form, sample))


@law(parameters, shown="gradients", gradients=True, otherwise="other gradients of the parameters")
def parameter_gradient(form: Form, sample: Sample) -> Any:
    """d<c, candidate(carry(theta), x)>/dtheta = d<c, reference(theta, x)>/dtheta for every cotangent c."""
    names = [name for name, value in sample.theta.items() if value.requires_grad]
    return _named(names, parameter_cotangents(form, sample))


@law(real_inputs_or_parameters, gradients=True, otherwise="other second derivatives")
def second_derivative(form: Form, sample: Sample) -> Any:
    """H v is the same for both forms, for every tangent v, H the Hessian of <c, f> in (theta, x)."""
    try:
        return {"Hv": hessian_vector_product(form, sample)}
    except FormError as error:
        if error.side == "reference":
            _require_first_derivatives(form, sample)
            raise InapplicableError(f"the reference has no second derivative: {error.original}") from error
        raise


def _require_first_derivatives(form: Form, sample: Sample) -> None:
    for gradient in (input_cotangents, parameter_cotangents):
        gradient(form, sample)


@law(decided="noise", otherwise="less precise", kind="the same function, less precise")
def precision(form: Form, sample: Sample) -> Any:
    """candidate(carry(theta), x) rounds at most 4 times as much as reference(theta, x)."""
    output = form(sample.theta, sample.inputs)
    return {"output": form.outputs.named(output)}


def input_cotangents(form: Form, sample: Sample) -> tuple[Tensor, ...]:
    """Pull a random cotangent of the outputs back to the real inputs."""
    inputs = differentiable(sample.inputs)
    leaves = [x for x in inputs if x.requires_grad]
    return _gradients(form, sample, inputs, lambda outputs: pull_back(sample, outputs, leaves))


def parameter_cotangents(form: Form, sample: Sample) -> tuple[Tensor, ...]:
    """Pull a random cotangent of the outputs back to theta, through carry."""
    leaves = [value for value in sample.theta.values() if value.requires_grad]
    return _gradients(form, sample, sample.inputs, lambda outputs: pull_back(sample, outputs, leaves))


def hessian_vector_product(form: Form, sample: Sample) -> tuple[Tensor, ...]:
    """Differentiate <gradient, tangent> once more, in the inputs and theta together."""
    inputs = differentiable(sample.inputs)
    leaves = [value for value in (*inputs, *sample.theta.values()) if value.requires_grad]

    def twice(outputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        gradients = pull_back(sample, outputs, leaves, create_graph=True)
        tangents = sample.draw_like(gradients, Stream.TANGENTS)
        return _derivatives(gradients, leaves, tangents)

    return _gradients(form, sample, inputs, twice)


def _gradients(
    form: Form, sample: Sample, inputs: Sequence[Tensor], differentiate: Callable[..., tuple[Tensor, ...]]
) -> tuple[Tensor, ...]:
    """Differentiate the outputs of a form while it holds the parameters that it ran with."""
    gradients: tuple[Tensor, ...] = form.within(sample.theta, inputs, differentiate)
    return gradients


def pull_back(
    sample: Sample, outputs: Sequence[Tensor], leaves: Sequence[Tensor], *, create_graph: bool = False
) -> tuple[Tensor, ...]:
    """Give the gradients of <c, outputs> in the leaves; zeros where an output does not depend on one."""
    cotangents = sample.draw_like(outputs, Stream.COTANGENTS)
    return _derivatives(outputs, leaves, cotangents, create_graph=create_graph)


def differentiable(inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Give the inputs as leaves of their own; indices stay as they are."""
    return tuple(value.detach().requires_grad_() if _is_real(value) else value for value in inputs)


def _derivatives(
    outputs: Sequence[Tensor],
    leaves: Sequence[Tensor],
    weights: Sequence[Tensor],
    *,
    create_graph: bool = False,
) -> tuple[Tensor, ...]:
    pairs = [
        (output, weight) for output, weight in zip(outputs, weights, strict=True) if output.requires_grad
    ]
    if not pairs:
        return tuple(torch.zeros_like(leaf) for leaf in leaves)
    values, cotangents = zip(*pairs, strict=True)
    gradients = torch.autograd.grad(
        values, leaves, cotangents, create_graph=create_graph, allow_unused=True, materialize_grads=True
    )
    return tuple(gradients)


def _named(names: Sequence[str], gradients: Sequence[Tensor]) -> dict[str, Tensor]:
    return {f"d/d{name}": value for name, value in zip(names, gradients, strict=True)}


def _is_real(value: Tensor) -> bool:
    return value.is_floating_point()
