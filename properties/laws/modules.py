"""Laws about a form as a module: what it remembers, what it copies, what its modes do."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from equivalence.claim import Theta
from properties.cases.answering import FormError
from properties.cases.form import Form
from properties.cases.sample import Sample, build, load, named_tensors
from properties.laws.comparing import Alone, narrowed, with_itself
from properties.laws.function import differentiable, pull_back
from properties.laws.registry import ANOTHER_FUNCTION, law

Observation = Mapping[str, Any]
Copy = Callable[[Form, Sample, nn.Module], nn.Module]
"""(form, sample, module of that form) -> a copy of the module."""


@law(
    compared=with_itself,
    scope="module",
    otherwise="its copies or saved states give something else",
    kind="state",
)
def state(form: Form, sample: Sample) -> Any:
    """state_dict, deepcopy, pickle and .to carry all that the output depends on, and copies stand alone."""
    module = sample.module(form, sample.theta)
    with torch.no_grad(), form.answering():
        duplicates = _duplicates(form, sample, module)
        claimed = duplicates if _claimed_in_eval(sample) else {}
        deployed = {name: _in_eval(form, sample, one) for name, one in claimed.items()}
        in_eval = _in_eval(form, sample, module) if claimed else ()
        same = {name: form.run(one, sample.inputs) for name, one in duplicates.items()}
        for duplicate in duplicates.values():
            load(duplicate, form.state(sample.other_theta))
        changed = {name: form.run(one, sample.inputs) for name, one in duplicates.items()}
        before, after = (form(theta, sample.inputs) for theta in (sample.theta, sample.other_theta))
        expected, abstract = _both_on_meta(form, sample, module)
    copied = {"copy": dict.fromkeys(same, before), "changed copy": dict.fromkeys(same, after)}
    return Alone(
        {**copied, "copy in eval": dict.fromkeys(deployed, in_eval), "on meta": expected},
        {"copy": same, "changed copy": changed, "copy in eval": deployed, "on meta": abstract},
    )


def _in_eval(form: Form, sample: Sample, module: nn.Module) -> tuple[Tensor, ...]:
    """Run a module in eval, where alone trained buffers show, and leave each part of it in its mode."""
    modes = [(part, part.training) for part in module.modules()]
    outputs = form.run(module.eval(), sample.inputs)
    for part, training in modes:
        part.training = training
    return outputs


def _from_the_start_or_later(where: str) -> str:
    """Say whether a module computes something else, or only remembers it."""
    return ANOTHER_FUNCTION if where.startswith("call 1") else "state"


def _carried_buffers(reference: Observation, candidate: Observation, _: Sample) -> tuple[Any, Any]:
    """Keep the buffers that carry names: the others are the candidate's own."""
    buffers = {name: candidate["buffer"][name] for name in reference["buffer"]}
    return reference, {**candidate, "buffer": buffers}


@law(
    compared=narrowed(_carried_buffers),
    scope="module",
    otherwise="differs in train or eval, or when it is called again",
    kind=_from_the_start_or_later,
)
def modes(form: Form, sample: Sample) -> Any:
    """The forms agree, called again and again in eval and in train, and so do their buffers afterwards."""
    outputs, updated = _in_modes(form, sample)
    with torch.no_grad():
        carried = form.in_candidate(updated)
    buffers = sorted((sample.candidate.buffers.keys() & carried.keys()) - {*sample.candidate.constants})
    return {**outputs, "buffer": {name: carried[name] for name in buffers}}


def _duplicates(form: Form, sample: Sample, module: nn.Module) -> dict[str, nn.Module]:
    """Copy a module in every way that users do, but for those in which the reference cannot be copied."""
    duplicates = {}
    for name, duplicate in COPIES.items():
        try:
            with form.answering():
                duplicates[name] = duplicate(form, sample, module)
        except FormError:
            if _can_be_copied(duplicate, sample.reference, sample):
                raise
    return duplicates


def _can_be_copied(duplicate: Copy, form: Form, sample: Sample) -> bool:
    try:
        with form.answering():
            duplicate(form, sample, sample.module(form, sample.theta))
    except FormError:
        return False
    return True


def _loaded(form: Form, sample: Sample, module: nn.Module) -> nn.Module:
    """Load a state_dict into a module that starts from another mask and seed."""
    fresh = sample.placed(build(sample.other_claim, form.side, form.draws + 1))
    fresh.load_state_dict(module.state_dict())
    return fresh


def _deeply_copied(_: Form, __: Sample, module: nn.Module) -> nn.Module:
    return copy.deepcopy(module)


def _pickled(_: Form, __: Sample, module: nn.Module) -> nn.Module:
    try:
        content = pickle.dumps(module)
    except AttributeError as error:
        # What pickle raises for a local class or function.
        raise pickle.PicklingError(str(error)) from error
    duplicate = pickle.loads(content)  # noqa: S301  (our own bytes, made above)
    assert isinstance(duplicate, nn.Module)  # noqa: S101  (a module comes back as one)
    return duplicate


COPIES: dict[str, Copy] = {
    "state_dict in a fresh module": _loaded,
    "deepcopy": _deeply_copied,
    "pickle": _pickled,
}


def _on_meta(form: Form, module: nn.Module, sample: Sample) -> tuple[Tensor, ...]:
    """Run a copy without memory: whatever is left behind on the CPU shows."""
    duplicate = copy.deepcopy(module).to("meta")
    with form.answering():
        return form.run(duplicate, [value.to("meta") for value in sample.inputs])


def _both_on_meta(form: Form, sample: Sample, module: nn.Module) -> tuple[object, object]:
    """Run the reference and the form without memory, where the reference can; say what the form raised."""
    reference = sample.module(sample.reference, sample.theta)
    try:
        expected = _on_meta(sample.reference, reference, sample)
    except FormError:
        return (), ()
    try:
        found, answer = _on_meta(form, module, sample), "returned"
    except FormError as error:
        found, answer = expected, f"raised {type(error.original).__name__}: {error.original}".splitlines()[0]
    return {"call": "returned", "output": expected}, {"call": answer, "output": found}


def _in_modes(form: Form, sample: Sample) -> tuple[dict[str, Any], Theta]:
    """Switch a module to and fro, and call it more than once in each mode."""
    module = sample.module(form, sample.theta)
    outputs: dict[str, Any] = {}
    for step, training in enumerate(_switched(sample)):
        module.train(training)
        name = f"call {step + 1}, {'train' if training else 'eval'}"
        inputs = differentiable(sample.inputs)
        output = form.run(module, inputs, call=step)
        outputs[name] = form.outputs.named(output)
        if not step:
            leaves = [x for x in inputs if x.requires_grad]
            with form.answering():
                outputs[f"{name}, d/dx"] = pull_back(sample, output, leaves) if leaves else ()
    return outputs, named_tensors(module)


def _switched(sample: Sample) -> Sequence[bool]:
    """Give the modes of one call after another, True in train: none in which nothing is claimed."""
    in_train, in_eval = "eval" not in sample.case.under, _claimed_in_eval(sample)
    return [mode for mode in (False, False, True, True, False) if (in_train if mode else in_eval)]


def _claimed_in_eval(sample: Sample) -> bool:
    return "not eval" not in sample.claim.circumstances
