"""A module and its inputs -> what one forward, and one forward with backward, cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from properties.cost.memory import Peak, Traffic
from properties.cost.meter import Meter, Products, UsefulProducts
from properties.cost.parameters import buffer_entries, free_scalars, stored_scalars
from properties.cost.run import Run

Dead = Mapping[str, Tensor]
"""Parameter entries by name (bool, True = dead)."""
NOTHING_DEAD: Dead = MappingProxyType({})


@dataclass(frozen=True)
class Cost:
    """What a module costs on given inputs. Counts are of one forward, where nothing else is said."""

    free_parameters: int
    """Scalars that training can change: shared ones once, dead and frozen ones not."""
    parameters: int
    """Scalars stored as parameters: shared ones once, dead and frozen ones too."""
    buffers: int
    """Entries stored as buffers."""
    multiply_adds: int
    """Products of two numbers, each with the addition that takes it in."""
    useful_multiply_adds: int
    """Those of them with no factor that a mask makes zero."""
    backward_multiply_adds: int
    """Multiply-adds of the backward alone."""
    bytes_read: int
    """Bytes of the tensors that operations read; a view reads nothing."""
    bytes_written: int
    """Bytes of the tensors that operations write."""
    peak_forward_bytes: int
    """Most bytes alive at once in a forward, beyond parameters, buffers, inputs and outputs."""
    peak_training_bytes: int
    """The same of forward and backward, to parameters and real inputs: what is saved, and the gradients."""
    kernels: int
    """Operations that compute; on a device, each launches one kernel or more."""


def cost(module: nn.Module, inputs: Sequence[Tensor], dead: Dead = NOTHING_DEAD) -> Cost:
    """Give what the module costs on these inputs, in its own mode (train or eval) and on its own device.

    `dead` names parameter entries (bool, True = dead) that no output may depend on: they are not free, and
    their multiply-adds are not useful. The module, the inputs and torch's generators are the same afterwards.
    Raises UncountedOperationError for an operation whose multiply-adds are not known, and ValueError where
    `dead` names no parameter, or gives it another shape.
    """
    _check_dead(module, dead)
    run = Run(module, tuple(inputs))
    with _own_generators(run.device), torch.inference_mode(mode=False):
        forward = _forward(run)
        with_backward, training_peak = _training(run, forward.outputs)
        useful = _useful(run, dead)
    return Cost(
        free_parameters=free_scalars(module, dead),
        parameters=stored_scalars(module),
        buffers=buffer_entries(module),
        multiply_adds=forward.products,
        useful_multiply_adds=useful,
        backward_multiply_adds=with_backward - forward.products,
        bytes_read=forward.traffic.read,
        bytes_written=forward.traffic.written,
        peak_forward_bytes=forward.peak - forward.left,
        peak_training_bytes=training_peak - forward.left,
        kernels=forward.traffic.kernels,
    )


def _check_dead(module: nn.Module, dead: Dead) -> None:
    shapes = {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
    given = {name: tuple(entries.shape) for name, entries in dead.items()}
    if wrong := {name: shape for name, shape in given.items() if shapes.get(name) != shape}:
        raise ValueError(f"dead gives parameters, {shapes}, their own shapes, but gives {wrong}; name these")


def multiply_adds(run: Callable[[], object]) -> int:
    """Count the multiply-adds of a run; UncountedOperationError for an operation of which none are known."""
    products = Products()
    with Meter(products):
        run()
    return products.count


class _Forward(NamedTuple):
    """What one forward showed."""

    products: int
    traffic: Traffic
    peak: int
    left: int
    """Bytes of the outputs that are memory of their own."""
    outputs: list[Tensor]


def _forward(run: Run) -> _Forward:
    products, traffic, peak = Products(), Traffic(), Peak(run.device)
    state, inputs = run.parameters() | run.buffers(), [x.detach().clone() for x in run.inputs]
    with torch.no_grad(), Meter(products, traffic, peak.live):
        outputs = run(state, inputs)
    return _Forward(products.count, traffic, peak.most(), peak.left(), outputs)


def _training(run: Run, forward: Sequence[Tensor]) -> tuple[int, int]:
    """Give the multiply-adds and the peak of a forward, and a backward to parameters and real inputs."""
    parameters, buffers = run.parameters(), run.buffers()
    inputs = [x.detach().requires_grad_(x.is_floating_point()) for x in run.inputs]
    # Copies, for a leaf must not be written into.
    with torch.enable_grad():
        given = [x.clone() for x in inputs]
    cotangents = [torch.ones_like(output) for output in forward]
    products, peak = Products(), Peak(run.device)
    with torch.enable_grad(), Meter(products, peak.live):
        outputs = run(parameters | buffers, given)
        _gradients(outputs, [*parameters.values(), *inputs], cotangents)
    return products.count, peak.most()


def _gradients(
    outputs: Sequence[Tensor], leaves: Sequence[Tensor], cotangents: Sequence[Tensor]
) -> Sequence[Tensor | None]:
    """Give ∂⟨cotangents, outputs⟩/∂leaf for each leaf that asks for it; none where nothing does."""
    pairs = [(y, c) for y, c in zip(outputs, cotangents, strict=True) if y.requires_grad]
    asking = [leaf for leaf in leaves if leaf.requires_grad]
    if not pairs or not asking:
        return ()
    pulled, pulling = zip(*pairs, strict=True)
    gradients: tuple[Tensor | None, ...] = torch.autograd.grad(pulled, asking, pulling, allow_unused=True)
    return gradients


def _useful(run: Run, dead: Dead) -> int:
    """Count the products of positive numbers: where all that is drawn is positive, only a mask makes a 0."""
    generator = torch.Generator("cpu").manual_seed(0)
    parameters = {name: _positive(value, generator) for name, value in run.parameters().items()}
    living = {name: parameters[name].masked_fill(entries, 0) for name, entries in dead.items()}
    inputs = [_positive(x, generator) for x in run.inputs]
    products = UsefulProducts()
    with torch.no_grad(), Meter(products):
        run(parameters | living | run.buffers(), inputs)
    return products.count


def _positive(values: Tensor, generator: torch.Generator) -> Tensor:
    """Numbers between 1 and 2 in place of real ones."""
    if not values.is_floating_point():
        return values
    drawn = 1 + torch.rand(values.shape, generator=generator, device="cpu")
    return drawn.to(values)


@contextmanager
def _own_generators(device: torch.device) -> Iterator[None]:
    """Leave torch's generators as they were: a form may draw."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        yield
