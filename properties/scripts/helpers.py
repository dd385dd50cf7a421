"""What the scripts call. The source of a function is copied into each script that needs it."""

from __future__ import annotations

import copy
import math
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

# Short names keep the heads of the functions on one line, as they are in a script.
Output = Any
State = Mapping[str, Tensor]
Tensors = Sequence[Tensor]

REFUSALS = (ValueError, TypeError, RuntimeError, IndexError, ArithmeticError, AssertionError)


def run(form: nn.Module, state: State, inputs: Tensors) -> Output:
    """Run a form with this state; buffers are copied, for a form may write into them."""
    state = {**dict(form.named_buffers()), **state}
    state = {name: value if value.requires_grad else value.clone() for name, value in state.items()}
    torch.manual_seed(0)  # For forms that draw numbers.
    return functional_call(form, state, tuple(inputs))


def call(form: nn.Module, inputs: Tensors) -> Output:
    """Run a form with the state of its own."""
    torch.manual_seed(0)  # For forms that draw numbers.
    output = form(*inputs)
    # It may be a view of a parameter that is written to later.
    return output.clone() if isinstance(output, Tensor) else tuple(one.clone() for one in output)


def module_in(name: str, file: str) -> ModuleType:
    """Load a file of layers as a module of this name."""
    loader = SourceFileLoader(name, file)
    module = module_from_spec(ModuleSpec(name, loader, origin=file))
    sys.modules[name] = module  # Where pickle looks for it.
    loader.exec_module(module)
    return module


def cast(state: State, dtype: torch.dtype) -> State:
    """Give the real values of a state this dtype."""
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in state.items()}


def load(form: nn.Module, state: State) -> None:
    """Copy values into the parameters and buffers of a form."""
    own = {**dict(form.named_parameters()), **dict(form.named_buffers())}
    with torch.no_grad():
        for name, value in state.items():
            own[name].copy_(value)


def show(name: str, output: Output) -> None:
    """Print a tensor, or several."""
    print(f"{name}:", *(one.detach() for one in tensors(output)))  # noqa: T201  (what a script is for)


def tensors(output: Output) -> Tensors:
    """Give a tensor, or several, as a sequence."""
    return [output] if isinstance(output, Tensor) else output


def agree(found: Output, expected: Output, tolerance: float) -> bool:
    """Whether shapes, dtypes and numbers are the same, up to a part of the largest number."""
    if not (isinstance(found, Tensor) and isinstance(expected, Tensor)):
        pairs = zip(tensors(found), tensors(expected), strict=False)
        alike = isinstance(found, Tensor) == isinstance(expected, Tensor) and len(found) == len(expected)
        return alike and all(agree(one, other, tolerance) for one, other in pairs)
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    largest = max(expected[expected.isfinite()].abs().tolist(), default=0) if tolerance else 0
    close = torch.isclose(found, expected, rtol=0, atol=tolerance * largest, equal_nan=True)
    return bool(close.all())


def differentiable(inputs: Tensors) -> Tensors:
    """Give the real inputs as leaves to differentiate in; indices stay as they are."""
    return [one.clone().requires_grad_() if one.is_floating_point() else one for one in inputs]


def pull_back(output: Output, cotangents: Tensors, leaves: Tensors, *, create_graph: bool = False) -> Tensors:
    """d<cotangents, output>/d leaf for every leaf; zeros where nothing depends on it."""
    pairs = [(y, c) for y, c in zip(tensors(output), cotangents, strict=True) if y.requires_grad]
    if not pairs or not leaves:
        return [torch.zeros_like(leaf) for leaf in leaves]
    outputs, weights = zip(*pairs, strict=True)
    options = {"create_graph": create_graph, "allow_unused": True, "materialize_grads": True}
    return list(torch.autograd.grad(outputs, leaves, weights, **options))


def stacked(rows: Sequence[Tensors]) -> Tensors:
    """Stack the first tensors of all rows, then the second ones, and so on."""
    return [torch.stack(column) for column in zip(*rows, strict=True)]


def transposed(x: Tensor) -> Tensor:
    """Lay the same numbers in memory with the first axis running fastest."""
    if x.ndim <= 1:
        return x.clone()
    return x.transpose(0, -1).clone(memory_format=torch.contiguous_format).transpose(0, -1)


def strided(x: Tensor) -> Tensor:
    """Lay the same numbers in memory with a gap after each."""
    return torch.stack([x, x], dim=-1).flatten(-2)[..., ::2] if x.ndim else x.clone()


def expanded(x: Tensor) -> Tensor:
    """Repeat the first slice, without memory for each."""
    return x[:1].clone().expand_as(x) if x.ndim and len(x) else x.clone()


def real_entries(inputs: Tensors) -> Iterator[tuple[int, int]]:
    """Give the place of every entry of every real input."""
    for place, x in enumerate(inputs):
        yield from ((place, entry) for entry in range(x.numel()) if x.is_floating_point())


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


def fresh(construct: Callable[[], nn.Module], carry: Callable[[State], State], count: int) -> State:
    """Construct a form again and again, and stack what it starts with, one row a construction."""
    states = []
    for _ in range(count):
        form = construct()
        own = {**dict(form.named_parameters()), **dict(form.named_buffers())}
        states.append(carry({name: value.detach() for name, value in own.items()}))
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def constants_apart(rows: Tensor, others: Tensor) -> list[list[int]]:
    """Give the entries that all constructions of both forms set, to one value here, to another there."""
    constant = (rows == rows[0]).all(0) & (others == others[0]).all(0)
    places: list[list[int]] = (constant & ~rows[0].isclose(others[0], rtol=1e-6, atol=0)).nonzero().tolist()
    return places


def samples(rows: Tensor, live: Tensor, *, independent: bool) -> dict[str, Tensor]:
    """Give samples of one fresh parameter: single entries, all together, and what whole slices show."""
    places = live.nonzero().tolist()
    found = {f"entry {place}": rows[:, *place] for place in places[:: 1 + len(places) // 48]}
    if independent:
        found["all entries"] = rows[:, live].flatten()
    found["norm"] = rows.flatten(1).norm(dim=1)
    for axis, name in enumerate(("row", "column") if live.ndim > 1 else ()):
        last = rows.select(axis + 1, -1).flatten(1)
        found[f"norm of the last {name}"] = last.norm(dim=1)
        found[f"zeros in the last {name}"] = (last == 0).sum(1).double()
    return found


def summary(draws: Tensor) -> str:
    """Say where draws lie."""
    low, high, mean, std = draws.min(), draws.max(), draws.double().mean(), draws.double().std()
    return f"from {low:.4g} to {high:.4g}, mean {mean:.4g}, std {std:.4g}"


def apart(draws: Tensor, others: Tensor) -> bool:
    """Whether two samples of n draws differ more than chance allows once in 10^9 times.

    The distribution functions of two samples of one distribution come apart by d with probability at most
    2 exp(-n d^2), and the 32 largest of all draws are in one sample with 2^-31.
    """
    ahead = max(lead(draws, others), lead(others, draws))
    alone = max(beyond(sign * draws, sign * others) for sign in (1, -1))
    alone = max(alone, *(beyond(sign * others, sign * draws) for sign in (1, -1)))
    return ahead > math.sqrt(math.log(2e9) / len(draws)) or alone >= 32  # noqa: PLR2004  (as said above)


def lead(draws: Tensor, others: Tensor) -> float:
    """Say how far one sample's distribution function runs ahead of the other's, but for rounding."""
    draws, others = draws.double().sort().values, others.double().sort().values
    steps = torch.arange(1, len(draws) + 1, dtype=torch.float64) / len(draws)
    reached = torch.searchsorted(others, draws + 1e-6 * draws.abs().max(), right=True)
    return float((steps - reached / len(others)).max())


def beyond(draws: Tensor, others: Tensor) -> int:
    """Count the draws that are larger than all others, but for rounding."""
    return int((draws > others.max() + 1e-6 * others.abs().max()).sum())


def apart_from(distribution: Any, draws: Tensor) -> bool:
    """Whether n draws leave a distribution's support, or differ more than chance allows once in 10^9 times.

    The distribution function of a sample comes apart from the true one by d with at most 2 exp(-2 n d^2). The
    squares of standard normal draws sum to n, up to 2 sqrt(n t) + 2 t with 2 exp(-t).
    """
    low, high = distribution.support
    unlikely = math.log(2e9)
    draws = draws.double().sort().values
    rounding = 1e-6 * draws.abs().max()
    if draws[0] < low - rounding or draws[-1] > high + rounding:
        return True
    if not distribution.variance:
        return False
    if math.isinf(high):
        squares = ((draws - distribution.mean).square() / distribution.variance).sum()
        if abs(squares - len(draws)) > 2 * math.sqrt(len(draws) * unlikely) + 2 * unlikely:
            return True
    steps = torch.arange(len(draws) + 1, dtype=torch.float64) / len(draws)
    expected = distribution.cdf(draws)
    ahead = torch.maximum(steps[1:] - expected, expected - steps[:-1]).max()
    return float(ahead) > math.sqrt(unlikely / (2 * len(draws)))
