"""The forms that keep the live connections alone, against Linear with the dead ones at zero."""

import pickle

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from equivalence.layers import connections
from equivalence.layers.masked_fast import BlockLinear, LiveLinear

MASK = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1]]).bool()
MASKS = [MASK, MASK.float(), MASK[:1, :1], MASK[:0], MASK[:, :0], MASK & False]
BLOCK_SIZES = [(2, 3), (1, 1), (0, 3), (2, 0)]


def dense_weight(layer: BlockLinear) -> Tensor:
    """Write out the blocks."""
    (out_blocks, in_blocks), (_, outputs, inputs) = layer.grid, layer.weight.shape
    weight = layer.weight.new_zeros(out_blocks, in_blocks, outputs, inputs)
    weight[layer.out_index, layer.in_index] = layer.weight
    return weight.transpose(1, 2).reshape(out_blocks * outputs, in_blocks * inputs)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("mask", MASKS)
def test_live_form_is_linear_with_the_rest_at_zero(
    mask: Tensor, *, bias: bool, leading: tuple[int, ...]
) -> None:
    layer = LiveLinear(mask, bias).double()
    weight = torch.zeros(mask.shape, dtype=torch.float64)
    weight[mask != 0] = layer.weight.detach()
    x = torch.randn(*leading, mask.shape[1], dtype=torch.float64)
    torch.testing.assert_close(layer(x), functional.linear(x, weight, layer.bias))


@pytest.mark.parametrize("size", BLOCK_SIZES)
@pytest.mark.parametrize("mask", MASKS)
def test_block_form_is_linear_with_the_rest_at_zero(
    mask: Tensor, size: tuple[int, int], leading: tuple[int, ...]
) -> None:
    layer = BlockLinear(mask, size).double()
    x = torch.randn(*leading, mask.shape[1] * size[1], dtype=torch.float64)
    torch.testing.assert_close(layer(x), functional.linear(x, dense_weight(layer), layer.bias))


@pytest.mark.parametrize("step", [1, 20, 10**6])
def test_blocks_may_be_taken_in_any_number_of_steps(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = BlockLinear(torch.rand(5, 6) < 0.5, (2, 3)).double()
    x = torch.randn(4, 18, dtype=torch.float64, requires_grad=True)
    weight = dense_weight(layer).detach().requires_grad_()
    expected = torch.autograd.grad(functional.linear(x, weight).square().sum(), [x, weight])
    monkeypatch.setattr(connections, "STEP", step)
    by_x, by_blocks = torch.autograd.grad(layer.product(x).square().sum(), [x, layer.weight])
    torch.testing.assert_close(by_x, expected[0])
    kept = expected[1].unflatten(1, (6, 3)).unflatten(0, (5, 2)).transpose(1, 2)
    torch.testing.assert_close(by_blocks, kept[layer.out_index, layer.in_index])


@pytest.mark.parametrize("form", [LiveLinear, lambda mask: BlockLinear(mask, (2, 3))])
def test_which_connections_live_is_part_of_the_state(form: type[LiveLinear]) -> None:
    source, target = form(MASK), form(~MASK)
    x = torch.randn(5, *source.input_shape)
    parameter = target.weight
    target.load_state_dict(source.state_dict())
    assert target.weight is parameter
    assert torch.equal(target(x), source(x))
    assert torch.equal(pickle.loads(pickle.dumps(target))(x), source(x))  # noqa: S301 (our own bytes)


def test_the_state_of_another_layer_is_refused() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        LiveLinear(MASK).load_state_dict({"weight": torch.zeros(4, 3)}, strict=False)


@pytest.mark.parametrize("other", [MASK[:3], MASK[:, :2]])
def test_the_state_of_a_layer_of_another_size_is_refused(other: Tensor) -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        LiveLinear(MASK, bias=False).load_state_dict(LiveLinear(other, bias=False).state_dict())


def test_what_is_kept_grows_with_the_live_connections() -> None:
    layer = LiveLinear(torch.eye(100))
    assert sum(tensor.numel() for tensor in layer.state_dict().values()) == 100 + 100 + 3 * 100 + 200
    blocks = BlockLinear(torch.eye(10), (10, 10))
    assert sum(tensor.numel() for tensor in blocks.state_dict().values()) == 1000 + 100 + 2 * 10


def test_an_unasked_gradient_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = LiveLinear(MASK), torch.randn(5, 3)
    monkeypatch.delattr(connections.Connections, "multiply_transposed")
    (gradient,) = torch.autograd.grad(layer(x).sum(), layer.weight)
    torch.testing.assert_close(gradient, x.sum(0)[layer.in_index])


@pytest.mark.parametrize("mask", [torch.ones(3), torch.full((2, 3), 0.5), torch.full((2, 3), torch.nan)])
def test_other_masks_are_refused(mask: Tensor) -> None:
    for form in (LiveLinear, lambda one: BlockLinear(one, (2, 3))):
        with pytest.raises(ValueError, match="mask must"):
            form(mask)


@pytest.mark.parametrize(("size", "name"), [((-1, 3), "0"), ((2, 1.5), "1")])
def test_other_block_sizes_are_refused(size: tuple[int, int], name: str) -> None:
    with pytest.raises(ValueError, match=rf"block_size\[{name}\] must be an integer of at least 0"):
        BlockLinear(MASK, size)


@pytest.mark.parametrize("layer", [LiveLinear(MASK), BlockLinear(MASK, (2, 1))])
def test_other_inputs_are_refused(layer: nn.Module) -> None:
    with pytest.raises(ValueError, match=r"must be \(3\)"):
        layer(torch.zeros(2, 1))
    with pytest.raises(TypeError, match="dtype of the weight"):
        layer(torch.zeros(2, 3, dtype=torch.int64))
