"""What each torch operation does to integers: moves them, adds them, multiplies them, or compares them.

One line an operation. A name that is not here is unknown, and what it computes is never called exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

from torch import Tensor

from properties.oracle.bounds import Bound, Exact, Tainted, observed

Rule_ = Callable[[Sequence[Exact], tuple[Any, ...], Mapping[str, Any], Any], Bound]


@dataclass(frozen=True)
class Rule:
    """How an operation bounds its result, and whether it depends on the signs of what it compares."""

    bound: Rule_
    piecewise: bool = False
    forgets: bool = False
    """Whether the result does not depend on the values given (zeros_like, fill_)."""
    overwrites: bool = False
    """Whether the old values of its first tensor do not matter (copy_)."""


def rule_for(name: str) -> Rule | None:
    """Find the rule of an operation, in-place or not, by its name in torch.ops.aten."""
    return RULES.get(name) or RULES.get(name.removesuffix("_"))


def _join(sources: Sequence[Exact]) -> Exact:
    degree = max((source.degree for source in sources), default=0)
    return Exact(degree, max((source.weight for source in sources), default=1.0))


def _add(sources: Sequence[Exact]) -> Exact:
    return Exact(_join(sources).degree, sum(source.weight for source in sources) or 1.0)


def _multiply(sources: Sequence[Exact], terms: int = 1) -> Exact:
    weight = prod((source.weight for source in sources), start=float(max(1, terms)))
    return Exact(sum(source.degree for source in sources), weight)


def terms(name: str, args: Sequence[Any]) -> int:
    """Count the terms that an operation adds up for one entry of its result; 1 where it adds none."""
    name = name.removesuffix("_")
    if name in CONTRACTIONS:
        return _last_size(_tensor_arguments(args)[-2])
    if name in REDUCTIONS:
        place = REDUCTIONS[name]
        return _reduced(args[0], args[place] if len(args) > place else None)
    return _taps(args[1]) if name == "convolution" else 1


def _last_size(tensor: Tensor) -> int:
    return tensor.shape[-1] if tensor.ndim else 1


def _reduced(tensor: Tensor, axes: Any) -> int:
    """Count the entries of the axes that are reduced: one, several, or all."""
    if isinstance(axes, int) and not isinstance(axes, bool):
        axes = [axes]
    if not isinstance(axes, list | tuple) or not axes:
        return tensor.numel()
    return prod(tensor.shape[axis] for axis in axes) if tensor.ndim else 1


def _numbers(args: Sequence[Any]) -> float:
    return max([1.0, *(abs(float(arg)) for arg in args if isinstance(arg, int | float))])


def _move(sources: Sequence[Exact], *_: Any) -> Bound:
    """Copy values."""
    return _join(sources)


def _fill(sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], _: Any) -> Bound:
    """Copy values beside a number written in the call."""
    known = _join(sources)
    if not isfinite(_numbers([*args, *kwargs.values()])):
        return Tainted("a number that is not finite is written")
    return Exact(known.degree, max(known.weight, _numbers([*args, *kwargs.values()])))


def _loaded(_: Sequence[Exact], __: tuple[Any, ...], ___: Mapping[str, Any], result: Any) -> Bound:
    """Values from outside: read from a file or a copy of memory, or drawn by the form in this very run."""
    return observed(result)


def _unwritten(*_: Any) -> Bound:
    return Tainted("memory is read that was never written as a whole")


def _compare(*_: Any) -> Bound:
    return Exact(0, 1.0)


def _sum(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], result: Any) -> Bound:
    terms = max(1, args[0].numel() // max(1, result.numel()))
    return Exact(sources[0].degree, sources[0].weight * terms)


def _running_sum(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    return Exact(sources[0].degree, sources[0].weight * max(1, args[0].numel()))


def _plus(sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], _: Any) -> Bound:
    numbers = [float(arg) for arg in args if isinstance(arg, int | float)]
    scale = abs(float(kwargs.get("alpha", 1)))
    summed = _add([*sources, *(Exact(0, abs(number)) for number in numbers)])
    return Exact(summed.degree, summed.weight * max(1.0, scale))


def _times(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    if len(sources) == 1 and len(list(_tensor_arguments(args))) == 1:
        return Exact(sources[0].degree, sources[0].weight * _numbers(args[1:]))
    return _multiply(sources)


def _power(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    exponent = args[1]
    if not isinstance(exponent, int | float) or exponent != int(exponent) or exponent < 0:
        return Tainted("pow with an exponent that is no natural number")
    return _multiply([sources[0]] * int(exponent))


def _contract(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    left = list(_tensor_arguments(args))[-2]
    return _multiply(sources[-2:], left.shape[-1] if left.ndim else 1)


def _add_contract(
    sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any
) -> Bound:
    scale = _numbers([kwargs.get("beta", 1), kwargs.get("alpha", 1)])
    added = _add([sources[0], _contract_exact(sources, args, kwargs, result)])
    return Exact(added.degree, added.weight * scale)


def _contract_exact(
    sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any
) -> Exact:
    bound = _contract(sources, args, kwargs, result)
    assert isinstance(bound, Exact)  # noqa: S101  (two exact factors have an exact product)
    return bound


def _trilinear(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """Sum over two axes of a product of three tensors."""
    sizes = sorted(size for tensor in _tensor_arguments(args) for size in tensor.shape)
    return _multiply(sources, prod(sizes[-2:]))


def _convolve(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    return _add([_multiply(sources[:2], _taps(args[1])), *sources[2:]])


def _convolve_backward(
    sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any
) -> Bound:
    """Bound the gradients asked for, in input, weight and bias, by the largest."""
    gradient, weight, asked = args[0], args[2], args[-1]
    places = gradient.numel() // max(1, gradient.shape[1])
    bounds = (
        _multiply([sources[0], sources[2]], _taps(weight)),
        _multiply([sources[0], sources[1]], places),
        _multiply([sources[0]], places),
    )
    return _join([bound for bound, wanted in zip(bounds, asked, strict=True) if wanted])


def _taps(weight: Tensor) -> int:
    """Count the products in one output of a convolution, or of its transpose."""
    return max(weight.numel() // max(1, size) for size in weight.shape[:2])


def _put(sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> Bound:
    """Write values at places, or add them up there."""
    accumulate = kwargs.get("accumulate", len(args) > 3 and args[3])  # noqa: PLR2004  (its place in the call)
    return _scatter_sum(sources, args, kwargs, result) if accumulate else _join(sources)


def _add_product(sources: Sequence[Exact], _: tuple[Any, ...], kwargs: Mapping[str, Any], __: Any) -> Bound:
    added = _add([sources[0], _multiply(sources[1:])])
    return Exact(added.degree, added.weight * _numbers([kwargs.get("value", 1)]))


def _scatter_sum(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], result: Any) -> Bound:
    terms = max(1, *(tensor.numel() for tensor in _tensor_arguments(args)), result.numel())
    return Exact(_join(sources).degree, _add(sources).weight * terms)


def _bag(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """Add up rows of a table, each multiplied by a weight of its own."""
    if len(args) > MODE and args[MODE] != ADDED_UP:
        return Tainted("embedding_bag with another mode than sum")
    return _multiply([sources[0], sources[-1]], args[1].numel())


def _bag_pairs(sources: Sequence[Exact], args: tuple[Any, ...], _: Mapping[str, Any], __: Any) -> Bound:
    """Multiply two rows, and add up."""
    return _multiply(sources[:2], args[0].shape[1])


def _index_add(sources: Sequence[Exact], args: tuple[Any, ...], kwargs: Mapping[str, Any], _: Any) -> Bound:
    """Add to each entry at most one term for each index."""
    weight = sources[0].weight + args[2].numel() * sources[-1].weight * _numbers([kwargs.get("alpha", 1)])
    return Exact(_join(sources).degree, weight)


def _tensor_arguments(args: Any) -> list[Tensor]:
    return [arg for arg in args if isinstance(arg, Tensor)]


MOVES = """
    _reshape_alias _to_copy _unsafe_view alias as_strided as_strided_scatter block_diag cat clone
    contiguous detach diag_embed diagonal diagonal_backward diagonal_scatter embedding expand flip
    gather index index_select lift_fresh lift_fresh_copy masked_scatter masked_select
    movedim permute pixel_shuffle pixel_unshuffle repeat reshape resize roll scatter select
    select_backward select_scatter slice slice_backward slice_scatter split split_with_sizes squeeze
    stack t take transpose tril triu unbind unfold unsafe_split unsqueeze view neg
"""
FILLS = "arange constant_pad_nd index_fill masked_fill scalar_tensor where"
FACTORIES = "eye fill full full_like new_full new_ones new_zeros ones ones_like zero zeros zeros_like"
UNWRITTEN = "empty empty_like empty_strided new_empty new_empty_strided"
COMPARISONS = """
    all any argmax argmin bitwise_and bitwise_not bitwise_or eq equal ge gt isfinite isinf isnan le
    logical_and logical_not logical_or lt ne sign sgn nonzero _local_scalar_dense is_same_size
"""
CONTRACTIONS = {"mm", "bmm", "mv", "dot", "vdot", "matmul", "linear", "addmm", "baddbmm", "addmv", "addbmm"}
REDUCTIONS = {
    **dict.fromkeys(["sum", "mean", "var", "std", "var_mean", "cumsum", "prod", "cumprod"], 1),
    **dict.fromkeys(["linalg_vector_norm", "norm"], 2),
}
"""What adds up the entries of some axes, and the place of these axes in a call."""
CHOICES = "abs amax amin clamp clamp_max clamp_min max maximum min minimum relu threshold_backward sort"
CHOICES_OF_FLOATS = """
    bucketize ceil cummax cummin floor fmax fmin hardtanh hardtanh_backward kthvalue max_pool2d_with_indices
    max_pool3d_with_indices median mode nanmedian round searchsorted topk trunc _unique2 unique_dim
"""
"""Choices of which the exact oracle knows nothing."""

MODE, ADDED_UP = 4, 0
"""The place of the mode in a call of embedding_bag, and the mode that adds."""

RULES: dict[str, Rule] = {
    **dict.fromkeys(MOVES.split(), Rule(_move)),
    **dict.fromkeys(FILLS.split(), Rule(_fill)),
    **dict.fromkeys(FACTORIES.split(), Rule(_fill, forgets=True)),
    **dict.fromkeys(UNWRITTEN.split(), Rule(_unwritten)),
    **dict.fromkeys(COMPARISONS.split(), Rule(_compare, piecewise=True)),
    **dict.fromkeys(CHOICES.split(), Rule(_fill, piecewise=True)),
    **dict.fromkeys(["add", "sub", "rsub"], Rule(_plus)),
    **dict.fromkeys(["mm", "bmm", "mv", "dot", "matmul"], Rule(_contract)),
    **dict.fromkeys(["addmm", "baddbmm", "addmv"], Rule(_add_contract)),
    **dict.fromkeys(["scatter_add", "embedding_dense_backward"], Rule(_scatter_sum)),
    **dict.fromkeys(["_embedding_bag", "_embedding_bag_forward_only"], Rule(_bag)),
    "_embedding_bag_per_sample_weights_backward": Rule(_bag_pairs),
    "index_add": Rule(_index_add),
    "copy": Rule(_move, overwrites=True),
    **dict.fromkeys(["set", "randint"], Rule(_loaded, forgets=True)),
    "sum": Rule(_sum),
    "index_put": Rule(_put),
    "cumsum": Rule(_running_sum),
    "mul": Rule(_times),
    "pow": Rule(_power),
    "addcmul": Rule(_add_product),
    "_trilinear": Rule(_trilinear),
    "convolution": Rule(_convolve),
    "convolution_backward": Rule(_convolve_backward),
}

ROUND_NOTHING = frozenset(
    f"{MOVES} {FILLS} {FACTORIES} {UNWRITTEN} {COMPARISONS} {CHOICES} {CHOICES_OF_FLOATS} copy set".split()
)
"""What rounds no number: it moves, makes, compares or chooses."""
