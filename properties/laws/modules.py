"""Laws about a form as a module: what it remembers, what it copies, what its modes do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from equivalence.claim import Equivalence, Theta
from properties.cases.definition import field_values
from properties.cases.form import Form, FormError, answering
from properties.cases.sample import Sample, build, load, named_tensors
from properties.laws.function import differentiable, pull_back
from properties.laws.registry import law
from properties.oracle.agreement import Equation

Copy = Callable[[Equivalence, Sample, str, nn.Module], nn.Module]
"""(claim, sample, side, module) -> a copy of the module."""


@law(scope="module", otherwise="its copies or saved states give something else")
def state(claim: Equivalence, sample: Sample) -> Equation:
    """state_dict, deepcopy, pickle and .to carry all that the output depends on, and copies stand alone."""
    sample.require_domain()
    module = sample.module(sample.candidate, sample.theta)
    with torch.no_grad(), answering("candidate"):
        duplicates = _duplicates(claim, sample, module)
        same = {name: sample.candidate.run(one, sample.inputs) for name, one in duplicates.items()}
        for duplicate in duplicates.values():
            load(duplicate, sample.candidate.state(sample.other_theta))
        changed = {name: sample.candidate.run(one, sample.inputs) for name, one in duplicates.items()}
        before, after = (
            sample.candidate(theta, sample.inputs) for theta in (sample.theta, sample.other_theta)
        )
        expected, abstract = _both_on_meta(sample, module)
    return Equation(
        reference={
            "copy": dict.fromkeys(same, before),
            "changed copy": dict.fromkeys(same, after),
            "on meta": expected,
        },
        candidate={"copy": same, "changed copy": changed, "on meta": abstract},
    )


@law(scope="module", otherwise="differs in train or eval, or when it is called again")
def modes(claim: Equivalence, sample: Sample) -> Equation:
    """The forms agree, called again and again in eval and in train, and so do their buffers afterwards."""
    reference, updated = _in_modes(sample.reference, sample)
    candidate, own = _in_modes(sample.candidate, sample)
    with torch.no_grad():
        carried = claim.carry(updated)
    buffers = {name for name, _ in sample.candidate.module.named_buffers()} & carried.keys()
    return Equation(
        reference={**reference, "buffer": {name: carried[name] for name in sorted(buffers)}},
        candidate={**candidate, "buffer": {name: own[name] for name in sorted(buffers)}},
    )


def _duplicates(claim: Equivalence, sample: Sample, module: nn.Module) -> dict[str, nn.Module]:
    """Copy a module in every way that users do, but for those in which the reference cannot be copied."""
    duplicates = {}
    for name, duplicate in COPIES.items():
        try:
            with answering("candidate"):
                duplicates[name] = duplicate(claim, sample, "candidate", module)
        except FormError:
            reference = sample.module(sample.reference, sample.theta)
            if _can_be_copied(duplicate, claim, sample, reference):
                raise
    return duplicates


def _can_be_copied(duplicate: Copy, claim: Equivalence, sample: Sample, reference: nn.Module) -> bool:
    try:
        with answering("reference"):
            duplicate(claim, sample, "reference", reference)
    except FormError:
        return False
    return True


def _loaded(claim: Equivalence, sample: Sample, side: str, module: nn.Module) -> nn.Module:
    """Load a state_dict into a module that starts from another mask and seed."""
    fresh = build(_with_other_masks(claim), side, sample.case.seed + 1).to(sample.dtype)
    fresh.load_state_dict(module.state_dict())
    return fresh


def _deeply_copied(_: Equivalence, __: Sample, ___: str, module: nn.Module) -> nn.Module:
    return copy.deepcopy(module)


def _pickled(_: Equivalence, __: Sample, ___: str, module: nn.Module) -> nn.Module:
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
    return form.run(duplicate, [value.to("meta") for value in sample.inputs])


def _both_on_meta(sample: Sample, module: nn.Module) -> tuple[object, object]:
    """Run both forms without memory, where the reference can, and say of a candidate what it raised."""
    reference = sample.module(sample.reference, sample.theta)
    try:
        expected = _on_meta(sample.reference, reference, sample)
    except FormError:
        return (), ()
    try:
        found, answer = _on_meta(sample.candidate, module, sample), "returned"
    except FormError as error:
        found, answer = expected, f"raised {type(error.original).__name__}: {error.original}".splitlines()[0]
    return {"call": "returned", "output": expected}, {"call": answer, "output": found}


def _with_other_masks(claim: Equivalence) -> Equivalence:
    other = {name: kind.other(value) for name, kind, value in field_values(claim)}
    return dataclasses.replace(claim, **other)  # type: ignore[type-var]


def _in_modes(form: Form, sample: Sample) -> tuple[dict[str, Any], Theta]:
    """Switch a module to and fro, and call it twice in each mode."""
    module = sample.module(form, sample.theta)
    outputs: dict[str, Any] = {}
    for step, training in enumerate((False, False, True, True, False)):
        module.train(training)
        name = f"call {step + 1}, {'train' if training else 'eval'}"
        inputs = differentiable(sample.inputs)
        outputs[name] = form.run(module, inputs)
        if not step:
            leaves = [x for x in inputs if x.requires_grad]
            outputs[f"{name}, d/dx"] = pull_back(form, sample, outputs[name], leaves) if leaves else ()
    return outputs, named_tensors(module)
