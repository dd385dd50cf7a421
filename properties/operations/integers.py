"""How operations bound integers: they move them, add them, multiply them, or compare them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, prod
from typing import Any

from properties.operations.bounds import Bound, Exact, Tainted, observed
from properties.operations.terms import contracted, taps, tensor_arguments

BoundRule = Callable[[Sequence[Exact], tuple[Any, ...], Mapping[str, Any], Any], Bound]
"""(bounds of the tensors given, args, kwargs, result) of one call -> the bound of its result."""
MODE, ADDED_UP = 4, 0
"""The place of the mode in a call of embedding_bag, and the mode that adds."""


def _join(sources: Sequence[Exact]) -> Exact:
    degree = max((source.degree for source in sources), default=0)
    return Exact(degree, max((source.weight for source in sources), default=1.0))


def _add(sources: Sequence[Exact]) -> Exact:
    return Exact(_join(sources).degree, sum(source.weight for source in sources) or 1.0)


def _multiply(sources: Sequence[Exact], terms: int = 1) -> Exact:
    weight = prod((source.weight for source in sources), start=float(max(1, terms)))
    return Exact(sum(source.degree for source in sources), weight)


def _numbers(args: Sequence[Any]) -> float:
    return max([1.0, *(abs(float(arg)) for arg in args if isinstance(arg, int | float))])


def move(sources: Sequence[Exact], *_: Any) -> Bound:
    """Copy values."""
    return _join(sources)


def fill(sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], _: Any) -> Bound:
    """Copy values beside a number written in the call."""
    known = _join(sources)
    if not isfinite(_numbers([*args, *kwargs.values()])):
        return Tainted("a number that is not finite is written")
    return Exact(known.degree, max(known.weight, _numbers([*args, *kwargs.values()])))


def loaded(_: Sequence[Exact], __: tuple[Any, ...], ___: Mapping[str, Any], result: Any) -> Bound:
    """Values from outside: read from a file or a copy of memory, or drawn by the form in this very run."""
    return observed(result)


def unwritten(*_: Any) -> Bound:
    """Give nothing that is known: memory is reserved, and nothing written there."""
    return Tainted("memory is read that was never written as a whole")


def compare(*_: Any) -> Bound:
    """Answer with 0 or 1, with a sign, or with a place."""
    return Exact(0, 1.0)


def total(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], result: Any) -> Bound:
    """Add up the entries of some axes."""
    terms = max(1, args[0].numel() // max(1, result.numel()))
    return Exact(sources[0].degree, sources[0].weight * terms)


def running_sum(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """Add up the entries before each, of one axis."""
    return Exact(sources[0].degree, sources[0].weight * max(1, args[0].numel()))


def plus(sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], _: Any) -> Bound:
    """x + alpha · y."""
    numbers = [float(arg) for arg in args if isinstance(arg, int | float)]
    scale = abs(float(kwargs.get("alpha", 1)))
    summed = _add([*sources, *(Exact(0, abs(number)) for number in numbers)])
    return Exact(summed.degree, summed.weight * max(1.0, scale))


def times(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """x · y, of tensors or with a number written in the call."""
    if len(sources) == 1 and len(tensor_arguments(args)) == 1:
        return Exact(sources[0].degree, sources[0].weight * _numbers(args[1:]))
    return _multiply(sources)


def power(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """x to the power of a number written in the call."""
    exponent = args[1]
    if not isinstance(exponent, int | float) or exponent != int(exponent) or exponent < 0:
        return Tainted("pow with an exponent that is no natural number")
    return _multiply([sources[0]] * int(exponent))


def contract(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """Σ_k x_ik · y_kj, over the last axis of the left."""
    return _multiply(sources[-2:], contracted(args))


def add_contract(
    sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any
) -> Bound:
    """beta · x + alpha · (y z), y and z contracted."""
    scale = _numbers([kwargs.get("beta", 1), kwargs.get("alpha", 1)])
    added = _add([sources[0], _contract_exact(sources, args, kwargs, result)])
    return Exact(added.degree, added.weight * scale)


def _contract_exact(
    sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any
) -> Exact:
    bound = contract(sources, args, kwargs, result)
    assert isinstance(bound, Exact)  # noqa: S101  (two exact factors have an exact product)
    return bound


def trilinear(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """Sum over two axes of a product of three tensors."""
    sizes = sorted(size for tensor in tensor_arguments(args) for size in tensor.shape)
    return _multiply(sources, prod(sizes[-2:]))


def convolve(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """Σ over the taps of signal · kernel, and a bias."""
    return _add([_multiply(sources[:2], taps(args[1])), *sources[2:]])


def convolve_backward(
    sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any
) -> Bound:
    """Bound the gradients asked for, in input, weight and bias, by the largest."""
    gradient, weight, asked = args[0], args[2], args[-1]
    places = gradient.numel() // max(1, gradient.shape[1])
    bounds = (
        _multiply([sources[0], sources[2]], taps(weight)),
        _multiply([sources[0], sources[1]], places),
        _multiply([sources[0]], places),
    )
    return _join([bound for bound, wanted in zip(bounds, asked, strict=True) if wanted])


def put(sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> Bound:
    """Write values at places, or add them up there."""
    accumulate = kwargs.get("accumulate", len(args) > 3 and args[3])  # noqa: PLR2004  (its place in the call)
    return scatter_sum(sources, args, kwargs, result) if accumulate else _join(sources)


def add_product(sources: Sequence[Exact], _: tuple[Any, ...], kwargs: Mapping[str, Any], __: Any) -> Bound:
    """x + value · y · z."""
    added = _add([sources[0], _multiply(sources[1:])])
    return Exact(added.degree, added.weight * _numbers([kwargs.get("value", 1)]))


def scatter_sum(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], result: Any) -> Bound:
    """Add up at places, as many at one as there are."""
    terms = max(1, *(tensor.numel() for tensor in tensor_arguments(args)), result.numel())
    return Exact(_join(sources).degree, _add(sources).weight * terms)


def bag(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """Add up rows of a table, each multiplied by a weight of its own."""
    if len(args) > MODE and args[MODE] != ADDED_UP:
        return Tainted("embedding_bag with another mode than sum")
    return _multiply([sources[0], sources[-1]], args[1].numel())


def bag_pairs(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """Multiply two rows, and add up."""
    return _multiply(sources[:2], args[0].shape[1])


def index_add(sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], _: Any) -> Bound:
    """Add to each entry at most one term for each index."""
    weight = sources[0].weight + args[2].numel() * sources[-1].weight * _numbers([kwargs.get("alpha", 1)])
    return Exact(_join(sources).degree, weight)
