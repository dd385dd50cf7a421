"""The forms of Linear against torch's own."""

import pytest
import torch
from torch.nn import functional

from equivalence.layers.linear import (
    EinsumLinear,
    FlattenLinear,
    LinearForm,
    PointwiseConvolutionLinear,
    RowwiseLinear,
)

SIZES = [(3, 4), (1, 1), (0, 4), (3, 0), (0, 0)]
FORMS: list[type[LinearForm]] = [RowwiseLinear, FlattenLinear, EinsumLinear, PointwiseConvolutionLinear]
CASES = [(form, size) for form in FORMS for size in SIZES if min(size) >= form.minimum_size]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("form", "size"), CASES)
def test_form_is_linear(
    form: type[LinearForm], size: tuple[int, int], *, bias: bool, leading: tuple[int, ...]
) -> None:
    """Every form gives what Linear gives with the same parameters."""
    layer = form(*size, bias=bias).double()
    x = torch.randn(*leading, size[0], dtype=torch.float64)
    torch.testing.assert_close(layer(x), functional.linear(x, layer.weight, layer.bias))


@pytest.mark.parametrize("form", FORMS)
def test_fresh_form_is_fresh_linear(form: type[LinearForm]) -> None:
    """Under one seed the parameters are Linear's."""
    torch.manual_seed(0)
    layer = form(3, 4)
    torch.manual_seed(0)
    linear = torch.nn.Linear(3, 4)
    assert list(layer.state_dict()) == list(linear.state_dict())
    for ours, theirs in zip(layer.parameters(), linear.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("form", FORMS)
def test_other_inputs_are_refused(form: type[LinearForm]) -> None:
    """Another last axis is a ValueError, another dtype a TypeError."""
    layer = form(3, 4)
    with pytest.raises(ValueError, match=r"must be \(3\)"):
        layer(torch.zeros(2, 1))
    with pytest.raises(TypeError, match="float64"):
        layer(torch.zeros(2, 3, dtype=torch.float64))


@pytest.mark.parametrize("size", [(0, 4), (3, 0)])
def test_convolution_refuses_zero_sizes(size: tuple[int, int]) -> None:
    """The constructor says so, since torch's convolution cannot compute them."""
    with pytest.raises(ValueError, match="at least 1"):
        PointwiseConvolutionLinear(*size)
