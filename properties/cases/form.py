"""A form under test: a module seen as a function of the reference's parameters and the inputs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from equivalence.claim import ClaimError, Equivalence, Theta
from equivalence.counts import Counts
from properties.cases.answering import REFUSED, answering
from properties.cases.generators import drawn_so_far, generator_state
from properties.cases.memory import standing_in, unwritten
from properties.cases.outputs import Outputs, taken_apart
from properties.cases.setting import Setting
from properties.circumstances.registry import Use
from properties.circumstances.under import PLAIN

CALLS_APART = 2**21
"""How far the seeds of two calls lie apart: many runs of a random form have seeds next to each other."""
NOTHING = Outputs((), ())
"""What a form has returned before it is called."""


@contextmanager
def on_cpu() -> Iterator[None]:
    """Make new tensors on the CPU, whatever the user's default device is."""
    if torch.get_default_device().type == "cpu":
        yield
    else:
        with torch.device("cpu"):
            yield


class Called(nn.Module):
    """A module, how it is called while other values stand in for its parameters, and for what."""

    def __init__(self, module: nn.Module, call: Callable[..., Any], use: Callable[[Any], Any]) -> None:
        super().__init__()
        self.module = module
        self.call = call
        self.use = use

    def forward(self, *inputs: Tensor) -> Any:
        """Call the module, and use what it gives."""
        return self.use(self.call(*inputs))


class Form:
    """(theta, inputs) -> outputs, for one of the two modules of a claim."""

    def __init__(self, side: str, claim: Equivalence, module: nn.Module, setting: Setting) -> None:
        """Take a module, the side of the equation that it stands on, and in what it runs."""
        self.side = side
        self.claim = claim
        self.module = module
        self.dtype, self.device = setting.dtype, setting.device
        self.outputs = NOTHING
        """What its last call returned, taken apart."""
        # What carry is held against, looked up once: many states are carried to one form.
        self.parameters = dict(module.named_parameters())
        self.buffers = dict(module.named_buffers())
        self.own = self.parameters | self.buffers
        self.constants: Collection[str] = ()
        """Buffers that no call changes: the form's own, unless `carry` is written to name them."""
        self.draws = 0
        """The seed of the generators while the form runs: both forms of a random layer draw the same."""
        self.watched = False
        """Whether to see if the form draws: to look takes as long as a small form."""
        self.has_drawn = False
        self.under = PLAIN
        self.used: Callable[[Theta], Use] | None = None
        """What the circumstances that the form is under may use of it."""

    @property
    def dead(self) -> Mapping[str, Tensor]:
        """The entries of its parameters that the claim declares dead."""
        return self.claim.dead_in_reference() if self.side == "reference" else self.claim.dead_in_candidate()

    def stated_cost(self, batch: int) -> Counts | None:
        """Return what the claim states that the form costs on so many rows; None: no closed form."""
        of = self.claim
        return of.reference_cost(batch) if self.side == "reference" else of.candidate_cost(batch)

    def in_candidate(self, state: Theta) -> Theta:
        """Return a state of the form in the candidate's terms: what `carry` makes of the reference's."""
        return self.claim.carry(state) if self.side == "reference" else state

    def __call__(self, theta: Theta, inputs: Sequence[Tensor], *, call: int = 0) -> tuple[Tensor, ...]:
        """Run the module with its parameters computed from theta; another `call` draws other numbers."""
        outputs: tuple[Tensor, ...] = self.within(theta, inputs, lambda outputs: outputs, number=call)
        return outputs

    def within(
        self,
        theta: Theta,
        inputs: Sequence[Tensor],
        use: Callable[[tuple[Tensor, ...]], Any],
        *,
        number: int = 0,
    ) -> Any:
        """Run the module, and use its outputs while its parameters are still those computed from theta.

        A form that looks at itself in backward, as activation checkpointing does, finds what it ran with.
        """
        theta = self.under.theta(theta)
        state = self.state(theta)
        # A bound method: a module that is an attribute is taken for a part of its owner.
        call = self.module.__call__
        self.outputs = NOTHING
        if self.used:
            call = self.under.around(partial(self.used, theta), self._giving_tensors(call))
        standing = Called(self.module, call, lambda output: use(self._used_as(output)))
        named = {f"module.{name}": value for name, value in state.items()}
        with self._running(number), unwritten(state.values()):
            return functional_call(standing, named, tuple(inputs))

    def answering(self) -> AbstractContextManager[None]:
        """Take a refusal inside as the answer of this form."""
        return answering(self.side)

    def run(self, module: nn.Module, inputs: Sequence[Tensor], *, call: int = 0) -> tuple[Tensor, ...]:
        """Run a copy of the module with the parameters of its own; another `call` draws other numbers."""
        with self._running(call):
            output = module(*inputs)
        # An output may be a view of a parameter that is written to later.
        return tuple(tensor.clone() for tensor in self.tensors(output))

    @contextmanager
    def _running(self, number: int = 0) -> Iterator[None]:
        """Seed the generators, take a refusal as the form's answer, and see whether it draws."""
        with generator_state(self.draws + CALLS_APART * number, self.device), self.answering():
            before = drawn_so_far(self.device) if self.watched else None
            yield
            self.has_drawn |= self.watched and drawn_so_far(self.device) != before

    def refuses(self, theta: Theta, inputs: Sequence[Tensor]) -> str:
        """Say what the form does with inputs that may be none of its own."""
        try:
            with torch.no_grad():
                outputs = self(theta, inputs)
        except Exception:  # noqa: BLE001  (whatever a form raises, it does not take the input)
            return REFUSED
        return f"accepted, with output of shape {tuple(outputs[0].shape)}"

    def state(self, theta: Theta) -> dict[str, Tensor]:
        """Give the parameters and buffers that the module has under theta."""
        if self.side == "reference":
            return {name: self._as_own(name, value) for name, value in theta.items()}
        carried = self.carried(theta)
        left = {name: value for name, value in self.module.named_buffers() if name not in carried}
        return {name: self._as_own(name, value) for name, value in {**carried, **left}.items()}

    def carried(self, theta: Theta) -> Theta:
        """Return what `carry` gives the candidate, held against its parameters and buffers.

        A `carry` that is not written leaves alone what no call changes: another formula of a table, or
        another mask, is the candidate's own.
        """
        carried = self.claim.carry(theta)
        self._check_carried(carried, theta)
        return {name: value for name, value in carried.items() if name not in self.constants}

    def tensors(self, output: object) -> tuple[Tensor, ...]:
        """Give the tensors of an output; ClaimError where there is none, or what cannot be compared."""
        self.outputs = self._taken_apart(output)
        return self.outputs.tensors

    def _taken_apart(self, output: object) -> Outputs:
        try:
            outputs = taken_apart(output)
        except TypeError as error:
            raise self._output_error(str(error)) from None
        if not outputs.tensors:
            raise self._output_error(outputs.structure)
        return outputs

    def _giving_tensors(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Give of a nest its tensors alone: what changes a call works on these."""

        def giving(*inputs: Tensor) -> Any:
            output = call(*inputs)
            tensors = self.tensors(output)
            return output if self.outputs.flat else tensors

        return giving

    def _used_as(self, output: object) -> tuple[Tensor, ...]:
        """Give the tensors of what a call in use returns, whose structure the form itself has said."""
        return self._taken_apart(output).tensors if self.outputs.tensors else self.tensors(output)

    def _output_error(self, found: str) -> ClaimError:
        form = f"{type(self.claim).__name__}: the {self.side} {type(self.module).__name__}"
        return ClaimError(
            f"{form} returned {found}, but a form returns tensors, in tuples, lists, mappings and "
            "dataclasses, beside None, numbers and words; wrap it in a module that does"
        )

    def _as_own(self, name: str, value: Tensor) -> Tensor:
        """Cast a real value, and let it stand in for the module's own; one made in a call is like itself."""
        value = value.to(self.dtype) if value.is_floating_point() else value
        return standing_in(self.own.get(name, value), value)

    def _check_carried(self, carried: Theta, theta: Theta) -> None:
        if not isinstance(carried, Mapping):
            raise self._carry_error(f"returns a mapping of names to tensors, but returned {type(carried)}")
        if missing := self.parameters.keys() - carried.keys():
            raise self._carry_error(
                f"names every parameter of the candidate, but misses {sorted(missing)}; "
                f"the reference has {sorted(theta)}"
            )
        if unknown := carried.keys() - self.own.keys():
            raise self._carry_error(
                f"names only the candidate's {sorted(self.own)}, but gives {sorted(unknown)}; leave these out"
            )
        for name, value in carried.items():
            if not isinstance(value, Tensor) or value.shape != self.own[name].shape:
                got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise self._carry_error(
                    f"gives each parameter the candidate's shape, but {name!r} is {got} where the candidate "
                    f"has {tuple(self.own[name].shape)}; reshape or transpose it in carry"
                )

    def _carry_error(self, rule: str) -> ClaimError:
        return ClaimError(f"{self.claim!r}: carry {rule}")
