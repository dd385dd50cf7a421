"""What stands in a script for a form and a sample: the numbers of one case, and nothing that draws others.

Scripts are made of the source of this file and of the laws; nothing here is called by the package.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from equivalence.claim import Equivalence, Theta
from properties.cases import form as forms
from properties.cases import sample as samples
from properties.cases.answering import FormError
from properties.cases.form import CALLS_APART, Called
from properties.cases.memory import unwritten
from properties.cases.outputs import taken_apart
from properties.cases.sample import load
from properties.circumstances.under import INNER
from properties.oracle.rounding import close
from properties.oracle.trees import joined

Use = Callable[[tuple[Tensor, ...]], Any]
"""Outputs -> what is asked of them."""
Named = dict[str, Tensor]


def build(claim: Equivalence, side: str, seed: int) -> nn.Module:
    """Construct one form of a claim."""
    torch.manual_seed(seed)
    return claim.reference() if side == "reference" else claim.candidate()


class Standing(forms.Form):
    """What a form is in every circumstance."""

    def __init__(self, side: str, claim: Equivalence, seed: int, dtype: torch.dtype) -> None:
        """Construct the form, under a seed."""
        self.side, self.claim, self.draws, self.dtype = side, claim, seed, dtype
        self.module = self.constructed()
        self.parameters = dict(self.module.named_parameters())
        self.buffers = dict(self.module.named_buffers())
        self.own = self.parameters | self.buffers
        self.constants = ()

    def constructed(self) -> nn.Module:
        """Construct the module, under the seed."""
        return build(self.claim, self.side, self.draws).to(self.dtype)

    def anew(self, theta: Theta) -> nn.Module:
        """Construct a module of its own, with these parameters and buffers."""
        module = self.constructed()
        load(module, self.state(theta))
        return module

    def state(self, theta: Theta) -> dict[str, Tensor]:
        """Give the parameters and buffers that the module has under theta."""
        given = theta if self.side == "reference" else self.claim.carry(theta)
        values = {name: value for name, value in given.items() if name not in self.constants}
        values = {**dict(self.module.named_buffers()), **values}
        return {name: self._as_own(name, value) for name, value in values.items()}

    def tensors(self, output: Any) -> tuple[Tensor, ...]:
        """Give the tensors of an output."""
        self.outputs = taken_apart(output)
        return self.outputs.tensors

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Take what is raised inside as the answer of this form."""
        try:
            yield
        except Exception as error:
            raise FormError(self.side, error) from error

    @contextmanager
    def _running(self, number: int = 0) -> Iterator[None]:
        torch.manual_seed(self.draws + CALLS_APART * number)  # For forms that draw numbers.
        yield


class Form(Standing):
    """One form of the claim, as a function of the reference's parameters and the inputs."""

    def within(self, theta: Theta, inputs: Sequence[Tensor], use: Use, *, number: int = 0) -> Any:
        """Run the module with its parameters computed from theta, and use its outputs."""
        state = self.state(theta)
        with self._running(number), unwritten(state.values()):
            return use(self.tensors(functional_call(self.module, state, tuple(inputs))))


class FormInUse(Standing):
    """One form of the claim, as a function of the reference's parameters and the inputs, in circumstances."""

    def __init__(self, *form: Any, under: dict[str, Callable[..., Any]], **given: Any) -> None:
        """Take a form, what changes its use, the outermost first, and what that is given."""
        self.changes, self.given = under, given
        super().__init__(*form)

    def within(self, theta: Theta, inputs: Sequence[Tensor], use: Use, *, number: int = 0) -> Any:
        """Run the module with its parameters computed from theta, as it is used, and use its outputs."""
        theta = self.changes.get("parameters", dict)(theta)
        state, call = self.state(theta), self.module.__call__
        for aspect, change in reversed(self.changes.items()):
            call = call if aspect in INNER else partial(change, self.use(theta), call)
        standing = Called(self.module, call, lambda output: use(self.tensors(output)))
        named = {f"module.{name}": value for name, value in state.items()}
        with self._running(number), unwritten(state.values()):
            return functional_call(standing, named, tuple(inputs))

    def use(self, theta: Theta) -> SimpleNamespace:
        """Say what changes its use may read of the form."""
        values = {name: value.detach() for name, value in theta.items()}
        return SimpleNamespace(module=self.module, copied=lambda: self.anew(values), **self.given)

    def constructed(self) -> nn.Module:
        """Construct the module, in its mode."""
        module = super().constructed()
        self.changes.get("mode", nn.Module.train)(module)
        return module


class Sample(samples.Sample):
    """What a law looks at: both forms, and the numbers of the case."""

    def __init__(self, reference: Form, candidate: Form, theta: Theta, inputs: Named, **others: Any) -> None:
        """Take the forms, and the numbers."""
        self.reference, self.candidate = reference, candidate
        self.claim, self.dtype = reference.claim, reference.dtype
        self.theta, self.inputs = theta, tuple(inputs.values())
        for name, value in {"named_inputs": inputs, **others}.items():
            setattr(self, name, value)

    def draw_like(self, _: Any, stream: Any) -> tuple[Tensor, ...]:
        """Give the cotangents, tangents or targets of the case."""
        return tuple(stream)

    def draw_inputs(self, stream: Any) -> tuple[Tensor, ...]:
        """Give other inputs of the case."""
        return tuple(stream)

    def generator(self, stream: Any) -> torch.Generator:
        """Give the generator of one stream of the case's seed."""
        return torch.Generator().manual_seed(stream)

    def placed(self, module: nn.Module) -> nn.Module:
        """Give a module that was constructed anew the dtype of the case."""
        return module.to(self.dtype)

    def module(self, form: Any, theta: Theta) -> nn.Module:
        """Construct a form anew and copy its parameters and buffers into it."""
        module: nn.Module = form.anew(theta)
        return module


def module_in(name: str, file: str) -> ModuleType:
    """Load a file of layers as a module of this name."""
    loader = SourceFileLoader(name, file)
    module = module_from_spec(ModuleSpec(name, loader, origin=file))
    sys.modules[name] = module  # Where pickle looks for it.
    loader.exec_module(module)
    return module


def hold(expected: Any, found: Any, units: float, where: str = "") -> None:
    """Print both sides leaf by leaf, and assert that they are equal up to so many units in the last place."""
    if isinstance(expected, Mapping):
        assert expected.keys() == found.keys(), f"{where}: {sorted(found)}, not {sorted(expected)}"
        for name, one in expected.items():
            hold(one, found[name], units, joined(where, name))
    elif isinstance(expected, list | tuple):
        assert len(expected) == len(found), f"{where}: {len(found)} tensors, not {len(expected)}"
        for place, one in enumerate(expected):
            hold(one, found[place], units, f"{where}[{place}]" if len(expected) > 1 else where)
    else:
        where = where or "output"
        print(f"{where}, expected: {shown(expected)}")
        print(f"{where}, found:    {shown(found)}")
        assert same(expected, found, units), f"{where} differs"


def shown(leaf: Any) -> str:
    """Write a leaf with all digits."""
    if not isinstance(leaf, Tensor):
        return str(leaf)
    return f"{'no values' if leaf.is_meta else leaf.tolist()}, {leaf.dtype}, shape {tuple(leaf.shape)}"


def same(expected: Any, found: Any, units: float) -> bool:
    """Whether two leaves are the same, tensors in shape and dtype too."""
    if not isinstance(expected, Tensor):
        return bool(expected == found)
    if expected.is_meta or expected.shape != found.shape or expected.dtype != found.dtype:
        return bool(expected.shape == found.shape and expected.dtype == found.dtype)
    inexact = expected.is_floating_point() or expected.is_complex()
    equal: Tensor = close(expected, found, units, whole=True) if inexact else expected == found
    return bool(equal.all())
