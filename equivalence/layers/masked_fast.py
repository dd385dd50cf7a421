"""Linear with connections taken away, which keeps and computes the live ones alone."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from equivalence.layers.affine import Affine
from equivalence.layers.connections import Blocks, Connections
from equivalence.layers.sparse_product import sparse_product
from equivalence.layers.validation import check_mask, check_size, flatten_leading


class LiveLinear(Affine):
    """y_o = Σ_{i: mask_oi} x_i · w_oi + b_o, (*batch, in_features) -> (*batch, out_features).

    mask is (out_features, in_features), of bool or of 0 and 1. weight holds one number for each live
    connection, output by output: memory and multiply-adds grow with these alone, and neither the masked
    weight nor the terms of a sum are ever written. It starts, and raises, as MaskedLinear does.
    """

    in_index: Tensor
    out_index: Tensor
    out_starts: Tensor
    by_input: Tensor
    in_starts: Tensor

    def __init__(self, mask: Tensor, bias: bool = True) -> None:
        check_mask(mask)
        out_features, in_features = mask.shape
        connections = Connections.of(mask != 0)
        super().__init__((in_features,), connections.in_index.shape, out_features, bias)
        for name, index in vars(connections).items():
            self.register_buffer(name, index)
        self.register_load_state_dict_pre_hook(_make_room)  # type: ignore[no-untyped-call]

    def product(self, x: Tensor) -> Tensor:
        """Σ_{i: mask_oi} x_i · w_oi, the rows of the input side by side."""
        columns = flatten_leading(x, trailing=1).mT
        indices = self.in_index, self.out_index, self.out_starts, self.by_input, self.in_starts
        y = sparse_product(self.weight, columns, Connections(*indices))
        return y.mT.reshape(*x.shape[:-1], self.out_features)


class BlockLinear(Affine):
    """y = x Wᵀ + b, W zero but for its live blocks, (*batch, in_features) -> (*batch, out_features).

    mask is (out_blocks, in_blocks), of bool or of 0 and 1, and says which blocks of size block_size =
    (outputs, inputs) live; weight is (live blocks, outputs, inputs), block row by block row. It starts as
    MaskedLinear does. Raises ValueError for another mask, a size that is no integer of at least 0, or an
    input with another last axis; TypeError for an input with another dtype.
    """

    out_index: Tensor
    in_index: Tensor

    def __init__(self, mask: Tensor, block_size: tuple[int, int], bias: bool = True) -> None:
        check_mask(mask)
        outputs, inputs = block_size
        check_size("block_size[0]", outputs)
        check_size("block_size[1]", inputs)
        out_index, in_index = mask.nonzero(as_tuple=True)
        shape = (len(in_index), outputs, inputs)
        super().__init__((mask.shape[1] * inputs,), shape, mask.shape[0] * outputs, bias)
        self.grid = (mask.shape[0], mask.shape[1])
        self.register_buffer("out_index", out_index)
        self.register_buffer("in_index", in_index)
        self.register_load_state_dict_pre_hook(_make_room)  # type: ignore[no-untyped-call]

    def product(self, x: Tensor) -> Tensor:
        """X Wᵀ, the live blocks of a few block rows at a time."""
        columns = flatten_leading(x, trailing=1).mT
        outputs, inputs = self.weight.shape[1:]
        blocks = Blocks(self.out_index, self.in_index, self.grid, (outputs, inputs))
        y = sparse_product(self.weight, columns, blocks)
        return y.mT.reshape(*x.shape[:-1], self.out_features)


AS_LONG_AS_ALIVE = ("weight", "in_index", "out_index", "by_input")


def _make_room(layer: Affine, state: Mapping[str, Tensor], prefix: str, *_: object) -> None:
    # Which connections live is part of the state, and how many with it.
    for name in AS_LONG_AS_ALIVE:
        own, loaded = getattr(layer, name, None), state.get(prefix + name)
        if own is not None and loaded is not None and loaded.shape[1:] == own.shape[1:]:
            own.data = own.data.new_empty(loaded.shape)
