"""How a script runs a form, copies it, and asks what it refuses."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from types import ModuleType

import torch
from torch import Tensor, nn
from torch.func import functional_call

from properties.cases.memory import standing_in, unwritten
from properties.cases.sample import named_tensors
from properties.replaying.scripts.numbers import Output, State, Tensors, tensors

REFUSALS = (ValueError, TypeError, RuntimeError, IndexError, ArithmeticError, AssertionError)


def run(form: nn.Module, state: State, inputs: Tensors) -> Output:
    """Run a form with this state in the place of its own."""
    own = named_tensors(form)
    state = {**dict(form.named_buffers()), **state}
    state = {name: standing_in(own[name], value) for name, value in state.items()}
    torch.manual_seed(0)  # For forms that draw numbers.
    with unwritten(state.values()):
        return functional_call(form, state, tuple(inputs))


def call(form: nn.Module, inputs: Tensors) -> Output:
    """Run a form with the state of its own."""
    torch.manual_seed(0)  # For forms that draw numbers.
    output = form(*inputs)
    # It may be a view of a parameter that is written to later.
    return output.clone() if isinstance(output, Tensor) else tuple(one.clone() for one in output)


def cast(state: State, dtype: torch.dtype) -> State:
    """Give the real values of a state this dtype."""
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in state.items()}


def load(form: nn.Module, state: State) -> None:
    """Copy values into the parameters and buffers of a form."""
    own = named_tensors(form)
    with torch.no_grad():
        for name, value in state.items():
            own[name].copy_(value)


def module_in(name: str, file: str) -> ModuleType:
    """Load a file of layers as a module of this name."""
    loader = SourceFileLoader(name, file)
    module = module_from_spec(ModuleSpec(name, loader, origin=file))
    sys.modules[name] = module  # Where pickle looks for it.
    loader.exec_module(module)
    return module


def answer(form: nn.Module, state: State, inputs: Tensors) -> str:
    """Say what a form does with inputs that may be none of its own."""
    try:
        with torch.no_grad():
            output = run(form, state, inputs)
    except REFUSALS as error:
        return f"refused it: {error}"
    return f"accepted it, with output of shape {tuple(tensors(output)[0].shape)}"


def works(action: Callable[..., object], *arguments: object) -> bool:
    """Whether an action raises nothing."""
    try:
        action(*arguments)
    except Exception:  # noqa: BLE001  (pickle raises whatever it likes)
        return False
    return True


def through_pickle(form: nn.Module) -> nn.Module:
    """Pickle a form, and read it back."""
    duplicate: nn.Module = pickle.loads(pickle.dumps(form))  # noqa: S301  (our own bytes)
    return duplicate


def shapes_on_meta(form: nn.Module, inputs: Tensors) -> list[tuple[int, ...]]:
    """Run a copy of a form without memory: what it leaves behind when it is moved shows."""
    output = copy.deepcopy(form).to("meta")(*(one.to("meta") for one in inputs))
    return [tuple(one.shape) for one in tensors(output)]


def free_scalars(form: nn.Module, dead: State) -> int:
    """Count what is trained: shared scalars once, dead ones not."""
    trained = sum(one.numel() for one in form.parameters() if one.requires_grad)
    return trained - sum(int(entries.sum()) for entries in dead.values())
