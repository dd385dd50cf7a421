"""One case filled with numbers: the two forms, theta, the inputs and the cotangents."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import IntEnum
from functools import cached_property, partial
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from equivalence.claim import Equivalence, Theta
from equivalence.variable import ClaimError, Variable
from properties.cases.answering import FormError, answering
from properties.cases.buffers import trained_buffers
from properties.cases.case import Case, Shape
from properties.cases.definition import field_values
from properties.cases.form import Form, on_cpu
from properties.cases.generators import of_torch_kept, reseed
from properties.cases.regime import Regime
from properties.cases.values import NORMAL, look
from properties.circumstances.registry import Use
from properties.circumstances.under import Under


class OutsideDomainError(Exception):
    """The reference itself refuses this configuration, so the claim says nothing about it."""


class InapplicableError(Exception):
    """The reference has not what a law is about, whatever the case: the law does not apply to the claim."""


def build(claim: Equivalence, side: str, seed: int) -> nn.Module:
    """Construct one form of a claim, and see that it knows its sizes; ClaimError where it does not."""
    module = construct(claim, side, seed)
    if any(map(is_lazy, (*module.parameters(), *module.buffers()))):
        message = f"{claim!r}: {side} knows the shape of every parameter, but leaves some to its first call"
        raise ClaimError(f"{message}; construct it with its sizes")
    return module


def construct(claim: Equivalence, side: str, seed: int) -> nn.Module:
    """Construct one form of a claim; equal seeds start both forms from the same generator state."""
    (module,) = constructed(claim, side, [seed])
    return module


def constructed(claim: Equivalence, side: str, seeds: Sequence[int]) -> list[nn.Module]:
    """Construct one form of a claim from each of these seeds: what they all need is prepared once."""
    form = claim.reference if side == "reference" else claim.candidate
    modules = []
    with of_torch_kept(), on_cpu(), answering(side), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Initializing zero-element tensors")
        for seed in seeds:
            reseed(seed)
            modules.append(form())
    for module in modules:
        if not isinstance(module, nn.Module):
            message = f"{claim!r}: {side} returns an nn.Module, but returned {type(module).__name__}"
            raise ClaimError(message)
    return modules


Values = Mapping[str, Tensor]
"""The numbers of a case by name: inputs, parameters, cotangents."""


class Stream(IntEnum):
    """The independent streams of numbers of a case's seed."""

    THETA = 0
    OTHER_THETA = 1
    INPUTS = 2
    COTANGENTS = 3
    TANGENTS = 4
    SECOND_ROW = 5
    PLACES = 6
    CONSTRUCTIONS = 7
    TARGETS = 8
    EARLIER = 9


NAMES = {
    Stream.THETA: "{}",
    Stream.OTHER_THETA: "other {}",
    Stream.INPUTS: "{}",
    Stream.COTANGENTS: "cotangent {}",
    Stream.TANGENTS: "tangent {}",
    Stream.SECOND_ROW: "{} of a second row",
    Stream.TARGETS: "target {}",
}
"""How a tensor that is drawn from a stream is called."""


class Sample:
    """What a law may look at. All numbers come from the case's seed; asking twice gives the same ones."""

    def __init__(
        self, case: Case, regime: Regime, data: Tensor | None = None, values: Values | None = None
    ) -> None:
        """Construct both forms; real inputs are rows of `data` where it is given.

        Where `values` is given, they stand in for the tensors drawn under their names, and `drawn` keeps all.
        Random layers of both forms draw the same, from a seed that follows from the case's.
        """
        self.case = case
        self.claim = case.claim
        self.regime = regime
        self.setting = replace(case.setting, dtype=regime.dtype)
        self.dtype = regime.dtype
        self.data = data
        self.values = values
        self.drawn: dict[str, Tensor] = {}
        with regime.given():
            self.reference = Form("reference", self.claim, self._reference(), self.setting)
            self.candidate = Form("candidate", self.claim, self._built("candidate"), self.setting)
            self.trained = trained_buffers(type(self.claim), self.reference.module, self._called)
        self.reference.draws = self.candidate.draws = case.seed
        if type(self.claim).carry is Equivalence.carry:
            self.candidate.constants = self.candidate.buffers.keys() - self.trained.keys()
        self.under = Under(case.under)
        for form in (self.reference, self.candidate) if case.under else ():
            self.under.put(form.module)
            form.under, form.used = self.under, partial(self._used, form)

    def _reference(self) -> nn.Module:
        try:
            return self._built("reference")
        except FormError as refusal:
            raise OutsideDomainError(str(refusal)) from refusal

    def _built(self, side: str) -> nn.Module:
        module = build(self.claim, side, self.case.seed)
        with answering(side):
            return self.setting.moved(module)

    @cached_property
    def theta(self) -> Theta:
        """The reference's parameters, drawn, and its buffers, as constructed."""
        return self.draw_theta(Stream.THETA)

    @cached_property
    def other_theta(self) -> Theta:
        """A second, independent draw of the parameters."""
        return self.draw_theta(Stream.OTHER_THETA)

    @cached_property
    def inputs(self) -> tuple[Tensor, ...]:
        """One draw of every input."""
        return self.draw_inputs(Stream.INPUTS)

    @property
    def named_inputs(self) -> dict[str, Tensor]:
        """The inputs, by the names that the claim gives them."""
        return dict(zip(self.claim.inputs(), self.inputs, strict=True))

    @property
    def other_claim(self) -> Equivalence:
        """The claim with the opposite of every mask: what a module built of it starts from is another."""
        other = {name: kind.other(value) for name, kind, value in field_values(self.claim)}
        return replace(self.claim, **other)  # type: ignore[type-var]

    def draw_theta(self, stream: Stream) -> dict[str, Tensor]:
        """Draw every parameter of the reference from one stream of the case's seed."""
        generator = self.generator(stream)
        theta = {
            name: self._named(stream, name, self._parameter(value, generator)).requires_grad_()
            for name, value in self.reference.parameters.items()
        }
        buffers = {
            name: self._trained(stream, name, value, generator)
            if name in self.trained
            else self._buffer(value)
            for name, value in self.reference.buffers.items()
        }
        return theta | buffers

    def draw_inputs(self, stream: Stream) -> tuple[Tensor, ...]:
        """Draw every input from one stream of the case's seed."""
        drawn = self._inputs_of(self.case, stream)
        return tuple(self._named(stream, name, value) for name, value in drawn)

    def draw_like(self, tensors: Iterable[Tensor], stream: Stream) -> tuple[Tensor, ...]:
        """Draw cotangents or tangents of the given shapes."""
        generator = self.generator(stream)
        return tuple(
            self._named(stream, str(place), self.regime.draw(tuple(tensor.shape), generator))
            for place, tensor in enumerate(tensors)
        )

    def generator(self, stream: Stream) -> torch.Generator:
        """Give the generator of one stream of the case's seed."""
        return torch.Generator().manual_seed(self.case.seed * 16 + stream)

    def require_domain(self) -> None:
        """Run the reference, for a law that does not: a case that it refuses lies outside the claim."""
        with torch.no_grad():
            self.reference(self.theta, self.inputs)

    def module(self, form: Form, theta: Theta) -> nn.Module:
        """Construct a form anew and copy its parameters and buffers into it."""
        state = form.state(theta)
        with self.regime.given():
            module = self.under.put(self.placed(construct(self.claim, form.side, self.case.seed)))
            load(module, state)
        return module

    def placed(self, module: nn.Module) -> nn.Module:
        """Give a module that was constructed anew the dtype of the case, and its device."""
        return self.setting.moved(module.to(self.dtype))

    def draw_resized(self, change: Callable[[int], int]) -> tuple[Tensor, ...]:
        """Draw inputs with the size of every free axis changed, which are none of the numbers of the case."""
        axes = {name: tuple(map(change, shape)) for name, shape in self.case.axes.items()}
        with self.regime.given():
            drawn = self._inputs_of(replace(self.case, axes=axes), Stream.EARLIER)
            return tuple(value.to(self.setting.device) for _, value in drawn)

    def _inputs_of(self, case: Case, stream: Stream) -> Iterator[tuple[str, Tensor]]:
        """Draw the inputs of a case with these axes, by name."""
        generator = self.generator(stream)
        for name, variable in self.claim.inputs().items():
            yield name, self._input(variable, case.shape(variable), generator)

    def _used(self, form: Form, theta: Theta) -> Use:
        """Say what a circumstance may use of a form that is being called."""
        detached = {name: value.detach() for name, value in theta.items()}
        return Use(
            module=form.module,
            copied=lambda: self.module(form, detached),
            resized=self.draw_resized,
            directions=lambda tensors: self.draw_like(tensors, Stream.TANGENTS),
            leading=self._leading,
        )

    @property
    def _leading(self) -> int:
        """Count the axes of all inputs that no name of the claim's own stands for."""
        starred = {one.axes.split()[0] for one in self.claim.inputs().values() if one.axes.startswith("*")}
        return min((len(self.case.axes[name.removeprefix("*")]) for name in starred), default=0)

    def _named(self, stream: Stream, name: str, drawn: Tensor) -> Tensor:
        # Drawn on the CPU: a case has the same numbers on every device.
        if self.values is None:
            return drawn.to(self.setting.device)
        called = NAMES[stream].format(name)
        value = self.values.get(called)
        if value is None or value.shape != drawn.shape:
            value = drawn
        # A form may write into what it is given.
        self.drawn[called] = value.to(drawn.dtype).clone()
        return self.drawn[called].clone().to(self.setting.device)

    def _parameter(self, parameter: Tensor, generator: torch.Generator) -> Tensor:
        return self.regime.draw_parameter(tuple(parameter.shape), generator)

    def _buffer(self, buffer: Tensor) -> Tensor:
        return buffer.to(self.dtype) if buffer.is_floating_point() else buffer

    def _trained(self, stream: Stream, name: str, buffer: Tensor, generator: torch.Generator) -> Tensor:
        positive, shape = self.trained[name], tuple(buffer.shape)
        drawn = (
            self.regime.draw_positive(shape, generator) if positive else self.regime.draw(shape, generator)
        )
        value = self._named(stream, name, drawn)
        if positive and not (value > 0).all():
            # A smaller value that is looked for may be 0.
            value = torch.where(value > 0, value, torch.ones_like(value))
            self.drawn[NAMES[stream].format(name)] = value.clone().cpu()
        return value

    def _called(self) -> nn.Module:
        """Construct a reference, and call it once in training mode, on a few rows."""
        module = self.setting.moved(construct(self.claim, "reference", self.case.seed)).train()
        rows = replace(self.case, axes=dict.fromkeys(self.case.axes, (3,)), values=NORMAL)
        generator = self.generator(Stream.INPUTS)
        inputs = [one.draw(rows.shape(one), rows.size, generator) for one in self.claim.inputs().values()]
        # What a reference says to inputs is for the laws to see.
        with suppress(Exception), warnings.catch_warnings(action="ignore"), torch.no_grad():
            module(*(x.to(self.setting.device) for x in inputs))
        return module

    def _input(self, variable: Variable, shape: Shape, generator: torch.Generator) -> Tensor:
        if not variable.real:
            return variable.draw(shape, self.case.size, generator)
        if self.data is not None and takes_rows(self.data, shape):
            return self._rows(self.data, shape, generator)
        return self.regime.looking(look(self.case.values), shape, generator)

    def _rows(self, data: Tensor, shape: Shape, generator: torch.Generator) -> Tensor:
        leading = shape[: len(shape) - data.ndim + 1]
        chosen = torch.randint(len(data), (prod(leading),), generator=generator)
        return data[chosen].to(self.dtype).reshape(shape)


def drawn_inputs(case: Case) -> Iterator[tuple[str, Variable]]:
    """Name every tensor that is drawn for an input of a case, as its values do."""
    for stream in (Stream.INPUTS, Stream.SECOND_ROW):
        for name, variable in case.claim.inputs().items():
            yield NAMES[stream].format(name), variable


def takes_rows(data: Tensor, shape: Shape) -> bool:
    """Whether an input of this shape is a batch of rows of the data."""
    return len(shape) >= data.ndim - 1 and shape[len(shape) - data.ndim + 1 :] == tuple(data.shape[1:])


def named_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Give a module's parameters, shared ones once, and its buffers, by name."""
    return dict(module.named_parameters()) | dict(module.named_buffers())


def load(module: nn.Module, state: Theta) -> None:
    """Copy values into a module's parameters and buffers, in place; a call may have made a buffer longer."""
    own = named_tensors(module)
    with torch.no_grad():
        for name, value in state.items():
            if own[name].shape != value.shape:
                own[name].resize_as_(value)
            own[name].copy_(value)
