"""Laws about a form as a module: what it remembers, what it copies, what its modes do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import torch
from torch import Tensor, nn

from equivalence.claim import Equivalence, Theta
from equivalence.variable import Mask
from properties.agreement import Equation
from properties.form import Form, FormError, answering
from properties.laws.registry import law
from properties.sample import Sample, load


@law()
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


@law()
def modes(claim: Equivalence, sample: Sample) -> Equation:
    """A second call gives the same; the forms agree in train, in eval, and in the buffers afterwards."""
    with torch.no_grad():
        reference, updated = _in_modes(sample.reference, sample)
        candidate, own = _in_modes(sample.candidate, sample)
        carried = claim.carry(updated)
    buffers = {name for name, _ in sample.candidate.module.named_buffers()} & carried.keys()
    return Equation(
        reference={**reference, "buffer": {name: carried[name] for name in sorted(buffers)}},
        candidate={**candidate, "buffer": {name: own[name] for name in sorted(buffers)}},
    )


def _duplicates(claim: Equivalence, sample: Sample, module: nn.Module) -> dict[str, nn.Module]:
    """Copy a module in every way that users do; a fresh one starts from another mask and seed."""
    fresh = sample.fresh(_with_other_masks(claim))
    fresh.load_state_dict(module.state_dict())
    return {
        "state_dict in a fresh module": fresh,
        "deepcopy": copy.deepcopy(module),
        "pickle": _pickled(module),
    }


def _pickled(module: nn.Module) -> nn.Module:
    duplicate = pickle.loads(pickle.dumps(module))  # noqa: S301  (our own bytes, made on this line)
    assert isinstance(duplicate, nn.Module)  # noqa: S101
    return duplicate


def _on_meta(form: Form, module: nn.Module, sample: Sample) -> tuple[Tensor, ...]:
    """Run a copy without memory: whatever is left behind on the CPU shows."""
    duplicate = copy.deepcopy(module).to("meta")
    return form.run(duplicate, [value.to("meta") for value in sample.inputs])


def _both_on_meta(sample: Sample, module: nn.Module) -> tuple[object, object]:
    """Run both forms without memory, where the reference can."""
    reference = sample.module(sample.reference, sample.theta)
    try:
        expected = _on_meta(sample.reference, reference, sample)
    except FormError:
        return (), ()
    try:
        return expected, _on_meta(sample.candidate, module, sample)
    except FormError as error:
        return expected, str(error)


def _with_other_masks(claim: Equivalence) -> Equivalence:
    flipped = str.maketrans("01", "10")
    masks = {
        name: Mask(value.rows.translate(flipped))
        for name, value in vars(claim).items()
        if isinstance(value, Mask)
    }
    return dataclasses.replace(claim, **masks)  # type: ignore[type-var]


def _in_modes(form: Form, sample: Sample) -> tuple[dict[str, Any], Theta]:
    """Switch a module to and fro, and call it twice in each mode."""
    module = sample.module(form, sample.theta)
    outputs: dict[str, Any] = {}
    for step, training in enumerate((False, False, True, True, False)):
        module.train(training)
        mode = "train" if training else "eval"
        outputs[f"call {step + 1}, {mode}"] = form.run(module, sample.inputs)
    return outputs, dict(module.named_parameters()) | dict(module.named_buffers())
