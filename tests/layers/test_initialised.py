"""A layer filled by an initialiser of torch or of NumPy."""

import pickle
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.layers import initialisers, matrix_initialisers
from equivalence.layers.initialised import Initialised, from_numpy


def test_forward() -> None:
    """A convolution's weight is read as a matrix."""
    layer, x = Initialised((4, 2, 3), nn.init.xavier_normal_), torch.randn(5, 1, 6)
    torch.testing.assert_close(layer(x), functional.linear(x, layer.weight.reshape(4, 6)))
    with pytest.raises(ValueError, match=r"must be \(6\)"):
        layer(torch.randn(5, 2, 3))


def test_from_numpy_fills_in_place() -> None:
    """The options arrive, the dtype is the tensor's."""
    layer = Initialised((2, 3), from_numpy(initialisers.constant, value=0.5))
    assert torch.equal(layer.weight, torch.full((2, 3), 0.5))
    tall = Initialised((5, 3), from_numpy(matrix_initialisers.orthogonal)).weight
    torch.testing.assert_close(tall.T @ tall, torch.eye(3))


def test_the_seed_is_torchs() -> None:
    """One seed, one draw; the next draw is another."""
    draw = from_numpy(initialisers.normal)
    torch.manual_seed(0)
    first, second = Initialised((2, 3), draw), Initialised((2, 3), draw)
    torch.manual_seed(0)
    again = Initialised((2, 3), draw)
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, second.weight)


def test_pickle() -> None:
    """Neither the layer nor the initialiser holds what cannot be pickled."""
    draw = pickle.loads(pickle.dumps(from_numpy(initialisers.normal, std=2.0)))  # noqa: S301 (our own bytes)
    layer = Initialised((2, 3), draw)
    again = pickle.loads(pickle.dumps(layer))  # noqa: S301 (our own bytes)
    assert torch.equal(again.weight, layer.weight)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 3)])
@pytest.mark.parametrize("initialiser", [nn.init.uniform_, from_numpy(initialisers.kaiming_normal)])
def test_empty_shapes(initialiser: Callable[[Tensor], object], shape: tuple[int, ...]) -> None:
    """An empty weight is no reason to fail."""
    layer = Initialised(shape, initialiser)
    assert layer(torch.zeros(4, layer.in_features)).shape == (4, shape[0])


@pytest.mark.parametrize("shape", [(), (3,), (3, -1), (3, 1.0)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """A matrix at least, of integers."""
    with pytest.raises(ValueError, match="shape"):
        Initialised(shape, nn.init.zeros_)
