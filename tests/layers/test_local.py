"""The local forms against one Linear for each group."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from equivalence.layers.local import (
    BatchedLocalLinear,
    GroupedConvolutionLinear,
    GroupedReshapeLinear,
    LocalLinear,
    MatmulReshapeLinear,
    TransposedBlockLinear,
)

SIZES = [(2, 3, 4), (2, 16, 3), (1, 1, 1), (3, 1, 2), (2, 0, 4), (2, 3, 0), (1, 0, 0)]
FORMS = [LocalLinear, GroupedReshapeLinear, BatchedLocalLinear, GroupedConvolutionLinear]
CASES = [(form, size) for form in FORMS for size in SIZES if min(size) >= form.minimum_size]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("form", "size"), CASES)
def test_form_is_one_linear_for_each_group(
    form: type[LocalLinear], size: tuple[int, int, int], *, bias: bool, leading: tuple[int, ...]
) -> None:
    """The outputs of a group are Linear of its inputs."""
    groups, kernel_size, _ = size
    layer = form(*size, bias=bias).double()
    x = torch.randn(*leading, groups * kernel_size, dtype=torch.float64)
    parts = x.tensor_split(groups, dim=-1)
    outputs = [functional.linear(part, weight) for part, weight in zip(parts, layer.weight, strict=True)]
    expected = torch.cat(outputs, dim=-1)
    torch.testing.assert_close(layer(x), expected if layer.bias is None else expected + layer.bias)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("rows", "kernel_size", "way"),
    [
        (15, 16, "inputs_by_weights"),
        (16, 16, "weights_by_inputs"),
        (15, 15, "weights_by_inputs"),
    ],
)
def test_batched_form_goes_the_way_that_is_measured_faster(
    rows: int, kernel_size: int, way: str, *, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either way gives the same; few rows of wide groups are read row by row."""
    layer, x = BatchedLocalLinear(3, kernel_size, 2, bias), torch.randn(rows, 3 * kernel_size)
    other = ({"inputs_by_weights", "weights_by_inputs"} - {way}).pop()
    grouped = x.reshape(rows, 3, kernel_size)
    torch.testing.assert_close(getattr(layer, way)(grouped), getattr(layer, other)(grouped))
    monkeypatch.delattr(BatchedLocalLinear, other)
    assert layer(x).shape == (rows, 6)


def test_bounds() -> None:
    """The fan of an output is its own group."""
    layer = LocalLinear(50, 4, 30)
    assert layer.weight.shape == (50, 30, 4)
    for parameter in layer.parameters():
        assert 0.49 < parameter.abs().max() <= 0.5


def test_matmul_reshape_mixes_the_groups() -> None:
    """Of the right shape, but the first output moves with the second group."""
    layer, right = MatmulReshapeLinear(3), LocalLinear(2, 3, 1)
    x = torch.randn(5, 6)
    assert layer.weight.shape == (2, 3)
    assert layer(x).shape == right(x).shape == (5, 2)
    summed = x[:, :3] + x[:, 3:]
    torch.testing.assert_close(layer(x), functional.linear(summed, layer.weight, layer.bias))


def test_transposed_block_is_local_with_transposed_weights() -> None:
    """Right only for symmetric blocks."""
    wrong, right, x = TransposedBlockLinear(2, 3, 3), LocalLinear(2, 3, 3), torch.randn(5, 6)
    right.load_state_dict(wrong.state_dict())
    assert not torch.allclose(wrong(x), right(x))
    right.weight = torch.nn.Parameter(wrong.weight.mT)
    torch.testing.assert_close(wrong(x), right(x))


@pytest.mark.parametrize(
    ("form", "arguments", "rule"),
    [
        (LocalLinear, (0, 3, 4), "groups must be an integer of at least 1"),
        (LocalLinear, (2, -1, 4), "kernel_size"),
        (GroupedConvolutionLinear, (2, 0, 4), "at least 1"),
        (GroupedConvolutionLinear, (2, 3, 0), "at least 1"),
        (MatmulReshapeLinear, (-1,), "half"),
        (TransposedBlockLinear, (2, 3, 4), "must equal"),
    ],
)
def test_other_sizes_are_refused(form: Callable[..., object], arguments: tuple[int, ...], rule: str) -> None:
    """Each message names the rule."""
    with pytest.raises(ValueError, match=rule):
        form(*arguments)
