"""The circumstances by name: in what way a form may be used, beside the plainest one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, TypedDict, Unpack, get_args

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from equivalence.claim import Equivalence
from equivalence.variable import ClaimError

Aspect = Literal["mode", "parameters", "gradients", "calls", "inputs", "outputs", "transform"]
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
"""What a circumstance changes, the outermost first: a case has at most one of each.

What changes the mode is a function of the module, what changes the parameters one of theta. All others are
called as `change(use, call, *inputs)` in place of `call(*inputs)`, and give the output.
"""
Shown = Literal["values", "gradients", "both"]
"""Whether what a circumstance changes can show in outputs, in gradients, or in both."""
Call = Callable[..., Any]
"""inputs -> output."""
Tried = Literal["gate", "explore", "asked"]
Tensors = tuple[Tensor, ...]
APART, NOT = "+", "not "


@dataclass(frozen=True)
class Use:
    """One form in one case, while it is called."""

    module: nn.Module
    """The form, with the values of the case in place of its parameters and buffers."""
    copied: Callable[[], nn.Module]
    """Construct a module of its own, in the same mode, with the same values; its parameters are leaves."""
    resized: Callable[[Callable[[int], int]], Tensors]
    """Draw other inputs, with the size of every free axis changed."""
    directions: Callable[[Sequence[Tensor]], Tensors]
    """Draw a tensor like each of these."""
    leading: int = 0
    """How many axes each input has before those that it is claimed to have."""


def always(_: Equivalence) -> str:
    """Be possible for every claim."""
    return ""


class Options(TypedDict, total=False):
    """What `@circumstance` takes by name: the fields of `Circumstance` that have a default."""

    shown: Shown
    needs: Callable[[Equivalence], str]
    optional: bool
    alike: bool
    single: bool
    narrows: bool
    axes: int
    tried: Tried


@dataclass(frozen=True)
class Circumstance:
    """One way in which a form may be used."""

    change: Callable[..., Any]
    aspect: Aspect
    told: str
    """As a reader is told: "in eval mode"."""
    shown: Shown = "both"
    needs: Callable[[Equivalence], str] = always
    """Why it cannot be had for a claim; empty where it can."""
    optional: bool = False
    """Whether a form may do without it: a candidate that raises in it is told of, and refuted where asked."""
    alike: bool = False
    """Whether it is about forms that give in it what they give without it: the reference must be one."""
    single: bool = False
    """Whether it does something in float32 alone."""
    narrows: bool = False
    """Whether it computes in a narrower dtype by itself, whatever a form does."""
    axes: int = 0
    """How many axes an input has in it, where that matters."""
    tried: Tried = "gate"
    """Where it is tried: in every run, in those that explore, or where it is asked for by name alone."""

    @property
    def name(self) -> str:
        """The word for it in a case and on the command line."""
        return self.change.__name__.rstrip("_")

    @property
    def statement(self) -> str:
        """What it does, as its docstring opens with it."""
        return (self.change.__doc__ or "").strip().partition("\n")[0]


def tensors_of(*outputs: Any) -> Tensors:
    """Give the tensors of outputs, whatever they lie in."""
    return tuple(leaf for leaf in tree_leaves(outputs) if isinstance(leaf, Tensor))


def take_gradient(module: nn.Module, inputs: Tensors, output: Any, *, retain_graph: bool = False) -> None:
    """Take the gradient of an output in all that needs one, and leave it."""
    outputs = [one for one in tensors_of(output) if one.requires_grad]
    leaves = [value for value in (*module.parameters(), *inputs) if value.requires_grad]
    if outputs and leaves:
        # A cotangent of memory of its own: what an expanded one shows is for `summed` to name.
        ones = [torch.ones_like(one) for one in outputs]
        torch.autograd.grad(outputs, leaves, ones, retain_graph=retain_graph, allow_unused=True)


def change_parameters(module: nn.Module) -> None:
    """Write other values into a module's parameters, in place."""
    with torch.no_grad():
        for value in module.parameters():
            value.neg_().add_(1)


CIRCUMSTANCES: dict[str, Circumstance] = {}
"""Every registered circumstance by name."""


def circumstance(
    aspect: Aspect, told: str, **options: Unpack[Options]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as a circumstance; ClaimError where it cannot be one."""
    if aspect not in ASPECTS:
        raise ClaimError(f"a circumstance changes one of {', '.join(ASPECTS)}, but got {aspect!r}; name one")

    def register(change: Callable[..., Any]) -> Callable[..., Any]:
        made = Circumstance(change, aspect, told, **options)
        if made.name in CIRCUMSTANCES:
            owner = CIRCUMSTANCES[made.name].change.__module__
            raise ClaimError(
                f"a circumstance's name is its own, but {made.name!r} of {change.__module__} is taken by "
                f"{owner}; choose another"
            )
        _check_parameters(made)
        CIRCUMSTANCES[made.name] = made
        return change

    return register


def known(name: str) -> Circumstance:
    """Return a circumstance by name; ClaimError with the nearest one for another name."""
    if name not in CIRCUMSTANCES:
        near = get_close_matches(name, CIRCUMSTANCES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ClaimError(f"a circumstance is one of {', '.join(CIRCUMSTANCES)}, but got {name!r}{hint}")
    return CIRCUMSTANCES[name]


def together(names: Iterable[str]) -> tuple[str, ...]:
    """Order names as a case has them, each once; ClaimError for one that is none, or two of one aspect."""
    wanted = {name: known(name) for name in names}
    by_aspect: dict[str, str] = {}
    for name, one in wanted.items():
        if (other := by_aspect.setdefault(one.aspect, name)) != name:
            raise ClaimError(
                f"a case has one circumstance of the {one.aspect} at most, but got {other!r} and {name!r}; "
                "leave one out"
            )
    return tuple(name for name in CIRCUMSTANCES if name in wanted)


def read(text: str) -> tuple[str, ...]:
    """Read names as a case writes them, eval+no_grad; ClaimError as `together`."""
    return together(name for name in text.split(APART) if name)


def written(names: Iterable[str]) -> str:
    """Write names as a case has them, eval+no_grad."""
    return APART.join(names)


def told_of(names: Iterable[str]) -> str:
    """Say in what circumstances a form is used, in words."""
    return ", ".join(CIRCUMSTANCES[name].told for name in names)


def modes_of(names: Iterable[str]) -> tuple[str, ...]:
    """Keep the names of modes: what shows in one by itself is about the module, not about its function."""
    return tuple(name for name in names if CIRCUMSTANCES[name].aspect == "mode")


def asked_and_left_out(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read what a claim or a command asks for: names, and "not name" for what is left out.

    ClaimError as `together`, and for a word in place of several.
    """
    if isinstance(words, str):
        raise ClaimError(f"circumstances are a tuple of words, but got {words!r}; write ({words!r},)")
    asked = together(word for word in words if not word.startswith(NOT))
    return asked, tuple(known(word.removeprefix(NOT)).name for word in words if word.startswith(NOT))


def possible(claim: Equivalence, shown: Shown) -> Mapping[str, Circumstance]:
    """Give the circumstances that a claim can be tried in, of those that show in values or in gradients."""
    return {
        name: one
        for name, one in CIRCUMSTANCES.items()
        if one.shown in (shown, "both") and not one.needs(claim)
    }


def _check_parameters(made: Circumstance) -> None:
    takes = list(inspect.signature(made.change).parameters.values())
    wanted = "one parameter" if made.aspect in ("mode", "parameters") else "(use, call, *inputs)"
    fits = len(takes) == 1 if made.aspect in ("mode", "parameters") else _takes_a_call(takes)
    if not fits:
        raise ClaimError(
            f"a circumstance of the {made.aspect} takes {wanted}, but {made.name!r} of "
            f"{made.change.__module__} takes ({', '.join(map(str, takes))})"
        )


def _takes_a_call(takes: Sequence[inspect.Parameter]) -> bool:
    return len(takes) == 3 and takes[-1].kind is inspect.Parameter.VAR_POSITIONAL  # noqa: PLR2004
