"""Laws about what a form does with its inputs: their rows, their memory, their odd values, their shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf, nan
from typing import Any

import torch
from torch import Tensor

from equivalence.variable import Variable
from properties.cases.answering import REFUSED
from properties.cases.case import Case
from properties.cases.form import Form
from properties.cases.sample import Sample, Stream
from properties.circumstances.memory import in_strided_memory, in_transposed_memory, repeating_the_first
from properties.laws.comparing import narrowed, with_its
from properties.laws.registry import law
from properties.needs import inputs, leading_axes, real_inputs


def _row_by_row(form: Form, sample: Sample) -> Any:
    return {
        name: _stacked([form(sample.theta, row, call=place) for place, row in enumerate(stack)])
        for name, stack in _stacks(sample).items()
    }


@law(leading_axes, compared=with_its(_row_by_row), otherwise="does not compute each row alone")
def rows(form: Form, sample: Sample) -> Any:
    """f(stack of rows) = stack of f(row): each row of the leading axes is computed alone."""
    return {name: form(sample.theta, _stacked(stack)) for name, stack in _stacks(sample).items()}


def _contiguous(form: Form, sample: Sample) -> Any:
    return {name: _used(form, sample, copies(x)) for name, x in _layouts(sample.inputs)}


@law(
    inputs,
    compared=with_its(_contiguous),
    presumed=True,
    otherwise="depends on how inputs lie in memory, or changes them",
    non_contiguous=True,
)
def layout(form: Form, sample: Sample) -> Any:
    """f(x) does not depend on how x lies in memory, and x is not changed."""
    return {name: _used(form, sample, x) for name, x in _layouts(sample.inputs)}


@law(
    real_inputs,
    decided="directly",
    scope="module",
    edge=True,
    otherwise="an inf or a nan reaches other outputs",
    beside="an inf or a nan in one place",
)
def nonfinite(form: Form, sample: Sample) -> Any:
    """An inf or a nan in one entry of x reaches the same outputs in both forms."""
    return {
        f"{value} in {name}{entry or ''} reaches output": _reached(
            form, sample, _spoilt(sample, place, entry, value)
        )
        for place, (name, x) in enumerate(sample.named_inputs.items())
        if x.is_floating_point()
        for entry in _random_entries(sample, place)
        for value in (inf, -inf, nan)
    }


def _what_it_refuses(
    reference: Mapping[str, str], found: Mapping[str, str], _: Sample
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Keep those inputs that the reference refuses: a candidate may refuse more."""
    refused = [name for name, answer in reference.items() if answer == REFUSED]
    return dict.fromkeys(refused, REFUSED), {name: found[name] for name in refused}


@law(
    inputs,
    decided="directly",
    compared=narrowed(_what_it_refuses),
    scope="module",
    edge=True,
    otherwise="accepts inputs that the reference refuses",
    kind="other inputs accepted",
)
def rejects(form: Form, sample: Sample) -> Any:
    """What the reference refuses (a wrong size, a missing axis, a wrong dtype), the candidate refuses."""
    return {name: form.refuses(sample.theta, wrong) for name, wrong in wrong_inputs(sample)}


def copies(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Give equal tensors in memory of their own, contiguous."""
    return tuple(tensor.clone(memory_format=torch.contiguous_format) for tensor in tensors)


def _stacks(sample: Sample) -> dict[str, list[tuple[Tensor, ...]]]:
    one, other = sample.inputs, sample.draw_inputs(Stream.SECOND_ROW)
    return {"a stack of one": [one], "a stack of two": [one, other]}


def wrong_inputs(sample: Sample) -> Iterator[tuple[str, tuple[Tensor, ...]]]:
    """Change one thing about one input at a time."""
    for place, (name, variable) in enumerate(sample.claim.inputs().items()):
        for change, wrong in _wrong(variable, sample.inputs[place], sample.case, typed=bool(sample.theta)):
            yield f"{name} with {change}", (*sample.inputs[:place], wrong, *sample.inputs[place + 1 :])


def _stacked(stack: Sequence[Sequence[Tensor]]) -> tuple[Tensor, ...]:
    return tuple(torch.stack(column) for column in zip(*stack, strict=True))


@torch.no_grad()
def _used(form: Form, sample: Sample, x: Sequence[Tensor]) -> dict[str, Any]:
    output = form(sample.theta, x)
    return {"output": output, "x afterwards": copies(x)}


def _layouts(tensors: Sequence[Tensor]) -> Iterator[tuple[str, tuple[Tensor, ...]]]:
    """Give the same shapes in other layouts; an expanded tensor repeats its first slice."""
    yield "transposed", tuple(map(in_transposed_memory, tensors))
    yield "strided", tuple(map(in_strided_memory, tensors))
    yield "expanded", tuple(map(repeating_the_first, tensors))


def _random_entries(sample: Sample, place: int) -> list[list[int]]:
    """Give the index of one random entry of an input; none where it is empty."""
    x = sample.inputs[place]
    if not x.numel():
        return []
    entry = torch.randint(x.numel(), (), generator=sample.generator(Stream.PLACES))
    return [[int(index) for index in torch.unravel_index(entry, x.shape)]]


def _spoilt(sample: Sample, place: int, entry: Sequence[int], value: float) -> tuple[Tensor, ...]:
    """Put one value into one entry of one input."""
    x = list(copies(sample.inputs))
    x[place][tuple(entry)] = value
    return tuple(x)


@torch.no_grad()
def _reached(form: Form, sample: Sample, x: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(~torch.isfinite(output) for output in form(sample.theta, x))


def _wrong(variable: Variable, x: Tensor, case: Case, *, typed: bool) -> Iterator[tuple[str, Tensor]]:
    names = variable.axes.split()
    for place, name in enumerate(names):
        axis = place - len(names)
        if not (name.isdigit() or hasattr(case.claim, name)):
            continue
        for size in {x.shape[axis] + 1, 1} - {x.shape[axis]}:
            yield f"{name}={size}", _resized(x, axis, size)
    if x.ndim and x.shape[-1]:
        yield f"no axis {names[-1]}", x.select(-1, 0)
    if case.setting.on_cpu:
        # On a GPU, an index out of range ends all that its process could do there.
        yield from variable.outside(x, case.size)
    if typed:
        yield from variable.retyped(x)


def _resized(x: Tensor, axis: int, size: int) -> Tensor:
    shape = list(x.shape)
    shape[axis] = size
    return x.new_ones(shape)
