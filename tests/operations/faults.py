"""What is wrong with a line of the table: held against torch, and against the rest of the line."""

from collections.abc import Iterator
from itertools import chain, count, repeat
from typing import Any, TypeGuard

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from properties.operations import integers, products
from properties.operations.bounds import Bound, Exact, observed
from properties.operations.table import NOTHING, UNKNOWN, Operation
from properties.oracle.trees import tensors
from tests.operations.calls import Draw, arguments

BITS = 3
LARGEST = 2**BITS
TERMS = 3
"""So many terms are added up by each call that adds up any."""
NO_TERMS = {
    "_embedding_bag",
    "_embedding_bag_forward_only",
    "_embedding_bag_per_sample_weights_backward",
    "_trilinear",
    "embedding_dense_backward",
    "index_add",
    "index_put",
    "randint",
    "rsub",
    "scatter_add",
}
"""What torch does not call pointwise, though it adds up nothing, or terms that nobody counts."""
COPIES = (integers.move, integers.fill)


def faults(name: str, line: Operation) -> Iterator[str]:
    """Say what is wrong."""
    if not hasattr(torch.ops.aten, name):
        yield "no operation of torch"
    elif line == NOTHING:
        yield "says nothing"
    elif line.bound is integers.unwritten or name == "randint":
        # Memory and draws hold other numbers each time.
        yield from _wrong_rounding(name, line, rounded=name == "randint")
    else:
        yield from _wrong_rounding(name, line, rounded=_rounds(name))
        yield from _wrong_bound(name, line)
        yield from _wrong_reading(name, line)


def _wrong_rounding(name: str, line: Operation, *, rounded: bool) -> Iterator[str]:
    if line.rounds != rounded:
        yield "rounds" if rounded else "rounds nothing"
    if not line.rounds and line.products not in (products.FREE, products.SCATTERED, UNKNOWN):
        yield "multiplies where it rounds nothing"
    if line.terms(arguments(name, _reals())) != _terms(name, line):
        yield "adds up another number of terms"


def _wrong_bound(name: str, line: Operation) -> Iterator[str]:
    if line.bound is None:
        return
    for draw in (_integers, lambda: _filled(LARGEST), lambda: _filled(LARGEST, -LARGEST, LARGEST)):
        args, result = arguments(name, draw()), _computed(name, draw())
        bound = _bound(line, args, result)
        if not _holds(bound, result):
            yield "goes beyond its bound"
        elif line.rounds and line.products and _multiplies(line.products, args, result) != (bound.degree > 1):
            yield "counts products where the degree stays, or none where it grows"


def _multiplies(rule: products.ProductRule, args: Any, result: Any) -> bool:
    return rule.dense(args, {}, result) > 0


def _wrong_reading(name: str, line: Operation) -> Iterator[str]:
    """Say whether a copy chooses by value, or needs no values, and does not say so."""
    if line.bound in COPIES and line.piecewise == _affine(name):
        yield "chooses by value, or does not"
    if line.bound not in COPIES or line.piecewise:
        return
    given = sum(one.is_floating_point() for one in tensors(arguments(name, _filled(1))))
    if given and line.forgets != _alike(name, [1], [2]):
        yield "forgets, or does not"
    if given > 1 and line.overwrites != _alike(name, [1, 3], [2, 3]):
        yield "overwrites, or does not"


def _reals() -> Draw:
    """Draw numbers of float32 that use the whole of its significand."""
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: 10 * torch.rand(shape or (3, 3), generator=generator)


def _integers() -> Draw:
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randint(-LARGEST, LARGEST + 1, shape or (3, 3), generator=generator).double()


def _filled(*numbers: float) -> Draw:
    """Fill one tensor after the other with a number of its own, and all that follow with the last."""
    following = chain(numbers, repeat(numbers[-1]))
    return lambda *shape: torch.full(shape or (3, 3), next(following), dtype=torch.float64)


def _ramp(scale: int) -> Draw:
    """Draw scale · (4, -5, 6, …): no two of one size, of both signs."""
    sizes = count(4)

    def draw(*shape: int) -> Tensor:
        drawn = torch.empty(shape or (3, 3), dtype=torch.float64)
        numbers = [scale * (-1) ** size * size for size, _ in zip(sizes, range(drawn.numel()), strict=False)]
        return drawn.copy_(torch.tensor(numbers).reshape(drawn.shape))

    return draw


def _computed(name: str, draw: Draw) -> Any:
    return getattr(torch.ops.aten, name)(*arguments(name, draw))


def _alike(name: str, *numbers: list[float]) -> bool:
    return _equal(*(_computed(name, _filled(*given)) for given in numbers))


def _equal(left: Any, right: Any) -> bool:
    pairs = zip(tree_leaves(left), tree_leaves(right), strict=True)
    return all(torch.equal(a, b) if isinstance(a, Tensor) else a == b for a, b in pairs)


def _widened(tree: Any) -> Any:
    return tree_map_only(Tensor, lambda x: x.double() if x.is_floating_point() else x, tree)


def _rounds(name: str) -> bool:
    """Whether an operation gives other numbers in float64 than in float32."""
    operation, args = getattr(torch.ops.aten, name), arguments(name, _reals())
    return not _equal(_widened(operation(*args)), operation(*_widened(args)))


def _terms(name: str, line: Operation) -> int:
    """Count the terms that a call adds up, by what torch says of the operation."""
    packet = getattr(torch.ops.aten, name)
    pointwise = torch.Tag.pointwise in getattr(packet, packet.overloads()[0]).tags
    return 1 if pointwise or not line.rounds or name in NO_TERMS else TERMS


def _affine(name: str) -> bool:
    """Whether f(x) + f(-x) = 2 f(0) and f(2x) + f(0) = 2 f(x)."""
    found = (tree_leaves(_computed(name, _ramp(scale))) for scale in (0, 1, -1, 2))
    return all(_straight(*map(torch.as_tensor, leaves)) for leaves in zip(*found, strict=True))


def _straight(zero: Tensor, plus: Tensor, minus: Tensor, twice: Tensor) -> bool:
    return torch.equal(plus + minus, 2 * zero) and torch.equal(twice + zero, 2 * plus)


def _bound(line: Operation, args: Any, result: Any) -> Bound:
    """Bound a result, where what is drawn is bounded by 2^BITS."""
    assert line.bound
    sources = [Exact(1, 1.0) if x.is_floating_point() else observed(x) for x in tensors(args)]
    read = [] if line.forgets else sources[line.overwrites :]
    return line.bound([x for x in read if isinstance(x, Exact)], args, {}, result)


def _holds(bound: Bound, result: Any) -> TypeGuard[Exact]:
    """Whether a result consists of integers within its bound."""
    real = [x for x in tensors(result) if x.is_floating_point()]
    return isinstance(bound, Exact) and all(
        torch.equal(x, x.round()) and x.abs().max().item() <= bound.at(BITS) for x in real
    )
