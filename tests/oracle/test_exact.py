"""The tracer refuses what is not exact, and bounds what is."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import _get_current_dispatch_mode

from properties.cases.regime import Integers, Traced
from properties.oracle.exact import MOST_MISSED, TRACED_BITS, Exactness, Trace, examine

GENERATOR = torch.Generator()


def integers(*shape: int) -> torch.Tensor:
    """Draw under the trace that watches."""
    trace = _get_current_dispatch_mode()
    assert isinstance(trace, Trace)
    return Traced(Integers(TRACED_BITS), trace).draw(shape, GENERATOR.manual_seed(1))


def traced(run) -> Exactness:  # type: ignore[no-untyped-def]  # noqa: ANN001
    return examine(run, Trace())


def bag(table: torch.Tensor, weights: torch.Tensor, mode: str = "sum") -> torch.Tensor:
    """Two bags of two rows each."""
    weights_of = weights if mode == "sum" else None
    places, starts = torch.tensor([0, 2, 1, 1]), torch.tensor([0, 2])
    return functional.embedding_bag(places, table, starts, mode=mode, per_sample_weights=weights_of)


POLYNOMIALS = [
    ("linear", 2, lambda: functional.linear(integers(5, 4), integers(3, 4), integers(3))),
    ("linear in three axes", 2, lambda: functional.linear(integers(2, 5, 4), integers(3, 4), integers(3))),
    ("broadcast, multiply, sum", 2, lambda: (integers(2, 3, 4, 1) * integers(1, 3, 4, 5)).sum((-3, -2))),
    ("einsum", 2, lambda: torch.einsum("bhw,hwo->bo", integers(2, 3, 4), integers(3, 4, 5))),
    ("matrix power", 3, lambda: integers(3, 3) @ integers(3, 3) @ integers(3, 3)),
    ("square", 2, lambda: integers(3) ** 2),
    ("convolution", 2, lambda: functional.conv2d(integers(2, 3, 4, 4), integers(5, 3, 2, 2), integers(5))),
    ("grouped convolution", 2, lambda: functional.conv1d(integers(2, 4, 5), integers(6, 2, 1), groups=2)),
    ("bilinear", 3, lambda: functional.bilinear(integers(2, 3), integers(2, 4), integers(5, 3, 4))),
    ("block_diag", 2, lambda: integers(2, 5) @ torch.block_diag(integers(2, 3), integers(3, 2))),
    ("kron", 3, lambda: integers(6) @ torch.kron(integers(2, 2), integers(3, 3))),
    ("index_add", 1, lambda: torch.zeros(3).double().index_add(0, torch.tensor([0, 0, 2]), integers(3))),
    ("index_add, scaled", 1, lambda: integers(3).index_add(0, torch.tensor([0, 0]), integers(2), alpha=3)),
    ("bag of rows", 2, lambda: bag(integers(3, 2), integers(4))),
    ("written in place", 1, lambda: torch.zeros(3, dtype=torch.float64).copy_(integers(3)).add_(1)),
    ("a constant mask", 1, lambda: integers(2, 2) * torch.tensor([[True, False], [False, True]])),
    ("cumulative sum", 1, lambda: integers(4).cumsum(0)),
]


@pytest.mark.parametrize(
    ("degree", "run"), [case[1:] for case in POLYNOMIALS], ids=[case[0] for case in POLYNOMIALS]
)
def test_a_polynomial_is_exact_and_has_its_degree(degree: int, run) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    exactness = traced(run)
    assert not exactness.obstacle
    assert not exactness.piecewise
    assert exactness.degree == degree
    double, single = (degree / 2 ** (bits + 1) for bits in (exactness.bits, exactness.single_bits))
    assert exactness.single_suffices == (0 < single <= MOST_MISSED)
    expected = (7 * double + single) / 8 if exactness.single_suffices else double
    assert exactness.miss_probability == pytest.approx(expected)


OBSTACLES = [
    ("softmax", "softmax", lambda: integers(3).softmax(0)),
    ("tanh", "tanh", lambda: integers(3).tanh()),
    ("division", "div", lambda: integers(3) / 3),
    ("mean", "mean", lambda: integers(3).mean()),
    ("half a number", "no integers", lambda: integers(3) * 0.5),
    ("a real constant", "no integer", lambda: integers(3) * torch.full((), 0.3).double()),
    ("float32 inside", "float32", lambda: integers(3).float() * 2),
    ("bfloat16 inside", "bfloat16", lambda: integers(3).bfloat16().double()),
    ("unwritten memory", "never written", lambda: torch.empty(3, dtype=torch.float64) * 0),
    ("a mean of rows", "mode", lambda: bag(integers(3, 2), integers(4), "mean")),
    ("a high degree", "degree", lambda: integers(2) ** 30),
]


@pytest.mark.parametrize(
    ("word", "run"), [case[1:] for case in OBSTACLES], ids=[case[0] for case in OBSTACLES]
)
def test_what_leaves_the_integers_is_refused_by_name(word: str, run) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert word in traced(run).obstacle


@pytest.mark.parametrize(
    "run",
    [
        lambda: integers(5).relu(),
        lambda: integers(5).abs(),
        lambda: integers(5).amax(0),
        lambda: torch.where(integers(5) > 0, integers(5), 2 * integers(5)),
        lambda: integers(5) * (integers(5).sum().item() > 0),
    ],
)
def test_a_choice_by_sign_is_exact_only_per_region(run) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    exactness = traced(run)
    assert not exactness.obstacle
    assert exactness.piecewise
    assert exactness.miss_probability is None


def test_a_mask_of_constants_is_no_choice_by_sign() -> None:
    mask = torch.tensor([1.0, 0.0])
    assert not traced(lambda: torch.where(mask > 0, integers(2), 0)).piecewise


def test_backward_is_traced_too() -> None:
    def run() -> tuple[torch.Tensor, ...]:
        x, weight = integers(4, 3).requires_grad_(), integers(3, 3).requires_grad_()
        return torch.autograd.grad((x @ weight @ weight).sum(), (x, weight))

    assert traced(run).degree == 2


def test_a_tainted_value_that_the_result_does_not_use_does_no_harm() -> None:
    def run() -> torch.Tensor:
        layer = nn.Linear(2, 2, bias=False).double()
        with torch.no_grad():
            layer.weight.copy_(integers(2, 2))
        result: torch.Tensor = layer(integers(2))
        return result

    assert not traced(run).obstacle


def test_tensors_without_memory_hold_no_values_to_look_at() -> None:
    def run() -> Tensor:
        return torch.ones(2) + torch.randint(5, (2,), device="meta").numel()

    assert not examine(run, Trace()).obstacle


def test_bits_leave_room_for_every_intermediate() -> None:
    """At the bits that the trace allows, the largest integers still give the exact sum."""
    exactness = traced(lambda: (integers(300) * integers(300)).sum() * integers(1))
    largest = 2**exactness.bits
    assert 300 * largest**3 <= 2**53
    assert 300 * (2 * largest) ** 3 * 2 > 2**52
    sums = torch.full((300,), float(largest), dtype=torch.float64)
    assert (sums * sums).sum().item() * largest == 300 * largest**3


def test_products_beyond_all_numbers_are_not_exact() -> None:
    def run() -> torch.Tensor:
        product = integers(3)
        for _ in range(1200):
            product = 2 * product * integers(3)
        return product

    exactness = traced(run)
    assert exactness.obstacle == "degree 1201 leaves 0 bits to draw from"


def test_a_cancelled_intermediate_still_counts() -> None:
    """x + 2^60 - 2^60 loses x in float64, though its result is small."""
    exactness = traced(lambda: integers(3) + 2.0**60 - 2.0**60)
    assert exactness.obstacle


def test_a_miss_is_as_rare_as_stated() -> None:
    """A false identity x y = 0 over few integers: the share of draws that miss it stays below d / |S|."""
    bits, draws = 2, 40000
    x, y = (Integers(bits).draw((draws,), GENERATOR) for _ in range(2))
    missed = (x * y == 0).double().mean().item()
    stated = 2 / 2 ** (bits + 1)
    assert 0.8 * stated < missed <= stated
