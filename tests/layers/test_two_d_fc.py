"""TwoDFC and its cheap forms against Linear on the flattened map."""

import math

import pytest
import torch
from torch.nn import functional

from equivalence.layers.affine import QuietLinear
from equivalence.layers.two_d_fc import (
    ConvolutionTwoDFC,
    EinsumTwoDFC,
    FlattenMatmulTwoDFC,
    NormalBiasTwoDFC,
    NormalTwoDFC,
    OutputMajorTwoDFC,
    TensordotTwoDFC,
    TwoDFC,
    UnvalidatedTwoDFC,
)

FORMS = [TwoDFC, UnvalidatedTwoDFC, EinsumTwoDFC, TensordotTwoDFC, FlattenMatmulTwoDFC, ConvolutionTwoDFC]
SIZES = [(3, 4, 5), (1, 1, 1), (1, 4, 2), (0, 4, 2), (3, 0, 2), (3, 4, 0), (0, 0, 0)]
CASES = [(form, size) for form in FORMS for size in SIZES if min(size) >= form.minimum_size]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("form", "size"), CASES)
def test_form_is_linear_on_the_flattened_map(
    form: type[TwoDFC], size: tuple[int, ...], *, bias: bool, leading: tuple[int, ...]
) -> None:
    """Every form gives what Linear gives with the weight brought into its layout."""
    height, width, out_features = size
    layer = form((height, width), out_features, bias).double()
    x = torch.randn(*leading, height, width, dtype=torch.float64)
    matrix = layer.weight.reshape(height * width, out_features).T
    torch.testing.assert_close(layer(x), functional.linear(x.flatten(-2), matrix, layer.bias))


@pytest.mark.parametrize("form", FORMS)
def test_fresh_form_holds_the_draws_of_linear(form: type[TwoDFC]) -> None:
    """Under one seed the weight and the bias hold Linear's numbers, one by one."""
    torch.manual_seed(0)
    layer = form((3, 4), 5)
    torch.manual_seed(0)
    linear = torch.nn.Linear(12, 5)
    for ours, theirs in zip(layer.parameters(), linear.parameters(), strict=True):
        assert torch.equal(ours.flatten(), theirs.flatten())


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("height", "width", "out_features"), SIZES)
def test_output_major_form_is_linear_as_it_stands(
    height: int, width: int, out_features: int, *, bias: bool, leading: tuple[int, ...]
) -> None:
    """The same draws in the same layout, applied to the flattened map."""
    torch.manual_seed(0)
    layer = OutputMajorTwoDFC((height, width), out_features, bias)
    torch.manual_seed(0)
    linear = QuietLinear(height * width, out_features, bias)
    x = torch.randn(*leading, height, width)
    assert torch.equal(layer(x), linear(x.flatten(-2)))


@pytest.mark.parametrize("sizes", [(-1, 4, 5), (3, 4.0, 5), (3, 4, True)])
def test_output_major_form_refuses_other_sizes(sizes: tuple[int, int, int]) -> None:
    """As TwoDFC does."""
    with pytest.raises(ValueError, match="must be an integer of at least 0"):
        OutputMajorTwoDFC(sizes[:2], sizes[2])


def test_quiet_linear_is_linear() -> None:
    """Under one seed QuietLinear is torch's Linear."""
    torch.manual_seed(0)
    quiet = QuietLinear(3, 4)
    torch.manual_seed(0)
    assert torch.equal(quiet.weight, torch.nn.Linear(3, 4).weight)


def test_bounds() -> None:
    """Both parameters fill (-1/√fan_in, 1/√fan_in)."""
    layer = TwoDFC((20, 20), 400)
    for parameter in layer.parameters():
        assert 0.98 / 20 < parameter.abs().max() <= 1 / 20


def test_bias_without_inputs_starts_at_zero() -> None:
    """A fan of zero gives no bound to draw within."""
    assert torch.equal(TwoDFC((0, 3), 4)(torch.zeros(0, 3)), torch.zeros(4))


def test_normal_versions() -> None:
    """Version 1 has no bias; the weights of both have a standard deviation of 1, whatever the fan."""
    first, second = NormalTwoDFC((20, 20), 50), NormalBiasTwoDFC((20, 20), 5000)
    assert first.bias is None
    for parameter in [*first.parameters(), *second.parameters()]:
        assert math.isclose(parameter.std().item(), 1, abs_tol=0.05)


def test_parameters() -> None:
    """The weight keeps its published axis of size 1."""
    shapes = {name: tuple(value.shape) for name, value in TwoDFC((3, 4), 5).named_parameters()}
    assert shapes == {"weight": (1, 3, 4, 5), "bias": (5,)}


def test_unvalidated_broadcasts() -> None:
    """Without a check, one row of the map stands for all of them."""
    x = torch.randn(2, 1, 4)
    layer = UnvalidatedTwoDFC((3, 4), 5)
    torch.testing.assert_close(layer(x), layer(x.expand(2, 3, 4)))


@pytest.mark.parametrize("form", [form for form in FORMS if form is not UnvalidatedTwoDFC])
@pytest.mark.parametrize("shape", [(2, 1, 4), (2, 3, 1), (2, 4, 3), (4,), (), (2, 12)])
def test_other_shapes_are_refused(form: type[TwoDFC], shape: tuple[int, ...]) -> None:
    """Nothing is broadcast and no axis may miss."""
    with pytest.raises(ValueError, match=r"must be \(3, 4\)"):
        form((3, 4), 5)(torch.zeros(shape))


@pytest.mark.parametrize("size", [(0, 4, 5), (3, 0, 5), (3, 4, 0)])
def test_convolution_refuses_zero_sizes(size: tuple[int, int, int]) -> None:
    """The constructor says so, since torch's convolution cannot compute them."""
    with pytest.raises(ValueError, match="at least 1"):
        ConvolutionTwoDFC((size[0], size[1]), size[2])
