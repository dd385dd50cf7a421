"""The masked forms against Linear with the weight multiplied by the mask."""

import copy

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from equivalence.layers.masked import MaskedLinear, SparseLinear, WhereMaskedLinear
from equivalence.layers.masked_wrong import (
    AttributeMaskLinear,
    InputMaskLinear,
    OutputMaskLinear,
    ZeroedLinear,
)

Form = type[MaskedLinear | ZeroedLinear | AttributeMaskLinear]
RIGHT: list[type[MaskedLinear]] = [MaskedLinear, WhereMaskedLinear, SparseLinear]
WRONG = [ZeroedLinear, OutputMaskLinear, InputMaskLinear, AttributeMaskLinear]
MASK = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1]]).bool()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("mask", [MASK, MASK.float(), MASK[:1, :1], MASK[:0], MASK[:, :0], MASK & False])
@pytest.mark.parametrize("form", [*RIGHT, ZeroedLinear, AttributeMaskLinear])
def test_fresh_form_is_the_masked_linear(
    form: Form, mask: Tensor, *, bias: bool, leading: tuple[int, ...]
) -> None:
    """Every form gives what Linear gives with the weight times the mask."""
    layer = form(mask, bias).double()
    x = torch.randn(*leading, mask.shape[1], dtype=torch.float64)
    torch.testing.assert_close(layer(x), functional.linear(x, layer.weight * mask, layer.bias))


@pytest.mark.parametrize("form", [*RIGHT, ZeroedLinear, AttributeMaskLinear])
def test_draws_are_those_of_linear(form: Form) -> None:
    """Under one seed the live weights are Linear's."""
    torch.manual_seed(0)
    layer = form(MASK)
    torch.manual_seed(0)
    assert torch.equal(layer.weight[MASK], torch.nn.Linear(3, 4).weight[MASK])


@pytest.mark.parametrize("form", RIGHT)
def test_right_form_stays_masked(form: type[MaskedLinear]) -> None:
    """A dead weight has no gradient, and changing it changes nothing."""
    layer, x = form(MASK), torch.randn(5, 3)
    y = layer(x)
    (gradient,) = torch.autograd.grad(y.sum(), layer.weight)
    assert not gradient[~MASK].any()
    with torch.no_grad():
        layer.weight[~MASK] += 1
    assert torch.equal(layer(x), y)


@pytest.mark.parametrize("form", RIGHT)
def test_state_carries_the_mask(form: type[MaskedLinear]) -> None:
    """Any right form loads the state of a MaskedLinear, another mask included."""
    source, target, x = MaskedLinear(MASK), form(~MASK), torch.randn(5, 3)
    target.load_state_dict(source.state_dict())
    torch.testing.assert_close(target(x), source(x))
    torch.testing.assert_close(copy.deepcopy(target)(x), source(x))


def test_infinite_dead_weight() -> None:
    """Multiplied by its mask an infinite weight is no number; chosen or listed it is not there."""
    for form, is_finite in [(MaskedLinear, False), (WhereMaskedLinear, True), (SparseLinear, True)]:
        layer = form(torch.tensor([[True, False]]))
        torch.nn.init.constant_(layer.weight, torch.inf)
        with torch.no_grad():
            layer.weight[0, 0] = 1
        assert layer(torch.ones(2)).isfinite().item() is is_finite


def test_mask_is_not_shared() -> None:
    """Changing the tensor that was passed leaves the layer alone."""
    mask = MASK.clone()
    layer = MaskedLinear(mask)
    mask.fill_(value=False)
    assert torch.equal(layer.mask, MASK)


@pytest.mark.parametrize("form", [*RIGHT, *WRONG])
@pytest.mark.parametrize("mask", [torch.ones(3), torch.full((2, 3), 0.5), torch.full((2, 3), torch.nan)])
def test_other_masks_are_refused(form: Form, mask: Tensor) -> None:
    """A mask is a matrix of 0 and 1."""
    with pytest.raises(ValueError, match="mask must"):
        form(mask)


@pytest.mark.parametrize("form", [*RIGHT, *WRONG])
def test_other_inputs_are_refused(form: Form) -> None:
    """Nothing is broadcast."""
    with pytest.raises(ValueError, match=r"must be \(3\)"):
        form(MASK)(torch.zeros(2, 1))


def test_zeroed_linear_revives() -> None:
    """The gradient of a zeroed weight is not zero."""
    layer = ZeroedLinear(MASK)
    (gradient,) = torch.autograd.grad(layer(torch.ones(3)).sum(), layer.weight)
    assert gradient[~MASK].all()


def test_output_and_input_mask() -> None:
    """The published masks lie on the outputs and on the inputs, the weight stays dense."""
    x = torch.randn(5, 3)
    outputs, inputs = OutputMaskLinear(MASK), InputMaskLinear(MASK[:3])
    dense = functional.linear(x, outputs.weight, outputs.bias)
    torch.testing.assert_close(outputs(x), dense * torch.tensor([1, 1, 0, 1]))
    dense = functional.linear(x * torch.tensor([1, 1, 0]), inputs.weight, inputs.bias)
    torch.testing.assert_close(inputs(x), dense)


def test_attribute_mask_is_in_no_state() -> None:
    """A plain attribute is neither saved nor moved."""
    layer = AttributeMaskLinear(MASK).to("meta")
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert layer.mask.device.type == "cpu"
