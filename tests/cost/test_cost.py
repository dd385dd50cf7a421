"""What a module costs, against what is counted by hand; and that counting changes nothing."""

import copy

import pytest
import torch
from torch import Tensor, nn

from equivalence.layers.linear import FlattenLinear
from equivalence.layers.masked import MaskedLinear, SparseLinear, WhereMaskedLinear
from equivalence.layers.sharing import SharedMLP, UnrolledMLP
from equivalence.layers.two_d_fc import FlattenMatmulTwoDFC, TwoDFC
from properties.cost import Cost, UncountedOperationError, cost
from properties.operations.table import OPERATIONS

FLOATS = 4
"""Bytes of each."""
MASK = torch.arange(800).reshape(20, 40) % 20 == 0
"""5 % of its entries live."""


def test_linear_on_three_axes() -> None:
    assert cost(nn.Linear(4, 2, bias=False), [torch.ones(32, 3, 4)]) == Cost(
        free_parameters=8,
        parameters=8,
        buffers=0,
        multiply_adds=768,
        useful_multiply_adds=768,
        backward_multiply_adds=2 * 768,
        bytes_read=(384 + 8) * FLOATS,
        bytes_written=192 * FLOATS,
        peak_forward_bytes=0,
        peak_training_bytes=(384 + 8) * FLOATS,
        kernels=1,
    )


@pytest.mark.parametrize(("form", "extra"), [(TwoDFC, 5 * 28 * 28 * 10), (FlattenMatmulTwoDFC, 0)])
def test_the_broadcast_map_needs_its_product_and_the_flattened_one_nothing(
    form: type[TwoDFC], extra: int
) -> None:
    found = cost(form((28, 28), 10, bias=False), [torch.ones(5, 28, 28)])
    assert found.multiply_adds == 5 * 28 * 28 * 10
    assert found.peak_forward_bytes == extra * FLOATS


def test_a_mask_of_five_percent_multiplies_twenty_times_what_it_needs() -> None:
    dense, sparse = (cost(form(MASK), [torch.ones(7, 40)]) for form in (WhereMaskedLinear, SparseLinear))
    assert (dense.multiply_adds, dense.useful_multiply_adds) == (7 * 800, 7 * 40)
    assert (sparse.multiply_adds, sparse.useful_multiply_adds) == (7 * 40, 7 * 40)


def test_entries_that_are_said_to_be_dead_are_neither_free_nor_useful() -> None:
    found = cost(nn.Linear(40, 20, bias=False), [torch.ones(7, 40)], {"weight": ~MASK})
    assert (found.parameters, found.free_parameters) == (800, 40)
    assert (found.multiply_adds, found.useful_multiply_adds) == (7 * 800, 7 * 40)


@pytest.mark.parametrize(
    "dead", [{"wieght": torch.ones(2, 4, dtype=torch.bool)}, {"weight": torch.ones(4, dtype=torch.bool)}]
)
def test_dead_entries_of_no_parameter_are_refused(dead: dict[str, Tensor]) -> None:
    with pytest.raises(ValueError, match=r"'weight': \(2, 4\).* but gives"):
        cost(nn.Linear(4, 2), [torch.ones(3, 4)], dead)


def test_a_tied_layer_is_stored_once_and_multiplied_at_each_use() -> None:
    shared, unrolled = (cost(form(4, 5, 3), [torch.ones(2, 4)]) for form in (SharedMLP, UnrolledMLP))
    assert shared.multiply_adds == unrolled.multiply_adds == 2 * (4 * 5 + 5 * 5 + 5 * 5 + 5 * 3)
    assert (shared.parameters, unrolled.parameters) == (25 + 30 + 18, 25 + 30 + 30 + 18)


def test_frozen_parameters_are_stored_and_not_free_and_need_no_backward() -> None:
    module = nn.Linear(4, 2, bias=False).requires_grad_(requires_grad=False)
    found = cost(module, [torch.ones(3, 4)])
    assert (found.parameters, found.free_parameters) == (8, 0)
    # The gradient of the input alone.
    assert found.backward_multiply_adds == 24


def test_buffers_are_counted_in_entries() -> None:
    assert cost(MaskedLinear(MASK), [torch.ones(7, 40)]).buffers == 800


class Lookup(nn.Module):
    def forward(self, index: Tensor) -> Tensor:
        return index + 1


def test_where_nothing_can_be_differentiated_training_costs_a_forward() -> None:
    found = cost(Lookup(), [torch.arange(3)])
    assert (found.multiply_adds, found.backward_multiply_adds, found.free_parameters) == (0, 0, 0)


class Restless(nn.Module):
    """Draws numbers, and counts its calls in a buffer and its output in another."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x * self.weight + torch.randint(9, (3,))


def test_counting_leaves_the_module_and_torch_as_they_were() -> None:
    module = Restless()
    x = torch.ones(2, 3, requires_grad=True)
    state = copy.deepcopy(module.state_dict())
    before = (
        torch.get_rng_state(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
    )
    cost(module, [x])
    after = torch.get_rng_state(), torch.is_grad_enabled(), torch.get_num_threads(), torch.get_default_dtype()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    assert module.weight.grad is None
    assert x.grad is None


@pytest.mark.parametrize("without_gradients", [torch.no_grad, torch.inference_mode])
def test_a_cost_does_not_depend_on_the_gradient_mode_around_it(without_gradients: type) -> None:
    module, inputs = FlattenLinear(4, 2), [torch.ones(3, 4)]
    expected = cost(module, inputs)
    with without_gradients():
        assert cost(module, inputs) == expected


def test_an_operation_that_only_the_backward_calls_fails_by_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    module, inputs = nn.ReLU(), [torch.ones(3)]
    assert cost(module, inputs).multiply_adds == 0
    monkeypatch.delitem(OPERATIONS, "threshold_backward")
    with pytest.raises(UncountedOperationError, match="threshold_backward"):
        cost(module, inputs)


def test_what_a_form_writes_in_place_stays_its_own() -> None:
    class Normalised(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                self.weight.mul_(2)
            return super().forward(x.relu_())

    module, x = Normalised(3, 2), torch.randn(4, 3)
    before, given = copy.deepcopy(module.state_dict()), x.clone()
    cost(module, [x])
    assert torch.equal(x, given)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_a_form_that_nothing_can_train_has_no_backward() -> None:
    outside = torch.ones(3, requires_grad=True)

    class Outside(nn.Module):
        def forward(self, i: Tensor) -> Tensor:
            return i * outside

    assert cost(Outside(), [torch.arange(3)]).backward_multiply_adds == 0


def test_a_dead_entry_of_a_frozen_parameter_is_not_taken_off_twice() -> None:
    module = nn.Linear(2, 2)
    module.weight.requires_grad = False
    found = cost(module, [torch.ones(1, 2)], {"weight": torch.ones(2, 2, dtype=torch.bool)})
    assert found.free_parameters == 2
