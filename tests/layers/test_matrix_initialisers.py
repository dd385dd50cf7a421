"""The initialisers that see a matrix, against torch's and against their defining property."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from equivalence.layers.initialisers import Array
from equivalence.layers.matrix_initialisers import dirac, eye, orthogonal, sparse


def generator() -> np.random.Generator:
    """Give the same generator to every test."""
    return np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (0, 3), (3, 0), (0, 0)])
def test_eye(shape: tuple[int, ...]) -> None:
    """The same ones as torch."""
    assert eye(shape, generator()).tolist() == nn.init.eye_(torch.empty(shape)).tolist()


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("shape", [(4, 3, 3), (2, 4, 2), (6, 2, 3, 4), (4, 4, 1, 2, 3), (0, 2, 3), (2, 0, 3)])
def test_dirac(shape: tuple[int, ...], groups: int) -> None:
    """The same ones as torch, for even kernels too."""
    theirs = nn.init.dirac_(torch.empty(shape), groups)
    assert dirac(shape, generator(), groups).tolist() == theirs.tolist()


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (3, 2, 4), (1, 1)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    """The rows, or the columns, are orthogonal and as long as the gain."""
    matrix = orthogonal(shape, generator(), gain=2.0).reshape(shape[0], -1)
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_orthogonal_is_uniform() -> None:
    """Without the sign fix the first entry would never be positive."""
    shared = generator()
    draws = np.array([orthogonal((2, 2), shared)[0, 0] for _ in range(2000)])
    assert abs(draws.mean()) < 0.06
    assert draws.std() == pytest.approx(np.sqrt(1 / 2), rel=0.05)


@pytest.mark.parametrize("sparsity", [0.0, 0.1, 0.5, 1.0])
def test_sparse(sparsity: float) -> None:
    """Every column has the same number of zeros, rounded up as in torch."""
    zeros = (sparse((7, 200), generator(), sparsity) == 0).sum(axis=0)
    theirs = (nn.init.sparse_(torch.empty(7, 200), sparsity) == 0).sum(dim=0)
    assert zeros.tolist() == theirs.tolist()


def test_sparse_spread() -> None:
    """What stays is N(0, std²)."""
    weight = sparse((40, 200), generator(), 0.5, std=3.0)
    assert weight[weight != 0].std() == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_empty_shapes(shape: tuple[int, ...]) -> None:
    """An empty weight is no reason to fail."""
    assert orthogonal(shape, generator()).shape == shape
    assert sparse(shape, generator(), 0.5).shape == shape


@pytest.mark.parametrize(
    ("function", "shape"), [(eye, (3,)), (dirac, (3, 3)), (orthogonal, (3,)), (sparse, (3,))]
)
def test_other_shapes_are_refused(function: Callable[..., Array], shape: tuple[int, ...]) -> None:
    """Each names the number of axes it needs."""
    options = {"sparsity": 0.5} if function is sparse else {}
    with pytest.raises(ValueError, match="must have from"):
        function(shape, generator(), **options)


def test_other_groups_are_refused() -> None:
    """They must divide the outputs."""
    with pytest.raises(ValueError, match="groups must divide"):
        dirac((3, 3, 3), generator(), 2)
