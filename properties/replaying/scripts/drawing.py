"""How a script compares what two forms start with: samples of many constructions, and what chance allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from properties.replaying.scripts.numbers import State

Side = tuple[Callable[[], nn.Module], Callable[[State], State]]
"""How a form is constructed, and how its parameters are carried."""


def living(form: nn.Module, dead: State) -> State:
    """Say of every entry of a form's parameters whether it lives."""
    return {
        name: ~dead.get(name, torch.zeros(value.shape, dtype=torch.bool))
        for name, value in form.named_parameters()
    }


def fresh(side: Side, count: int, alive: State) -> State:
    """Construct a form again and again, and stack what lives of it at first, one row a construction."""
    construct, carry = side
    states = []
    for _ in range(count):
        form = construct()
        own = {**dict(form.named_parameters()), **dict(form.named_buffers())}
        states.append(carry({name: value.detach() for name, value in own.items()}))
    return {name: torch.stack([state[name] * live for state in states]) for name, live in alive.items()}


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


def other_dtypes(sides: Iterable[Side]) -> str:
    """Say which parameter the candidate starts in a dtype that neither carry gives nor the reference has."""
    (reference, carry), (candidate, _) = sides
    form = reference()
    own = {**dict(form.named_parameters()), **dict(form.named_buffers())}
    carried = carry({name: value.detach() for name, value in own.items()})
    usual = {value.dtype for value in form.parameters()}
    for name, value in candidate().named_parameters():
        if value.is_floating_point() and value.dtype not in usual | {carried[name].dtype}:
            return f"{name} starts as {value.dtype}, that of the reference as {carried[name].dtype}"
    return ""


def other_draws(sides: Iterable[Side], claimed: str, seed: int, alive: State) -> str:
    """Say where the forms start with other numbers under one seed, though the same are claimed, or sorted."""
    if claimed == "any":
        return ""
    states = []
    for side in sides:
        torch.manual_seed(seed)
        states.append(fresh(side, 1, alive))
    for name in alive:
        one, other = (state[name].flatten() for state in states)
        if claimed == "permuted":
            one, other = one.sort().values, other.sort().values
        if not torch.equal(one, other):
            return f"{name} under one seed: reference {one[:4].tolist()}, candidate {other[:4].tolist()}"
    return ""


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
    if type(distribution).__name__ == "Normal":
        squares = ((draws - distribution.mean).square() / distribution.variance).sum()
        if abs(squares - len(draws)) > 2 * math.sqrt(len(draws) * unlikely) + 2 * unlikely:
            return True
    steps = torch.arange(len(draws) + 1, dtype=torch.float64) / len(draws)
    below, reached = distribution.cdf(draws - rounding), distribution.cdf(draws + rounding)
    ahead = torch.maximum(steps[1:] - reached, below - steps[:-1]).max()
    return float(ahead) > math.sqrt(unlikely / (2 * len(draws)))
