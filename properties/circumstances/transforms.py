"""What torch makes of a form: its batches, its derivatives, its graph, its copies from what it keeps."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from shutil import which
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize
from torch.utils._python_dispatch import _disable_current_modes, is_in_torch_dispatch_mode
from torch.utils._pytree import tree_map, tree_map_only
from torch.utils.checkpoint import checkpoint

from equivalence.claim import Equivalence
from properties.circumstances.registry import Call, Use, change_parameters, circumstance, tensors_of
from properties.dtypes import widened
from properties.needs import leading_axes, one_real_input

REGISTERED = ("_parameters", "_buffers", "_modules")
"""Attributes of a module that hold what it moves itself."""
UNWRITTEN = 97
"""What stands in memory of integers that nobody has written to: no index of a small form."""
COMPILER = "inductor" if which(os.environ.get("CXX", "g++")) else "aot_eager"
"""Inductor needs a C++ compiler."""


@circumstance("transform", "under torch.func.vmap", needs=leading_axes, optional=True)
def vmap(use: Use, call: Call, *inputs: Tensor) -> Any:
    """f of each slice of the first axis by itself."""
    batched = use.leading > 0 and all(len(x) for x in inputs)
    with warnings.catch_warnings():
        # How fast torch batches an operation is no concern here.
        warnings.filterwarnings("ignore", "There is a performance drop")
        return torch.func.vmap(call)(*inputs) if batched else call(*inputs)


@circumstance(
    "transform",
    "under torch.func.jvp",
    needs=one_real_input,
    shown="values",
    optional=True,
    tried="explore",  # Its first use takes 2 s and 75 MiB.
)
def jvp(use: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x) and its derivative in a direction, forwards."""
    tangents = use.directions(inputs)
    with warnings.catch_warnings():
        # What torch uses of its own to differentiate forwards.
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        return tensors_of(*torch.func.jvp(call, inputs, tangents))


@circumstance(
    "transform",
    "under torch.func.grad",
    needs=one_real_input,
    shown="values",
    optional=True,
    tried="explore",  # Its first use imports the compiler.
)
def func_grad(_: Use, call: Call, *inputs: Tensor) -> Any:
    """The gradient of f(x).sum() in x, by torch.func.grad."""
    return torch.func.grad(lambda x: sum(one.sum() for one in tensors_of(call(x))))(*inputs)


@circumstance("transform", "under activation checkpointing", optional=True)
def checkpointed(_: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), computed once more for its gradient."""
    return checkpoint(call, *inputs, use_reentrant=False, preserve_rng_state=True)


@circumstance("transform", "under autocast to bfloat16", optional=True, single=True, narrows=True)
def autocast(use: Use, call: Call, *inputs: Tensor) -> Any:
    """f(x), its matrix products in bfloat16."""
    with torch.autocast(_device_of(use.module, inputs).type, torch.bfloat16):
        output = call(*inputs)
    # Its dtype says only whether a matrix product came last.
    return tree_map_only(Tensor, widened, output)


@circumstance("transform", "with parametrised parameters", shown="values", optional=True)
def parametrized(use: Use, _: Call, *inputs: Tensor) -> Any:
    """f(x), every parameter computed by a parametrisation, as weight norm and pruning do."""
    module = use.copied()
    for part in list(module.modules()):
        for name, _value in list(part.named_parameters(recurse=False)):
            parametrize.register_parametrization(part, name, nn.Identity())
    return module(*inputs)


@circumstance("transform", "computed with other parameters by functional_call", shown="values", optional=True)
def functional(use: Use, _: Call, *inputs: Tensor) -> Any:
    """functional_call(g, theta, x), g a module with other parameters."""
    module = use.copied()
    values = {name: value.detach().clone() for name, value in module.state_dict().items()}
    change_parameters(module)
    return functional_call(module, values, inputs)


@circumstance(
    "transform",
    "made without memory and filled by load_state_dict",
    shown="values",
    alike=True,
    tried="asked",  # A table outside the state is right in every other use.
)
def materialised(use: Use, _: Call, *inputs: Tensor) -> Any:
    """g.to("meta").to_empty(device=…), g.load_state_dict(f's), then g(x).

    What no state holds is lost: a buffer that is not persistent, any other tensor of a constructor. It tells
    against a candidate where the reference, made so, gives what it gave before. Memory that nobody writes to
    is filled, for what lies there by chance may be right.
    """
    module = use.copied()
    for part in module.modules():
        _lose_tensors(part)
    module.to("meta").to_empty(device=_device_of(use.module, inputs))
    with torch.no_grad():
        for value in (*module.parameters(), *module.buffers()):
            value.copy_(_unwritten(value))
    module.load_state_dict(use.copied().state_dict())
    return module(*inputs)


def library_of_files(_: Equivalence) -> str:
    """Need safetensors, which nothing else here depends on."""
    return "" if find_spec("safetensors") else "safetensors is not installed"


@circumstance(
    "transform",
    "saved and loaded by safetensors",
    needs=library_of_files,
    shown="values",
    optional=True,
    tried="explore",  # A gate says the same wherever it runs, with the library or without.
)
def safetensors(use: Use, _: Call, *inputs: Tensor) -> Any:
    """g of other parameters, g.load_state_dict(load(save(f's))), then g(x).

    Tensors that share memory or are not contiguous are refused, which a reader is told of a candidate, and
    which refutes it where it was asked for. Of a reference that is refused, by tied weights, nothing is said.
    """
    files, module = import_module("safetensors.torch"), use.copied()
    saved = files.save(dict(module.state_dict()))
    change_parameters(module)
    module.load_state_dict(files.load(saved))
    return module(*inputs)


@circumstance("transform", f"compiled by {COMPILER}", shown="values", optional=True, tried="asked")
def compiled(use: Use, _: Call, *inputs: Tensor) -> Any:
    """The output of torch.compile(f) for x."""

    def compiling(module: nn.Module) -> Call:
        torch._dynamo.reset()  # noqa: SLF001  (what one case compiled is of no use to the next)
        return torch.compile(module, backend=COMPILER)

    return _as_made(use, compiling, inputs)


@circumstance("transform", "exported", shown="values", optional=True, tried="asked")
def exported(use: Use, _: Call, *inputs: Tensor) -> Any:
    """torch.export.export(f, x).module()(x)."""
    return _as_made(use, lambda module: torch.export.export(module, inputs).module(), inputs)


def _as_made(use: Use, make: Callable[[nn.Module], Call], inputs: Sequence[Tensor]) -> Any:
    """Call what torch makes of a form.

    Of what a compiler makes no operation can be disturbed: a disturbed run moves its output by as much as
    that of the form as it is written.
    """
    if not is_in_torch_dispatch_mode():
        return make(use.copied())(*inputs)
    disturbed = use.copied()(*inputs)
    with _disable_current_modes():
        plain, made = use.copied()(*inputs), make(use.copied())(*inputs)
    return tree_map(_moved, made, disturbed, plain)


def _moved(made: Any, disturbed: Any, plain: Any) -> Any:
    same = isinstance(made, Tensor) and made.is_floating_point() and made.shape == plain.shape
    return made + (disturbed - plain) if same else made


def _lose_tensors(part: nn.Module) -> None:
    """Lose the tensors that a module holds in other attributes than its parameters and buffers."""
    for name, value in list(vars(part).items()):
        if name not in REGISTERED and tensors_of(value):
            vars(part)[name] = tree_map_only(Tensor, _unwritten, value)


def _unwritten(value: Tensor) -> Tensor:
    inexact = value.is_floating_point() or value.is_complex()
    return torch.full_like(value, math.nan if inexact else UNWRITTEN)


def _device_of(module: nn.Module, inputs: Sequence[Tensor]) -> torch.device:
    """Say where a form runs: where the first of its inputs and parameters lies."""
    return next(iter([*inputs, *module.parameters(), torch.empty(0)])).device
