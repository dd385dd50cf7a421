"""Disturbed runs: what is moved, by how much, and what stays; and every part of that broken once."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from properties.cases.answering import answering
from properties.oracle import disturbance
from tests.oracle.breaking import seen

INF, NAN = math.inf, math.nan
RUNS = 8
REAL = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
COMPLEX = (torch.complex128, torch.complex64)


def drawn(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype)


def tensor(*values: float, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(values, dtype=dtype)


def run(module: Any, function: Callable[..., Any], *inputs: Any, number: int = 0, only: str = "") -> Any:
    """Run a function of tensors that are given, with every operation disturbed."""
    with module.Disturbance(number, only):
        return function(*inputs)


def units(moved: Tensor, plain: Tensor) -> Tensor:
    """Give how far each number was moved, in machine epsilons of its size."""
    wide = torch.complex128 if plain.is_complex() else torch.float64
    eps = torch.finfo(plain.dtype).eps
    return (moved.to(wide) - plain.to(wide)).abs() / (plain.to(wide).abs() * eps)


def check_each_number_is_moved_by_half_a_unit_to_one_and_rounded(module: Any) -> None:
    for dtype in REAL:
        plain = drawn(1000, dtype=dtype)
        moved = run(module, lambda x: x * 1, plain)
        by = units(moved, plain)
        assert moved.dtype == dtype
        # Rounding to the dtype takes half a unit more, at most; few numbers lie so that it takes all.
        assert (by > 0).double().mean() > 0.99
        assert 0.9 < by.max() <= 1.5
        assert 0.4 < (moved > plain).double().mean() < 0.6


def check_both_parts_of_a_complex_number_are_moved_by_its_size(module: Any) -> None:
    for dtype in COMPLEX:
        plain = drawn(1000, dtype=torch.float64).to(dtype)
        for turned in (plain, plain * 1j, plain.conj(), (plain * 1j).conj().imag):
            by = units(run(module, lambda x: x * 1, turned), turned)
            assert (by > 0).all()
            assert 0.9 < by.max() <= math.sqrt(2) + 0.5
        moved = run(module, lambda x: x * 1, plain)
        assert (moved.imag != 0).double().mean() > 0.99
        assert 0.4 < (moved.imag > 0).double().mean() < 0.6


def check_zeros_and_what_is_not_finite_stay(module: Any) -> None:
    for dtype in REAL:
        odd = tensor(0.0, -0.0, INF, -INF, NAN, dtype=dtype)
        moved = run(module, lambda x: x * 1, odd)
        assert torch.equal(moved[:4], odd[:4])
        assert moved[4].isnan()
    largest = tensor(torch.finfo(torch.float64).max)
    for number in range(RUNS):
        assert torch.isfinite(run(module, lambda x: x * 1, largest, number=number)).all()


def check_what_is_tied_stays_tied_within_an_operation(module: Any) -> None:
    tied = tensor(0.3, 0.3, 0.7, 0.3)
    for number in range(RUNS):
        moved = run(module, lambda x: x * 1, tied, number=number)
        assert moved[0] == moved[1] == moved[3] != tied[0]


def check_what_rounding_alone_makes_alike_is_no_tie(module: Any) -> None:
    apart = torch.arange(64.0) / 1024
    alike = torch.full_like(apart, 0.5)
    for dtype in (torch.bfloat16, torch.float16):
        for shifted in shifts_to(dtype):
            for many, one in ((apart.to(dtype), alike.to(dtype)), (apart, alike)):
                assert run(module, shifted, many.clone()).unique().numel() > 1
                assert run(module, shifted, one.clone()).unique().numel() == 1


def check_the_entries_of_a_matrix_that_is_solved_are_moved_apart(module: Any) -> None:
    matrix = 3 * torch.eye(16, dtype=torch.float64)
    ones = torch.ones(16, 1, dtype=torch.float64)
    solvers: list[Callable[[torch.Tensor], torch.Tensor]] = [
        lambda a: torch.linalg.solve(a, ones),
        lambda a: torch.linalg.inv(a).diagonal(),
        lambda a: torch.linalg.cholesky(a).diagonal(),
        lambda a: torch.linalg.solve_triangular(a, ones, upper=False),
        lambda a: torch.cholesky_solve(ones, a),
    ]
    for solve in solvers:
        assert run(module, solve, matrix).unique().numel() > 1
    # The lengths of equal rows are tied still.
    assert (
        run(module, lambda x: torch.linalg.vector_norm(x, dim=-1), ones.expand(16, 3)).unique().numel() == 1
    )


def shifts_to(dtype: torch.dtype) -> list[Callable[[torch.Tensor], torch.Tensor]]:
    """Give ways to come to one number of a narrow dtype from several: by a sum, in place, by a copy."""
    return [
        lambda x: (x + 3000).to(dtype),
        lambda x: x.add_(3000).to(dtype),
        lambda x: torch.zeros(64, dtype=dtype).copy_(x.float() + 3000),
    ]


def check_numbers_that_differ_little_are_moved_apart(module: Any) -> None:
    for dtype in (torch.float64, torch.float32):
        x = drawn(2000, dtype=dtype).abs() + 0.5
        for other in (-x, 2 * x, x.nextafter(torch.tensor(INF, dtype=dtype)), x + 1):
            one, two = run(module, lambda x: x * 1, torch.cat([x, other]).contiguous()).double().chunk(2)
            moved = torch.stack([(one - x) / x, (two - other) / other])
            assert torch.corrcoef(moved.sign())[0, 1].abs() < 0.1


def check_operations_their_places_and_runs_disturb_apart(module: Any) -> None:
    x = drawn(100)
    one, other = run(module, lambda x: (x * 1, x * 1), x)
    assert not torch.equal(one, other)
    assert not torch.equal(run(module, lambda x: x * 1, x, number=1), one)
    assert torch.equal(run(module, lambda x: x * 1, x), one)
    # Both factors of a product, and what is in both places of one.
    added = run(module, lambda x: torch.baddbmm(x, x, x), x.reshape(1, 10, 10))
    assert not torch.equal(added, added.mT)


UNTOUCHED: Sequence[Callable[[Tensor], Any]] = (
    lambda x: (x.T.contiguous(), x.flip(0), torch.cat([x, x]), x.roll(1), -x, x.repeat(2, 1)),
    lambda x: (x.relu(), x.amax(0), x.clamp(-1, 1), x.sort().values, x.abs(), x.max(1), x.round()),
    lambda x: (x[0], x.view(-1), x.expand(2, *x.shape), x.unsqueeze(0), x.diagonal()),
    lambda x: torch.view_as_real(torch.view_as_complex(x[:, :2])),
    lambda x: (x > 0, x == x.max(), x.argmax(), torch.where(x > 0, x, 0.0), x.masked_fill(x > 0, -INF)),
    lambda x: (x.long() * 3, (x > 0).sum(), x.long().cumsum(0), torch.arange(4)),
    lambda x: (x.gather(0, (x > 0).long()), functional.max_pool2d(x[None], 2), x.topk(2)),
    lambda x: torch.zeros(2).copy_(x[0, :2]) if x.dtype == torch.float32 else x.clone(),
    lambda _: (torch.manual_seed(0), torch.rand(5), torch.empty(3).normal_())[1:],
)


def check_what_moves_compares_chooses_counts_or_draws_is_left_alone(module: Any) -> None:
    for dtype in (torch.float64, torch.float32):
        for function in UNTOUCHED:
            plain = function(drawn(4, 4, dtype=dtype))
            moved = run(module, function, drawn(4, 4, dtype=dtype))
            assert flat(plain) == flat(moved)


def flat(tree: Any) -> list[Any]:
    leaves = torch.utils._pytree.tree_leaves(tree)
    return [leaf.tolist() for leaf in leaves]


def check_a_view_keeps_reading_what_is_written_in_place(module: Any) -> None:
    def written(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y = x.clone()
        view = y[0]
        return y, view, y.add_(1)

    x = drawn(3, 3)
    y, view, returned = run(module, written, x)
    assert returned is y
    assert torch.equal(view, y[0])
    assert view.data_ptr() == y.data_ptr()
    assert (units(y, x + 1) > 0).all()
    kept = torch.zeros(3, 3)
    assert run(module, lambda x: torch.mul(x, 3, out=kept), x.float()) is kept
    assert (units(kept, x.float() * 3) > 0).all()


def check_running_statistics_are_still_updated(module: Any) -> None:
    plain, moved = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    x = drawn(5, 3, dtype=torch.float32)
    kept = moved.running_mean
    plain(x)
    run(module, moved, x)
    assert plain.running_mean is not None
    assert plain.running_var is not None
    assert moved.running_mean is kept
    assert moved.running_var is not None
    assert torch.allclose(plain.running_mean, kept)  # type: ignore[arg-type]
    assert torch.allclose(plain.running_var, moved.running_var)
    assert moved.num_batches_tracked == 1


def check_a_copy_is_disturbed_where_it_narrows(module: Any) -> None:
    x = drawn(100)
    for narrow in (torch.float32, torch.bfloat16, torch.float16):
        assert 0.9 < units(run(module, lambda x, to=narrow: x.to(to), x), x.to(narrow)).max() <= 1.5
        assert torch.equal(run(module, torch.Tensor.double, x.to(narrow)), x.to(narrow).double())
        into = torch.zeros(100, dtype=narrow)
        assert (units(run(module, into.copy_, x), x.to(narrow)) > 0).double().mean() > 0.9
        back = torch.zeros(100, dtype=torch.float64)
        assert torch.equal(run(module, back.copy_, x.to(narrow)), x.to(narrow).double())
    assert torch.equal(run(module, torch.Tensor.long, 100 * x), (100 * x).long())


def check_a_whole_number_that_counts_is_left_alone(module: Any) -> None:
    for number in range(RUNS):
        assert run(module, lambda x: x + 1, torch.tensor(3.0), number=number) == 4.0
        assert run(module, lambda x: x + 1, torch.tensor(3.3), number=number) != torch.tensor(3.3) + 1
        assert run(module, lambda x: x + 1, tensor(3.0), number=number) != 4.0


def check_an_optimiser_counts_its_steps(module: Any) -> None:
    weight = nn.Parameter(drawn(3))
    optimiser = torch.optim.Adam([weight])
    before = weight.detach().clone()

    def trained() -> None:
        for _ in range(5):
            weight.square().sum().backward()
            optimiser.step()

    run(module, trained)
    assert optimiser.state[weight]["step"] == 5
    assert (weight != before).all()


def check_a_pause_leaves_everything_alone(module: Any) -> None:
    x = drawn(10)
    one = module.Disturbance(0)
    with one:
        with one.paused():
            with one.paused():
                torch.manual_seed(3)
            given = torch.randn(10) * 2
        computed = x * 2
    torch.manual_seed(3)
    assert torch.equal(given, torch.randn(10) * 2)
    assert (units(computed, x * 2) > 0).all()
    assert one.rounded == {("mul", torch.float64): 1}


def check_a_mistake_of_ours_is_no_refusal_of_a_form(module: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_moved", lambda *_: 1 / 0)
        with (
            pytest.raises(module.DisturbanceError, match="mul cannot be disturbed: ZeroDivisionError"),
            answering("candidate"),
        ):
            run(module, lambda x: x * 1, drawn(2))
        with pytest.raises(module.DisturbanceError, match="mm cannot be disturbed"), answering("candidate"):
            run(module, lambda x: x @ x, drawn(2, 2))


def check_a_mistake_of_a_form_is_its_own(module: Any) -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        run(module, lambda x: x @ x, drawn(2, 3))


def check_one_operation_alone_is_disturbed_where_asked(module: Any) -> None:
    x = drawn(10)
    added, product = run(module, lambda x: (x + 1, x * 3), x, only="mul")
    assert torch.equal(added, x + 1)
    assert (units(product, x * 3) > 0).all()


def check_what_is_more_than_one_operation_has_its_inputs_disturbed(module: Any) -> None:
    ones, cancelling = torch.ones(2, dtype=torch.float64), tensor(1, -1)
    several: Sequence[Callable[[Tensor, Tensor], Tensor]] = (
        torch.dot,
        lambda x, y: (x[None] @ y[:, None]).squeeze(),
        lambda x, y: (x * y).sum(),
        lambda x, y: x.mean() * y[0],
        lambda x, y: torch.addcmul(x[:1], x[1:], y[:1]),
        lambda x, y: functional.conv1d(x[None, None], y[None, None]).squeeze(),
    )
    for function in several:
        assert not function(cancelling, ones).any()
        moved = torch.stack([run(module, function, cancelling, ones, number=one) for one in range(RUNS)])
        assert 0 < moved.abs().max() < 10 * torch.finfo(torch.float64).eps


def check_more_terms_have_more_noise_by_the_root_of_their_number(module: Any) -> None:
    sizes = (64, 64 * 10**2, 64 * 10**3)
    noise = []
    for terms in sizes:
        x = torch.zeros(terms, dtype=torch.float64)
        x[:2] = tensor(1, -1)
        moved = [run(module, torch.dot, x, torch.ones_like(x), number=one) for one in range(32)]
        noise.append(float(torch.stack(moved).square().mean().sqrt()))
    few, many, more = noise
    assert 5 < many / few < 20
    assert 2 < more / many < 5


def check_the_difference_at_the_end_of_a_fused_operation_is_disturbed(module: Any) -> None:
    far, near = tensor(-5.0), tensor(20.0, -20.0)
    ends: Sequence[tuple[Callable[[Tensor], Tensor], Tensor]] = (
        (functional.gelu, far),
        (lambda x: x.log_softmax(0)[:1], near),
        (lambda x: (x - 20.0).logsumexp(0, keepdim=True), near),
    )
    for function, x in ends:
        by = [float(units(run(module, function, x, number=one), function(x)).max()) for one in range(RUNS)]
        assert max(by) > 1e3


def check_what_a_fused_recurrence_rounds_away_of_a_derivative_is_noise(module: Any) -> None:
    """tanh(-8) is -1 in bfloat16, and nothing is left of 1 - tanh², in memory that no one sees."""
    for options in ({}, {"bias": False}, {"bidirectional": True, "batch_first": True}):
        lstm = nn.LSTM(2, 3, **options)
        weight = lstm.get_parameter("weight_ih_l0")
        with torch.no_grad():
            for value in lstm.parameters():
                value.zero_()
            weight[6:9] = -4

        def gradients(x: Tensor, lstm: nn.LSTM = lstm, weight: Tensor = weight) -> tuple[Tensor, ...]:
            with torch.autocast("cpu", torch.bfloat16):
                _, (_, memory) = lstm(x)
            return torch.autograd.grad(memory.sum(), weight)

        x = torch.ones(4, 2, 2)
        (plain,) = gradients(x)
        moved = torch.stack([run(module, gradients, x, number=one)[0][6:9] for one in range(RUNS)])
        assert not plain[6:9].any()
        assert (moved != 0).all()
        assert (moved > 0).any()
        assert any(0 < (one > 0).sum() < one.numel() for one in moved)
        # Twelve cotangents of 1, two units at the most for each, in bfloat16.
        assert 1 < moved.abs().max() / torch.finfo(torch.bfloat16).eps <= 2 * 12


def check_a_number_of_which_a_transform_makes_a_tensor_rounds_nothing(module: Any) -> None:
    batched = torch.func.vmap(lambda x: 2 * (x * x).sum())
    x = drawn(3, 4)
    assert (units(run(module, batched, x), batched(x)) > 0).all()


def check_backward_and_twice_backward_are_disturbed(module: Any) -> None:
    def twice(x: Tensor) -> tuple[Tensor, Tensor]:
        (gradient,) = torch.autograd.grad(x.softmax(0).square().sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(gradient.sin().sum(), x)
        return gradient.detach(), second

    x = drawn(6).requires_grad_()
    for moved, plain in zip(run(module, twice, x), twice(x), strict=True):
        assert (units(moved, plain) > 0).double().mean() > 0.5
        assert (moved - plain).abs().max() < 1e3 * torch.finfo(plain.dtype).eps * plain.abs().max()


def check_a_disturbed_result_lies_in_memory_as_the_result_does(module: Any) -> None:
    images = drawn(3, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    for x in (images, drawn(3, 2).mT, drawn(3, 4, 2).transpose(0, 1)):
        assert run(module, lambda x: x * drawn(1), x).stride() == (x * drawn(1)).stride()


def check_attention_is_disturbed_though_it_may_draw(module: Any) -> None:
    query, key, value = (drawn(1, 1, 3, 2) for _ in range(3))
    with torch.no_grad(), module.Disturbance(0) as disturbance:
        functional.scaled_dot_product_attention(query, key, value)
        torch.rand(3)
        functional.dropout(value)
    assert any("attention" in name for name, _ in disturbance.rounded)
    assert not any("rand" in name or "bernoulli" in name for name, _ in disturbance.rounded)


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]

BREAKS = [
    (' and "attention" not in name', ""),
    ("AMPLITUDE = 2.0", "AMPLITUDE = 1.0"),
    ("AMPLITUDE = 2.0", "AMPLITUDE = 4.0"),
    ("finfo.eps / 2", "torch.finfo(torch.float32).eps / 2"),
    ("drawn += np.copysign(0.5, drawn)", "pass"),
    ("np.copysign(0.5, drawn)", "0.5"),
    ("next(turned) - 1", "0 * next(turned)"),
    ("moved = np.where(np.isfinite(moved), moved, array)", "pass"),
    ("words ^= np.uint64(key)", "words ^= np.uint64(0)"),
    (
        "words = array.view(WORDS[array.itemsize]).astype(np.uint64)",
        "words = np.arange(array.size, dtype=np.uint64)",
    ),
    ("words ^= words >> SHIFTS[0]", "pass"),
    ("self.number, self._calls, place", "self._calls, place"),
    ("self.number, self._calls, place", "self.number, place"),
    ("or not rounds", ""),
    ("if self._paused or", "if"),
    (
        "yield\n        finally:\n            self._paused = before",
        "yield\n        finally:\n            self._paused = False",
    ),
    ('self.only not in ("", name)', "False"),
    ("if one.alias_info is not None or", "if"),
    ('or one.name.startswith("running_")', ""),
    ("tensor.copy_(self._disturbed(tensor, AMPLITUDE, -1, unrounded))", "pass"),
    ("if not written:", "if True:"),
    ("draws = torch.Tag.nondeterministic_seeded in operation.tags", "draws = False"),
    ("any(one.alias_info and not", "any(False and not"),
    ("(kind.copies and _narrows(name, args, kwargs))", "False"),
    ("(kind.copies and _narrows(name, args, kwargs))", "kind.copies"),
    ('if name == "copy_":', "if False:"),
    ("isinstance(args[0], Tensor) and", ""),
    ("and not _counts(tensor)", ""),
    ("not tensor.ndim and", ""),
    ("bool(tensor == tensor.round())", "True"),
    ("moved.stride() == values.stride()", "True"),
    ("raise DisturbanceError(", "raise ValueError("),
    ("args if kind.once else self._inputs(operation, name, args)", "args"),
    ("_unrounded(operation, name, args, kwargs) if kind.once or kind.copies else None", "None"),
    ("_places(arg) if apart else None", "None"),
    ('and "norm" not in name', ""),
    ('ELIMINATING = ("cholesky", "linalg",', 'ELIMINATING = ("cholesky",'),
    ('ELIMINATING = ("cholesky", "linalg",', 'ELIMINATING = ("linalg",'),
    ("if kind.once or kind.copies", "if kind.once"),
    ("if kind.once or kind.copies", "if kind.copies"),
    ("array if bits is None else", "array if True else"),
    ('target, source = args[:2] if name == "copy_" else', "target, source ="),
    ("widened(one.detach())", "one.detach()"),
    ('SEVERAL_AT_EACH_ENTRY = {"addcmul", "addcdiv", "lerp"}', "SEVERAL_AT_EACH_ENTRY = set()"),
    ("factor = AMPLITUDE * _growth(name, args)", "factor = AMPLITUDE"),
    ("math.sqrt(known(name).terms(args) / USUAL_TERMS)", "known(name).terms(args) / USUAL_TERMS"),
    ('"gelu": lambda x, **_: x,', ""),
    ('"_log_softmax": _of_log_softmax,', ""),
    ('"logsumexp": lambda x,', '"no_logsumexp": lambda x,'),
    ('"mkldnn_rnn_layer_backward": _of_recurrence_backward,', ""),
    ("sum().to(x.dtype)", "sum().float()"),
    ("one, _places(one)) for size", "one) for size"),
    ("one for one in args[10:13] if", "one for one in args[10:12] if"),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_disturbance(check: Callable[[Any], None]) -> None:
    check(disturbance)


@pytest.mark.parametrize(("old", "new"), BREAKS)
def test_every_break_turns_a_check_red(old: str, new: str) -> None:
    assert seen(disturbance, old, new, CHECKS), f"nothing sees {old!r} -> {new!r}"
