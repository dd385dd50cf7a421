"""One call of every operation of the table, on numbers of one's choice; what it adds up has three terms."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

Draw = Callable[..., Tensor]
"""(*shape) -> numbers; (3, 3) where no shape is asked for."""
Arguments = tuple[Any, ...]

ROWS = torch.tensor([0, 1, 0])
PLACES = torch.tensor([[0, 2, 1], [1, 0, 2], [2, 1, 0]])
SAME_PLACE = torch.zeros(3, 3, dtype=torch.long)
MASK = torch.tensor([True, False, True])
STARTS = torch.tensor([0, 2])
BAGS = torch.tensor([0, 0, 1])
ONCE: Arguments = ([1], [0], [1], False, [0], 1)
"""A convolution along one axis: its stride, its padding, and so on."""
BY_TYPE: Mapping[str, Callable[[Draw], Any]] = {
    "Tensor": lambda x: x(),
    "List[Tensor]": lambda x: [x(), x()],
    "List[int]": lambda _: [1],
    "int": lambda _: 1,
    "number": lambda _: 2,
    "float": lambda _: 1.0,
    "bool": lambda _: False,
}
BY_NAME: Mapping[str, Callable[[Draw], Arguments]] = {
    "as_strided_scatter": lambda x: (x(), x(3), [3], [1]),
    "diagonal_backward": lambda x: (x(3), [3, 3], 0, 0, 1),
    "diagonal_scatter": lambda x: (x(), x(3)),
    "embedding": lambda x: (x(), PLACES),
    "expand": lambda x: (x(), [2, 3, 3]),
    "gather": lambda x: (x(), 0, PLACES),
    "index": lambda x: (x(), [ROWS]),
    "index_select": lambda x: (x(), 0, ROWS),
    "masked_scatter": lambda x: (x(), MASK, x()),
    "masked_select": lambda x: (x(), MASK),
    "permute": lambda x: (x(), [1, 0]),
    "pixel_shuffle": lambda x: (x(4, 3, 3), 2),
    "pixel_unshuffle": lambda x: (x(1, 4, 4), 2),
    "repeat": lambda x: (x(), [2, 1]),
    "reshape": lambda x: (x(), [9]),
    "scatter": lambda x: (x(), 0, PLACES[:1], x()),
    "select_backward": lambda x: (x(3), [3, 3], 0, 1),
    "select_scatter": lambda x: (x(), x(3), 0, 1),
    "slice_backward": lambda x: (x(2, 3), [3, 3], 0, 0, 2, 1),
    "slice_scatter": lambda x: (x(), x(1, 3), 0, 1, 2),
    "split_with_sizes": lambda x: (x(), [1, 2]),
    "take": lambda x: (x(), PLACES),
    "_unsafe_view": lambda x: (x(), [9]),
    "view": lambda x: (x(), [9]),
    "constant_pad_nd": lambda x: (x(), [1, 1]),
    "index_fill": lambda x: (x(), 0, ROWS, 2),
    "masked_fill": lambda x: (x(), MASK, 2),
    "where": lambda x: (MASK, x(), x()),
    "set": lambda x: (x(), x()),
    "randint": lambda _: (9, [3]),
    "bitwise_and": lambda _: (PLACES, PLACES),
    "bitwise_not": lambda _: (PLACES,),
    "bitwise_or": lambda _: (PLACES, PLACES),
    "_local_scalar_dense": lambda x: (x(1),),
    "clamp": lambda x: (x(), 1),
    "bucketize": lambda x: (x(), x(3)),
    "max_pool2d_with_indices": lambda x: (x(1, 4, 4), [2, 2]),
    "max_pool3d_with_indices": lambda x: (x(1, 4, 4, 4), [2, 2, 2]),
    "pow": lambda x: (x(), 2),
    "sum": lambda x: (x(), [1]),
    "mean": lambda x: (x(), [1]),
    "prod": lambda x: (x(), 1),
    "std": lambda x: (x(), [1]),
    "var": lambda x: (x(), [1]),
    "var_mean": lambda x: (x(), [1]),
    "linalg_vector_norm": lambda x: (x(), 2, [1]),
    "norm": lambda x: (x(), 2, [1]),
    "index_add": lambda x: (x(), 0, SAME_PLACE[0], x()),
    "index_put": lambda x: (x(), [ROWS], x(), True),
    "scatter_add": lambda x: (x(), 0, SAME_PLACE, x()),
    "embedding_dense_backward": lambda x: (x(), SAME_PLACE[0], 3, -1, False),
    "bmm": lambda x: (x(2, 3, 3), x(2, 3, 3)),
    "mv": lambda x: (x(), x(3)),
    "dot": lambda x: (x(3), x(3)),
    "vdot": lambda x: (x(3), x(3)),
    "baddbmm": lambda x: (x(2, 3, 3), x(2, 3, 3), x(2, 3, 3)),
    "addbmm": lambda x: (x(), x(2, 3, 3), x(2, 3, 3)),
    "addmv": lambda x: (x(3), x(), x(3)),
    "_trilinear": lambda x: (x(2, 3), x(4, 3, 5), x(2, 5), [1, 3], [0], [1, 2], [2, 3]),
    "convolution": lambda x: (x(2, 1, 4), x(1, 1, 3), x(1), *ONCE),
    "convolution_backward": lambda x: (x(1, 1, 3), x(1, 1, 5), x(1, 1, 3), [1], *ONCE, [True, True, True]),
    "_embedding_bag": lambda x: (x(), ROWS, STARTS, False, 0, False, x(3)),
    "_embedding_bag_forward_only": lambda x: (x(), ROWS, STARTS, False, 0, False, x(3)),
    "_embedding_bag_per_sample_weights_backward": lambda x: (x(2, 3), x(), ROWS, STARTS, BAGS, 0),
}
"""What a call takes where its types do not say it."""


def arguments(name: str, draw: Draw) -> Arguments:
    """Give what an operation takes, by its name, or by the types of its first signature."""
    if name in BY_NAME:
        return BY_NAME[name](draw)
    return tuple(BY_TYPE[one](draw) for one in required(name))


def required(name: str) -> Iterator[str]:
    """Give the types that the first signature of an operation asks for."""
    packet = getattr(torch.ops.aten, name)
    schema = getattr(packet, packet.overloads()[0])._schema
    return (str(one.type) for one in schema.arguments if not one.has_default_value())
