"""What is known of each torch operation, by its name in torch.ops.aten. One line an operation.

An operation in place shares the line of the one that is not. Of an operation without a line nothing is known:
what it computes is never called exact, its products are not counted, and it rounds.
"""

from __future__ import annotations

from dataclasses import dataclass

from properties.operations import integers, products
from properties.operations.integers import BoundRule
from properties.operations.products import ProductRule
from properties.operations.terms import Terms, contracted, convolved, convolved_back, normed, one, reduced

UNKNOWN = None


@dataclass(frozen=True)
class Operation:
    """What is known of an operation; UNKNOWN where nothing is."""

    bound: BoundRule | None
    """How it bounds its result, given integers."""
    products: ProductRule | None
    """How many products it takes."""
    terms: Terms = one
    """How many terms it adds up for one entry of its result."""
    rounds: bool = True
    """Whether it rounds: what moves, makes, compares or chooses numbers does not."""
    piecewise: bool = False
    """Whether its result depends on the signs of what it compares."""
    forgets: bool = False
    """Whether its result does not depend on the values given (zeros_like, fill_)."""
    overwrites: bool = False
    """Whether the old values of its first tensor do not matter (copy_)."""


def known(name: str) -> Operation:
    """Return what is known of an operation, in-place or not."""
    return OPERATIONS.get(name.removesuffix("_"), NOTHING)


NOTHING = Operation(UNKNOWN, UNKNOWN)
MOVE = Operation(integers.move, products.FREE, rounds=False)
FILL = Operation(integers.fill, products.FREE, rounds=False)
"""What moves values and writes a number of the call beside them."""
FACTORY = Operation(integers.fill, products.FREE, rounds=False, forgets=True)
RESERVATION = Operation(integers.unwritten, products.FREE, rounds=False)
COMPARISON = Operation(integers.compare, products.FREE, rounds=False, piecewise=True)
CHOICE = Operation(integers.fill, products.FREE, rounds=False, piecewise=True)
CHOICE_OF_FLOATS = Operation(UNKNOWN, UNKNOWN, rounds=False)
"""A choice of which no more is known than that it rounds nothing."""
FUNCTION = Operation(UNKNOWN, products.FREE)
"""A function of one number."""

OPERATIONS: dict[str, Operation] = {
    # Moves.
    "alias": MOVE,
    "as_strided": MOVE,
    "as_strided_scatter": MOVE,
    "block_diag": MOVE,
    "cat": MOVE,
    "clone": MOVE,
    "contiguous": MOVE,
    "detach": MOVE,
    "diag_embed": MOVE,
    "diagonal": MOVE,
    "diagonal_backward": MOVE,
    "diagonal_scatter": MOVE,
    "embedding": MOVE,
    "expand": MOVE,
    "flip": MOVE,
    "gather": MOVE,
    "index": MOVE,
    "index_select": MOVE,
    "lift_fresh": MOVE,
    "lift_fresh_copy": MOVE,
    "masked_scatter": MOVE,
    "masked_select": MOVE,
    "movedim": MOVE,
    "neg": MOVE,
    "permute": MOVE,
    "pixel_shuffle": MOVE,
    "pixel_unshuffle": MOVE,
    "repeat": MOVE,
    "reshape": MOVE,
    "_reshape_alias": MOVE,
    "resize": MOVE,
    "roll": MOVE,
    "select": MOVE,
    "select_backward": MOVE,
    "select_scatter": MOVE,
    "slice": MOVE,
    "slice_backward": MOVE,
    "slice_scatter": MOVE,
    "split": MOVE,
    "split_with_sizes": MOVE,
    "squeeze": MOVE,
    "stack": MOVE,
    "t": MOVE,
    "take": MOVE,
    "_to_copy": MOVE,
    "transpose": MOVE,
    "tril": MOVE,
    "triu": MOVE,
    "unbind": MOVE,
    "unfold": MOVE,
    "unsafe_split": MOVE,
    "_unsafe_view": MOVE,
    "unsqueeze": MOVE,
    "view": MOVE,
    "copy": Operation(integers.move, products.FREE, rounds=False, overwrites=True),
    "scatter": Operation(integers.move, products.SCATTERED, rounds=False),
    # Makes numbers, or moves them beside numbers of the call.
    "arange": FILL,
    "constant_pad_nd": FILL,
    "index_fill": FILL,
    "masked_fill": FILL,
    "scalar_tensor": FILL,
    "where": FILL,
    "eye": FACTORY,
    "fill": FACTORY,
    "full": FACTORY,
    "full_like": FACTORY,
    "new_full": FACTORY,
    "new_ones": FACTORY,
    "new_zeros": FACTORY,
    "ones": FACTORY,
    "ones_like": FACTORY,
    "zero": FACTORY,
    "zeros": FACTORY,
    "zeros_like": FACTORY,
    "empty": RESERVATION,
    "empty_like": RESERVATION,
    "empty_strided": RESERVATION,
    "new_empty": RESERVATION,
    "new_empty_strided": RESERVATION,
    "set": Operation(integers.loaded, products.FREE, rounds=False, forgets=True),
    "randint": Operation(integers.loaded, products.FREE, forgets=True),
    # Comparisons and choices.
    "all": COMPARISON,
    "any": COMPARISON,
    "argmax": COMPARISON,
    "argmin": COMPARISON,
    "bitwise_and": COMPARISON,
    "bitwise_not": COMPARISON,
    "bitwise_or": COMPARISON,
    "eq": COMPARISON,
    "equal": COMPARISON,
    "ge": COMPARISON,
    "gt": COMPARISON,
    "is_same_size": COMPARISON,
    "isfinite": COMPARISON,
    "isinf": COMPARISON,
    "isnan": COMPARISON,
    "le": COMPARISON,
    "_local_scalar_dense": COMPARISON,
    "logical_and": COMPARISON,
    "logical_not": COMPARISON,
    "logical_or": COMPARISON,
    "lt": COMPARISON,
    "ne": COMPARISON,
    "nonzero": COMPARISON,
    "sgn": COMPARISON,
    "sign": COMPARISON,
    "abs": CHOICE,
    "amax": CHOICE,
    "amin": CHOICE,
    "clamp": CHOICE,
    "clamp_max": CHOICE,
    "clamp_min": CHOICE,
    "max": CHOICE,
    "maximum": CHOICE,
    "min": CHOICE,
    "minimum": CHOICE,
    "relu": CHOICE,
    "sort": CHOICE,
    "threshold_backward": CHOICE,
    "bucketize": CHOICE_OF_FLOATS,
    "ceil": CHOICE_OF_FLOATS,
    "cummax": CHOICE_OF_FLOATS,
    "cummin": CHOICE_OF_FLOATS,
    "floor": CHOICE_OF_FLOATS,
    "fmax": CHOICE_OF_FLOATS,
    "fmin": CHOICE_OF_FLOATS,
    "hardtanh": CHOICE_OF_FLOATS,
    "hardtanh_backward": CHOICE_OF_FLOATS,
    "kthvalue": CHOICE_OF_FLOATS,
    "max_pool2d_with_indices": CHOICE_OF_FLOATS,
    "max_pool3d_with_indices": CHOICE_OF_FLOATS,
    "median": CHOICE_OF_FLOATS,
    "mode": CHOICE_OF_FLOATS,
    "nanmedian": CHOICE_OF_FLOATS,
    "round": CHOICE_OF_FLOATS,
    "searchsorted": CHOICE_OF_FLOATS,
    "topk": CHOICE_OF_FLOATS,
    "trunc": CHOICE_OF_FLOATS,
    "_unique2": CHOICE_OF_FLOATS,
    "unique_dim": CHOICE_OF_FLOATS,
    # One number at a time.
    "add": Operation(integers.plus, products.SCALED_SUM),
    "rsub": Operation(integers.plus, products.SCALED_SUM),
    "sub": Operation(integers.plus, products.SCALED_SUM),
    "mul": Operation(integers.times, products.PRODUCT),
    "div": Operation(UNKNOWN, products.PRODUCT),
    "pow": Operation(integers.power, products.POWER),
    "addcmul": Operation(integers.add_product, products.ADDED_PRODUCT),
    "exp": FUNCTION,
    "log": FUNCTION,
    "reciprocal": FUNCTION,
    "rsqrt": FUNCTION,
    "sigmoid": FUNCTION,
    "sqrt": FUNCTION,
    "tanh": FUNCTION,
    "sigmoid_backward": Operation(UNKNOWN, products.TWO_PRODUCTS),
    "tanh_backward": Operation(UNKNOWN, products.TWO_PRODUCTS),
    # Sums.
    "sum": Operation(integers.total, products.FREE, terms=reduced),
    "cumsum": Operation(integers.running_sum, products.FREE, terms=reduced),
    "mean": Operation(UNKNOWN, products.PRODUCT, terms=reduced),
    "cumprod": Operation(UNKNOWN, UNKNOWN, terms=reduced),
    "prod": Operation(UNKNOWN, UNKNOWN, terms=reduced),
    "std": Operation(UNKNOWN, UNKNOWN, terms=reduced),
    "var": Operation(UNKNOWN, UNKNOWN, terms=reduced),
    "var_mean": Operation(UNKNOWN, UNKNOWN, terms=reduced),
    "linalg_vector_norm": Operation(UNKNOWN, UNKNOWN, terms=normed),
    "norm": Operation(UNKNOWN, UNKNOWN, terms=normed),
    "index_add": Operation(integers.index_add, products.FREE),
    "index_put": Operation(integers.put, products.FREE),
    "scatter_add": Operation(integers.scatter_sum, products.FREE),
    "embedding_dense_backward": Operation(integers.scatter_sum, products.FREE),
    # Sums of products.
    "mm": Operation(integers.contract, products.CONTRACTION, terms=contracted),
    "bmm": Operation(integers.contract, products.CONTRACTION, terms=contracted),
    "mv": Operation(integers.contract, products.CONTRACTION, terms=contracted),
    "dot": Operation(integers.contract, products.CONTRACTION, terms=contracted),
    "addmm": Operation(integers.add_contract, products.ADDED_CONTRACTION, terms=contracted),
    "baddbmm": Operation(integers.add_contract, products.ADDED_CONTRACTION, terms=contracted),
    "addmv": Operation(integers.add_contract, products.ADDED_CONTRACTION, terms=contracted),
    "matmul": Operation(integers.contract, UNKNOWN, terms=contracted),
    "addbmm": Operation(UNKNOWN, UNKNOWN, terms=contracted),
    "linear": Operation(UNKNOWN, UNKNOWN, terms=contracted),
    "vdot": Operation(UNKNOWN, UNKNOWN, terms=contracted),
    "_trilinear": Operation(integers.trilinear, UNKNOWN),
    "convolution": Operation(integers.convolve, products.CONVOLUTION, terms=convolved),
    "convolution_backward": Operation(
        integers.convolve_backward, products.CONVOLUTION_BACKWARD, terms=convolved_back
    ),
    "_embedding_bag": Operation(integers.bag, products.BAG),
    "_embedding_bag_forward_only": Operation(integers.bag, products.BAG),
    "_embedding_bag_per_sample_weights_backward": Operation(integers.bag_pairs, products.PAIRS_OF_BAG),
}
