"""What every form owes as a module, the wrong ones included."""

import copy
import pickle

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from equivalence.layers import (
    identity,
    initialised,
    kronecker,
    linear,
    local,
    masked,
    masked_fast,
    masked_wrong,
    sharing,
    two_d_fc,
)

MASK = torch.tensor([[1, 0, 1], [0, 1, 0]]).bool()

FORMS: list[tuple[nn.Module, tuple[int, ...]]] = [
    (two_d_fc.TwoDFC((2, 3), 4), (2, 3)),
    (two_d_fc.NormalTwoDFC((2, 3), 4), (2, 3)),
    (two_d_fc.NormalBiasTwoDFC((2, 3), 4), (2, 3)),
    (two_d_fc.UnvalidatedTwoDFC((2, 3), 4), (2, 3)),
    (two_d_fc.EinsumTwoDFC((2, 3), 4), (2, 3)),
    (two_d_fc.TensordotTwoDFC((2, 3), 4), (2, 3)),
    (two_d_fc.FlattenMatmulTwoDFC((2, 3), 4), (2, 3)),
    (two_d_fc.ConvolutionTwoDFC((2, 3), 4), (2, 3)),
    (two_d_fc.OutputMajorTwoDFC((2, 3), 4), (2, 3)),
    (linear.RowwiseLinear(3, 2), (3,)),
    (linear.FlattenLinear(3, 2), (3,)),
    (linear.EinsumLinear(3, 2), (3,)),
    (linear.PointwiseConvolutionLinear(3, 2), (3,)),
    (kronecker.KroneckerLinear(2, 3, 2), (2, 3)),
    (identity.IdentityLinear(3), (3,)),
    (identity.IdentityConvolution(2, 3), (2, 4)),
    (masked.MaskedLinear(MASK), (3,)),
    (masked.WhereMaskedLinear(MASK), (3,)),
    (masked.SparseLinear(MASK), (3,)),
    (masked_fast.LiveLinear(MASK), (3,)),
    (masked_fast.BlockLinear(MASK, (2, 3)), (9,)),
    (masked_wrong.ZeroedLinear(MASK), (3,)),
    (masked_wrong.OutputMaskLinear(MASK), (3,)),
    (masked_wrong.InputMaskLinear(MASK), (3,)),
    (masked_wrong.AttributeMaskLinear(MASK), (3,)),
    (local.LocalLinear(2, 3, 2), (6,)),
    (local.GroupedReshapeLinear(2, 3, 2), (6,)),
    (local.GroupedConvolutionLinear(2, 3, 2), (6,)),
    (local.BatchedLocalLinear(2, 3, 2), (6,)),
    (local.BatchedLocalLinear(2, 16, 2), (32,)),
    (local.MatmulReshapeLinear(3), (6,)),
    (local.TransposedBlockLinear(2, 3, 3), (6,)),
    (sharing.SharedMLP(3, 4, 2), (3,)),
    (sharing.UnrolledMLP(3, 4, 2), (3,)),
    (sharing.ParallelBlock(3, 4, 2, 2), (3,)),
    (sharing.WideNet(3, 4, 2, 2), (3,)),
    (initialised.Initialised((2, 3), nn.init.normal_), (3,)),
]
NAMES = [type(layer).__name__ for layer, _ in FORMS]

every_form = pytest.mark.parametrize(("layer", "shape"), FORMS, ids=NAMES)


@every_form
def test_copies_compute_the_same(layer: nn.Module, shape: tuple[int, ...]) -> None:
    """A deep copy, a pickle and a call with the parameters passed in."""
    x = torch.randn(5, *shape)
    y = layer(x)
    assert torch.equal(copy.deepcopy(layer)(x), y)
    assert torch.equal(pickle.loads(pickle.dumps(layer))(x), y)  # noqa: S301 (our own bytes)
    assert torch.equal(functional_call(layer, layer.state_dict(), (x,)), y)


@every_form
def test_layout_of_the_input_is_free_and_its_value_kept(layer: nn.Module, shape: tuple[int, ...]) -> None:
    """A transposed input gives the same, and is not written to."""
    x = torch.randn(*reversed(shape), 5).permute(*reversed(range(len(shape) + 1)))
    before = x.clone()
    torch.testing.assert_close(layer(x), layer(before))
    assert torch.equal(x, before)


@every_form
def test_meta(layer: nn.Module, shape: tuple[int, ...]) -> None:
    """Shapes are inferred without a value, but for a mask that does not move along."""
    moved, x = copy.deepcopy(layer).to("meta"), torch.randn(5, *shape)
    if isinstance(layer, masked_wrong.AttributeMaskLinear):
        with pytest.raises(RuntimeError):
            moved(x.to("meta"))
    else:
        assert moved(x.to("meta")).shape == layer(x).shape


@every_form
def test_batches_are_mapped(layer: nn.Module, shape: tuple[int, ...]) -> None:
    """One row at a time gives what all rows at once give, mapped or by hand."""
    x = torch.randn(5, *shape)
    y = layer(x)
    torch.testing.assert_close(vmap(layer)(x), y)
    torch.testing.assert_close(torch.stack([layer(row) for row in x]), y)


@every_form
def test_an_empty_batch_has_gradients(layer: nn.Module, shape: tuple[int, ...]) -> None:
    """They are zero, not missing."""
    x = torch.randn(0, *shape, requires_grad=True)
    gradients = torch.autograd.grad(layer(x).sum(), [x, *layer.parameters()])
    assert not any(gradient.any() for gradient in gradients)


@every_form
def test_two_derivatives(layer: nn.Module, shape: tuple[int, ...]) -> None:
    """Both derivatives by the input and by every parameter agree with finite differences."""
    layer = copy.deepcopy(layer).double()
    parameters = dict(layer.named_parameters())

    def call(x: Tensor, *values: Tensor) -> Tensor:
        y: Tensor = functional_call(layer, dict(zip(parameters, values, strict=True)), (x,))
        return y

    inputs = (torch.randn(2, *shape, dtype=torch.float64, requires_grad=True), *parameters.values())
    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs)
