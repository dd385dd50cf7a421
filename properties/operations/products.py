"""How many multiply-adds operations take.

A multiply-add is one product of two real numbers, with the addition that takes it in where there is one. An
elementwise product counts one an element, whether or not a sum follows, and so does scaling by a Python
number. An addition or a sum without a product counts none, nor does a comparison, a choice, a move or a view,
a function of one number (sqrt, exp, tanh), or the arithmetic of integers and masks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from properties.operations.errors import UncountedOperationError

Arguments = tuple[Any, ...]
MEAN = 1
"""How a bag of embeddings calls its mode."""
Count = Callable[[Arguments, Mapping[str, Any], Any], int]
"""(args, kwargs, result) of one call -> products."""


class ProductRule(NamedTuple):
    """The products of one operation: all of them, and those without a zero among their factors."""

    dense: Count
    useful: Count


def _none(*_: Any) -> int:
    return 0


def _product(_: Arguments, __: Mapping[str, Any], result: Tensor) -> int:
    """One an element of the result; the factors of a mask or an index are no numbers."""
    return result.numel() if result.is_floating_point() else 0


def _live_product(_: Arguments, __: Mapping[str, Any], result: Tensor) -> int:
    """As many as are not zero, for then neither factor is."""
    return _live(result) if result.is_floating_point() else 0


def _two_products(_: Arguments, __: Mapping[str, Any], result: Tensor) -> int:
    """g · y · (1 - y), and g · (1 - y · y)."""
    return 2 * result.numel()


def _two_live_products(_: Arguments, __: Mapping[str, Any], result: Tensor) -> int:
    return 2 * _live(result)


def _added_product(_: Arguments, kwargs: Mapping[str, Any], result: Tensor) -> int:
    """x + value · y · z: one an element, and one more where the value is not 1."""
    return result.numel() * _factors_but_one(kwargs)


def _live_added_product(args: Arguments, kwargs: Mapping[str, Any], result: Tensor) -> int:
    return _live((args[1] * args[2]).expand_as(result)) * _factors_but_one(kwargs)


def _factors_but_one(kwargs: Mapping[str, Any]) -> int:
    return 1 if kwargs.get("value", 1) == 1 else 2


def _power(args: Arguments, _: Mapping[str, Any], result: Tensor) -> int:
    return result.numel() * _products_of_power(args[1])


def _live_power(args: Arguments, _: Mapping[str, Any], result: Tensor) -> int:
    return _live(result) * _products_of_power(args[1])


def _products_of_power(exponent: Any) -> int:
    """n - 1 for a natural number n; another power is a function of one number."""
    natural = isinstance(exponent, int | float) and exponent >= 1 and exponent == int(exponent)
    return int(exponent) - 1 if natural else 0


def _scaled_sum(_: Arguments, kwargs: Mapping[str, Any], result: Tensor) -> int:
    """x + alpha · y: nothing where alpha is 1."""
    return 0 if kwargs.get("alpha", 1) == 1 else _product((), {}, result)


def _contraction(args: Arguments, _: Mapping[str, Any], result: Tensor) -> int:
    """(m, k) times (k, n): m · n · k."""
    length: int = args[-2].shape[-1]
    return result.numel() * length


def _added_contraction(args: Arguments, kwargs: Mapping[str, Any], result: Tensor) -> int:
    """beta · x + alpha · (y z): one more an element for each scale that is not 1."""
    return _contraction(args, kwargs, result) + result.numel() * _scales(kwargs)


def _live_added_contraction(args: Arguments, kwargs: Mapping[str, Any], result: Tensor) -> int:
    return _live_contraction(args, kwargs, result) + _live(result) * _scales(kwargs)


def _scales(kwargs: Mapping[str, Any]) -> int:
    return sum(kwargs.get(name, 1) != 1 for name in ("beta", "alpha"))


def _scattered(_: Arguments, kwargs: Mapping[str, Any], __: Tensor) -> int:
    """Write values at places, which multiplies nothing; where they are multiplied in, it is not known."""
    if kwargs.get("reduce", "add") != "add":
        raise UncountedOperationError("scatter with reduce='multiply'")
    return 0


def _live_contraction(args: Arguments, _: Mapping[str, Any], __: Tensor) -> int:
    """Σ_k (entries alive in column k of the left) · (entries alive in row k of the right)."""
    left, right = (factor != 0 for factor in args[-2:])
    columns = left.sum(-2) if left.ndim > 1 else left
    rows = right.sum(-1) if right.ndim > 1 else right
    return int((columns * rows).sum())


def _convolution(args: Arguments, _: Mapping[str, Any], result: Tensor) -> int:
    """Each entry of the kernel at each position, those that meet the padding too."""
    kernel: Tensor = args[1]
    return kernel.numel() * _positions(args[0], result, transposed=args[6])


def _live_convolution(args: Arguments, _: Mapping[str, Any], result: Tensor) -> int:
    return _live(args[1]) * _positions(args[0], result, transposed=args[6])


def _convolution_backward(args: Arguments, _: Mapping[str, Any], __: Any) -> int:
    """As many as forward for the gradient of the input, and of the kernel; that of the bias is a sum."""
    kernel: Tensor = args[2]
    return _asked(args) * kernel.numel() * _positions(args[1], args[0], transposed=args[7])


def _live_convolution_backward(args: Arguments, _: Mapping[str, Any], __: Any) -> int:
    return _asked(args) * _live(args[2]) * _positions(args[1], args[0], transposed=args[7])


def _asked(args: Arguments) -> int:
    return sum(args[-1][:2])


def _positions(signal: Tensor, output: Tensor, *, transposed: bool) -> int:
    """(batch, channels, *positions): how often each entry of the kernel is used."""
    slid = signal if transposed else output
    return slid.numel() // max(1, slid.shape[1])


def _bag(args: Arguments, kwargs: Mapping[str, Any], result: Any) -> int:
    """Σ over the places of a bag of weight · row: one an entry of each row read; a mean scales its sum."""
    if _weights_of_bag(args, kwargs) is None:
        return result[0].numel() if args[4] == MEAN else 0
    places: Tensor = args[1]
    return places.numel() * int(args[0].shape[1])


def _live_bag(args: Arguments, kwargs: Mapping[str, Any], result: Any) -> int:
    weights = _weights_of_bag(args, kwargs)
    if weights is None:
        return _live(result[0]) if args[4] == MEAN else 0
    return int(((args[0] != 0).sum(1)[args[1]] * (weights != 0)).sum())


def _weights_of_bag(args: Arguments, kwargs: Mapping[str, Any]) -> Tensor | None:
    place = 6
    return args[place] if len(args) > place else kwargs.get("per_sample_weights")


def _bag_paired(args: Arguments, _: Mapping[str, Any], __: Tensor) -> int:
    """⟨gradient of the bag, row⟩ for each place: one an entry of each row read."""
    places: Tensor = args[2]
    return places.numel() * int(args[1].shape[1])


def _live_bag_paired(args: Arguments, _: Mapping[str, Any], __: Tensor) -> int:
    return _live(args[0][args[4]] * args[1][args[2]])


def _live(tensor: Tensor) -> int:
    return int(torch.count_nonzero(tensor))


FREE = ProductRule(_none, _none)
"""What multiplies nothing."""
PRODUCT = ProductRule(_product, _live_product)
TWO_PRODUCTS = ProductRule(_two_products, _two_live_products)
ADDED_PRODUCT = ProductRule(_added_product, _live_added_product)
SCALED_SUM = ProductRule(_scaled_sum, _scaled_sum)
POWER = ProductRule(_power, _live_power)
CONTRACTION = ProductRule(_contraction, _live_contraction)
ADDED_CONTRACTION = ProductRule(_added_contraction, _live_added_contraction)
CONVOLUTION = ProductRule(_convolution, _live_convolution)
CONVOLUTION_BACKWARD = ProductRule(_convolution_backward, _live_convolution_backward)
SCATTERED = ProductRule(_scattered, _scattered)
BAG = ProductRule(_bag, _live_bag)
PAIRS_OF_BAG = ProductRule(_bag_paired, _live_bag_paired)
