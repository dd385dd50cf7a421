"""Exponents of costs that are known, and the growth of two forms of one layer."""

import pytest
import torch

from equivalence.layers.two_d_fc import FlattenMatmulTwoDFC, TwoDFC
from properties.cost import Cost, cost
from properties.cost.growth import exponent, growth


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3, 6, 12, 24], 1), ([5, 20, 80, 320], 2), ([7, 7, 7, 7], 0), ([0, 0, 0, 0], None)],
)
def test_the_exponent_of_a_power_law_is_found(values: list[int], expected: float | None) -> None:
    assert exponent([2, 4, 8, 16], values) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("sizes", "values", "rule"),
    [
        ([4, 4], [1, 2], "two different"),
        ([0, 4], [1, 2], "positive sizes"),
        ([2, 4], [0, 1], "at every size"),
    ],
)
def test_what_is_no_power_law_is_refused(sizes: list[int], values: list[int], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        exponent(sizes, values)


@pytest.mark.parametrize(("form", "forward"), [(TwoDFC, 1), (FlattenMatmulTwoDFC, None)])
@pytest.mark.parametrize("axis", range(4))
def test_the_broadcast_map_grows_with_every_size_and_the_flattened_one_with_none(
    form: type[TwoDFC], forward: float | None, axis: int
) -> None:
    def measured(size: int) -> Cost:
        batch, height, width, out = (size if place == axis else 4 for place in range(4))
        return cost(form((height, width), out, bias=False), [torch.ones(batch, height, width)])

    found = growth(measured, [4, 8, 16])
    assert found.multiply_adds == pytest.approx(1)
    assert found.peak_forward_bytes == (None if forward is None else pytest.approx(forward))
