"""Shared against unrolled, side by side against wide."""

import pytest
import torch
from torch import nn

from equivalence.layers.local import block_diagonal
from equivalence.layers.sharing import ParallelBlock, SharedMLP, UnrolledMLP, WideNet

SIZES = [(3, 4, 5), (1, 1, 1), (0, 4, 5), (3, 0, 5), (3, 4, 0)]


@pytest.mark.parametrize("size", SIZES)
def test_shared_is_unrolled_with_equal_layers(size: tuple[int, int, int], leading: tuple[int, ...]) -> None:
    """With the middle layer copied twice, both give the same."""
    shared, unrolled = SharedMLP(*size).double(), UnrolledMLP(*size).double()
    unrolled.first.load_state_dict(shared.first.state_dict())
    unrolled.middle1.load_state_dict(shared.middle.state_dict())
    unrolled.middle2.load_state_dict(shared.middle.state_dict())
    unrolled.last.load_state_dict(shared.last.state_dict())
    x = torch.randn(*leading, size[0], dtype=torch.float64)
    torch.testing.assert_close(unrolled(x), shared(x))


def wide_from_parallel(wide: WideNet, parallel: ParallelBlock) -> None:
    """Stack the first layers, and lay the second ones down the diagonal."""
    states = [net.state_dict() for net in parallel.nets]
    stacked = {key: torch.stack([state[key] for state in states]) for key in states[0]}
    first = {"weight": stacked["0.weight"].flatten(0, 1), "bias": stacked["0.bias"].flatten()}
    second = {"weight": block_diagonal(stacked["2.weight"]), "bias": stacked["2.bias"].flatten()}
    wide.first.load_state_dict(first)
    wide.second.load_state_dict({**second, "mask": wide.second.mask})


@pytest.mark.parametrize("nets", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_wide_is_parallel(size: tuple[int, int, int], nets: int, leading: tuple[int, ...]) -> None:
    """One wide net with blocks gives what the nets side by side give."""
    parallel, wide = ParallelBlock(*size, nets).double(), WideNet(*size, nets).double()
    wide_from_parallel(wide, parallel)
    x = torch.randn(*leading, size[0], dtype=torch.float64)
    torch.testing.assert_close(wide(x), parallel(x))


def test_wide_starts_within_the_bounds_of_parallel() -> None:
    """An output of the second layer reads one hidden layer, so that is its fan."""
    wide = WideNet(9, 4, 100, nets=5)
    for parameters, bound in [(wide.first.parameters(), 1 / 3), (wide.second.parameters(), 1 / 2)]:
        for parameter in parameters:
            assert 0.8 * bound < parameter.abs().max() <= bound


def test_parameter_names() -> None:
    """The names by which the claims carry parameters over."""
    assert list(SharedMLP(1, 1, 1).state_dict())[::2] == ["first.weight", "middle.weight", "last.weight"]
    assert list(WideNet(1, 1, 1, 1).state_dict()) == [
        "first.weight",
        "first.bias",
        "second.weight",
        "second.bias",
        "second.mask",
    ]


@pytest.mark.parametrize("layer", [SharedMLP(3, 4, 5), UnrolledMLP(3, 4, 5), ParallelBlock(3, 4, 5, 2)])
def test_other_inputs_are_refused(layer: nn.Module) -> None:
    """The message is the one of all forms."""
    with pytest.raises(ValueError, match=r"must be \(3\)"):
        layer(torch.zeros(2, 1))


@pytest.mark.parametrize("form", [ParallelBlock, WideNet])
def test_no_nets_are_refused(form: type[ParallelBlock | WideNet]) -> None:
    """There is no output to concatenate."""
    with pytest.raises(ValueError, match="nets must be an integer of at least 1"):
        form(3, 4, 5, 0)
