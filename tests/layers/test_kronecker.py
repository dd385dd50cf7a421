"""The dense layer of a shared weight against the shared weight."""

import pytest
import torch
from torch.nn import functional

from equivalence.layers.kronecker import KroneckerLinear, shared_matrix


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(2, 3, 4), (1, 1, 1), (0, 3, 4), (2, 0, 4), (2, 3, 0), (0, 0, 0)])
def test_fresh_layer_is_linear_on_every_row(
    size: tuple[int, ...], *, bias: bool, leading: tuple[int, ...]
) -> None:
    """It starts as one Linear(in_features, out_features), read off its first block."""
    rows, in_features, out_features = size
    layer = KroneckerLinear(rows, in_features, out_features, bias).double()
    x = torch.randn(*leading, rows, in_features, dtype=torch.float64)
    weight = layer.dense.weight[:out_features, :in_features]
    y = layer(x)
    assert y.shape == (*leading, rows, out_features)
    if rows:
        shared_bias = layer.dense.bias[:out_features] if bias else None
        torch.testing.assert_close(y, functional.linear(x, weight, shared_bias))


def test_fresh_layer_holds_the_draws_of_linear() -> None:
    """Under one seed the first block is Linear's weight."""
    torch.manual_seed(0)
    layer = KroneckerLinear(2, 3, 4)
    torch.manual_seed(0)
    linear = torch.nn.Linear(3, 4)
    assert torch.equal(layer.dense.weight, shared_matrix(linear.weight, 2))
    assert torch.equal(layer.dense.bias, torch.cat([linear.bias, linear.bias]))


def test_what_is_drawn_after_it_is_drawn_as_after_linear() -> None:
    torch.manual_seed(0)
    KroneckerLinear(2, 3, 4)
    after = torch.rand(5)
    torch.manual_seed(0)
    torch.nn.Linear(3, 4)
    assert torch.equal(after, torch.rand(5))


def test_shared_matrix() -> None:
    """The weight on the diagonal, zeros elsewhere."""
    expected = [[1.0, 2.0, 0.0, 0.0], [0.0, 0.0, 1.0, 2.0]]
    assert shared_matrix(torch.tensor([[1.0, 2.0]]), 2).tolist() == expected


def test_dense_is_one_linear() -> None:
    """The parameters are those of one dense Linear."""
    layer = KroneckerLinear(2, 3, 4)
    shapes = {name: tuple(value.shape) for name, value in layer.named_parameters()}
    assert shapes == {"dense.weight": (8, 6), "dense.bias": (8,)}
    assert isinstance(layer.dense, torch.nn.Linear)


@pytest.mark.parametrize("shape", [(2, 6), (6,), (3, 2), (1, 3)])
def test_other_inputs_are_refused(shape: tuple[int, ...]) -> None:
    """No row may miss, and none is broadcast."""
    with pytest.raises(ValueError, match=r"must be \(2, 3\)"):
        KroneckerLinear(2, 3, 4)(torch.zeros(shape))
