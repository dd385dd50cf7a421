"""Products of the table against products that are counted by hand."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from properties.cost import UncountedOperationError
from properties.cost.meter import Meter, Products, UsefulProducts

GAP = torch.tensor([[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]])
"""(2, 3), the middle column dead."""
SPARSE = torch.tensor([1.0, 0.0, 2.0])
KERNEL = torch.tensor([[[1.0, 0.0, 3.0]], [[0.0, 0.0, 6.0]]])
"""(2, 1, 3), half of it dead."""
ONES = torch.ones(3, 4)


def products(run: Callable[[], object]) -> tuple[int, int]:
    """Count all products of a run, and the useful ones."""
    dense, useful = Products(), UsefulProducts()
    with Meter(dense, useful):
        run()
    return dense.count, useful.count


def flops(run: Callable[[], object]) -> int:
    """Count by torch's own counter."""
    counter = FlopCounterMode(display=False)
    with counter:
        run()
    return int(counter.get_total_flops())


def pulled_back(function: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[], object]:
    leaf = x.clone().requires_grad_()
    y = function(leaf)
    cotangent = torch.ones_like(y)
    return lambda: torch.autograd.grad(y, leaf, cotangent, retain_graph=True)


def convolution_pulled_back(signal: Tensor, kernel: Tensor) -> Callable[[], object]:
    leaves = signal.clone().requires_grad_(), kernel.clone().requires_grad_()
    y = functional.conv1d(*leaves)
    cotangent = torch.ones_like(y)
    return lambda: torch.autograd.grad(y, leaves, cotangent, retain_graph=True)


PLACES = torch.tensor([0, 1, 1, 0])
"""Two bags of two rows each."""
STARTS = torch.tensor([0, 2])


def bag(mode: str, *, weighted: bool = False) -> Callable[[], object]:
    weights = torch.tensor([1.0, 0.0, 1.0, 0.0]) if weighted else None
    return lambda: functional.embedding_bag(PLACES, GAP, STARTS, mode=mode, per_sample_weights=weights)


def bag_paired() -> object:
    bags = torch.tensor([0, 0, 1, 1])
    gradient = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    return torch.ops.aten._embedding_bag_per_sample_weights_backward(gradient, GAP, PLACES, STARTS, bags, 0)


@pytest.mark.parametrize(
    ("run", "dense", "useful"),
    [
        pytest.param(lambda: GAP @ ONES, 24, 16, id="mm"),
        pytest.param(lambda: torch.stack([GAP, GAP]) @ torch.stack([ONES, ONES]), 48, 32, id="bmm"),
        pytest.param(lambda: GAP.mv(torch.ones(3)), 6, 4, id="mv"),
        pytest.param(lambda: SPARSE.dot(torch.tensor([0.0, 1.0, 1.0])), 3, 1, id="dot"),
        pytest.param(lambda: torch.addmm(torch.ones(4), GAP, ONES), 24, 16, id="addmm"),
        pytest.param(lambda: torch.addmv(torch.ones(2), GAP, torch.ones(3)), 6, 4, id="addmv"),
        pytest.param(lambda: torch.baddbmm(torch.ones(1, 2, 4), GAP[None], ONES[None]), 24, 16, id="baddbmm"),
        pytest.param(lambda: GAP * torch.ones(3), 6, 4, id="mul"),
        pytest.param(lambda: torch.ones(2, 1) * SPARSE, 6, 4, id="mul, broadcast"),
        pytest.param(lambda: GAP.clone().mul_(2), 6, 4, id="mul, in place, by a number"),
        pytest.param(lambda: GAP * (GAP != 0), 6, 4, id="mul by a mask"),
        pytest.param(lambda: (GAP != 0) * (GAP != 0), 0, 0, id="mul of masks"),
        pytest.param(lambda: torch.arange(3) * 2, 0, 0, id="mul of indices"),
        pytest.param(lambda: GAP / 2, 6, 4, id="div"),
        pytest.param(lambda: GAP.mean(0), 3, 2, id="mean"),
        pytest.param(lambda: GAP**3, 12, 8, id="pow"),
        pytest.param(lambda: ONES**0.5, 0, 0, id="a root"),
        pytest.param(lambda: torch.addcmul(torch.ones(2, 3), GAP, SPARSE), 6, 4, id="addcmul"),
        pytest.param(
            lambda: torch.addcmul(torch.ones(2, 3), GAP, SPARSE, value=2), 12, 8, id="addcmul, scaled"
        ),
        pytest.param(lambda: GAP + GAP, 0, 0, id="add"),
        pytest.param(lambda: torch.sub(ONES, ONES, alpha=3), 12, 12, id="sub, scaled"),
        pytest.param(lambda: functional.conv1d(torch.ones(5, 1, 8), KERNEL), 180, 90, id="convolution"),
        pytest.param(
            lambda: functional.conv1d(torch.ones(5, 1, 8), KERNEL, padding=1),
            240,
            120,
            id="convolution, padded",
        ),
        pytest.param(
            lambda: functional.conv1d(torch.ones(5, 2, 8), KERNEL, groups=2),
            180,
            90,
            id="convolution, grouped",
        ),
        pytest.param(
            lambda: functional.conv_transpose1d(torch.ones(5, 2, 8), KERNEL),
            240,
            120,
            id="convolution, transposed",
        ),
        pytest.param(
            convolution_pulled_back(torch.ones(5, 1, 8), KERNEL), 360, 180, id="convolution_backward"
        ),
        pytest.param(bag(mode="sum", weighted=True), 12, 4, id="_embedding_bag, weighted"),
        pytest.param(bag(mode="sum"), 0, 0, id="_embedding_bag, a sum"),
        pytest.param(bag(mode="mean"), 6, 4, id="_embedding_bag, a mean"),
        pytest.param(bag_paired, 12, 6, id="_embedding_bag_per_sample_weights_backward"),
        pytest.param(pulled_back(torch.tanh, SPARSE), 6, 6, id="tanh_backward"),
        pytest.param(pulled_back(torch.sigmoid, SPARSE), 6, 6, id="sigmoid_backward"),
        pytest.param(pulled_back(torch.relu, SPARSE), 0, 0, id="threshold_backward"),
        pytest.param(lambda: GAP.sum().exp().sqrt().reciprocal(), 0, 0, id="functions of one number"),
        pytest.param(lambda: torch.where(GAP > 0, GAP, 0).relu().T.reshape(6), 0, 0, id="choices and views"),
        pytest.param(lambda: torch.zeros(2, 3).index_add(0, torch.tensor([1, 0]), GAP), 0, 0, id="index_add"),
        pytest.param(lambda: torch.addmm(GAP, GAP @ GAP.T, GAP, beta=2, alpha=3), 36, 24, id="addmm, scaled"),
        pytest.param(lambda: torch.zeros(0, 3) @ torch.zeros(3, 4), 0, 0, id="no rows"),
        pytest.param(lambda: torch.zeros(2, 0) @ torch.zeros(0, 4), 0, 0, id="nothing to sum"),
    ],
)
def test_products_are_those_counted_by_hand(run: Callable[[], object], dense: int, useful: int) -> None:
    assert products(run) == (dense, useful)


def test_an_unknown_operation_fails_by_name() -> None:
    with pytest.raises(
        UncountedOperationError, match=r"'erfinv' are not known; give it products in .*\.OPERATIONS"
    ):
        products(lambda: torch.erfinv(SPARSE))


def test_what_is_multiplied_in_at_places_is_not_free() -> None:
    places = torch.zeros(1, 3, dtype=torch.long)
    assert products(lambda: GAP.scatter(0, places, GAP)) == (0, 0)
    with pytest.raises(UncountedOperationError, match="scatter"):
        products(lambda: GAP.scatter(0, places, GAP, reduce="multiply"))


def test_the_operation_of_another_library_is_not_taken_for_torchs() -> None:
    with torch.library._scoped_library("cost_test", "DEF") as library:
        library.define("mul(Tensor x) -> Tensor")
        library.impl("mul", torch.clone, "CompositeExplicitAutograd")
        with pytest.raises(UncountedOperationError, match=r"cost_test\.mul"):
            products(lambda: torch.ops.cost_test.mul(SPARSE))


@pytest.mark.parametrize(
    "run",
    [
        lambda: GAP @ ONES,
        lambda: torch.einsum("bik,bkj->bij", torch.ones(2, 3, 4), torch.ones(2, 4, 5)),
        lambda: functional.linear(torch.ones(2, 3, 4), torch.ones(5, 4), torch.ones(5)),
        lambda: functional.conv2d(torch.ones(2, 4, 8, 8), torch.ones(6, 2, 3, 3), padding=1, groups=2),
        lambda: functional.conv_transpose1d(torch.ones(5, 2, 8), KERNEL),
        convolution_pulled_back(torch.ones(5, 1, 8), KERNEL),
    ],
)
def test_torchs_counter_gives_two_steps_for_each_product_where_it_counts(run: Callable[[], object]) -> None:
    assert flops(run) == 2 * products(run)[0] > 0


def test_torchs_counter_gives_nothing_for_broadcast_multiply_sum() -> None:
    def run() -> object:
        return (torch.ones(2, 3, 1) * torch.ones(3, 4)).sum(-2)

    assert flops(run) == 0
    assert products(run) == (24, 24)
