"""The layers that start as the identity give their input back."""

import pytest
import torch

from equivalence.layers.identity import IdentityConvolution, IdentityLinear


@pytest.mark.parametrize("features", [0, 1, 4])
def test_linear(features: int, leading: tuple[int, ...]) -> None:
    """The output is the input."""
    x = torch.randn(*leading, features)
    layer = IdentityLinear(features)
    assert layer.bias is None
    assert torch.equal(layer(x), x)


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_convolution(kernel_size: int, leading: tuple[int, ...]) -> None:
    """The output is the input, also where the kernel is longer than the input."""
    x = torch.randn(*leading, 2, 4)
    layer = IdentityConvolution(2, kernel_size)
    assert layer.weight.shape == (2, 2, kernel_size)
    assert torch.equal(layer(x), x)


@pytest.mark.parametrize(
    ("arguments", "rule"), [((0, 3), "at least 1"), ((2, 0), "at least 1"), ((2, 4), "pass 3 or 5")]
)
def test_convolution_refuses(arguments: tuple[int, int], rule: str) -> None:
    """No channel, no kernel or an even kernel."""
    with pytest.raises(ValueError, match=rule):
        IdentityConvolution(*arguments)


def test_convolution_refuses_other_inputs() -> None:
    """Another number of channels, a missing axis, a length of zero."""
    layer = IdentityConvolution(2, 3)
    for shape in [(3, 4), (2,), (), (2, 0)]:
        with pytest.raises(ValueError, match="input"):
            layer(torch.zeros(shape))
