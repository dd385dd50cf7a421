"""A form is used in circumstances: each is tried, named where it matters, asked for and left out by name."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from equivalence import ClaimError, Dim, Equivalence, Real
from equivalence.claim import Theta
from properties.cases.domain import Domain
from properties.cases.sample import OutsideDomainError
from properties.circumstances import CIRCUMSTANCES, Use, circumstance, transforms
from properties.circumstances.registry import read, together
from properties.judging.judge import Judge, Verdict
from properties.laws import LAWS
from properties.reading.failures import FailureFileError, parse
from properties.refutation.counterexample import Refuted, pins
from properties.refutation.failure import described
from properties.running.cell import Cell, Plan
from properties.running.suites import cells
from properties.ways import EXACT, IN_CIRCUMSTANCES, ROUNDING
from tests.libraries import skip_without_library

GATE = [name for name, one in CIRCUMSTANCES.items() if one.tried == "gate"]


class Slip(nn.Linear):
    """Linear, and one more wherever `wrong` says so of the module and x."""

    wrong: Any = None

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + bool(self.wrong and type(self).wrong(self, x))


class Slips(Equivalence):
    """Linear is Linear, but for where it slips."""

    features: Dim
    form = Slip
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 2)

    def candidate(self) -> nn.Module:
        return type(self).form(self.features, 2)


class Pair(Slips):
    """A sum is a sum, of inputs without leading axes."""

    x = Real("features")


def claim(wrong: Any, **attributes: Any) -> type[Equivalence]:
    form = type("Slipping", (Slip,), {"wrong": staticmethod(wrong)})
    return type("Slipping", (Slips,), {"form": form, **attributes})


def in_eval(module: nn.Module, _: Tensor) -> bool:
    return not module.training


def deployed(module: nn.Module, _: Tensor) -> bool:
    return not module.training and not torch.is_grad_enabled()


def without_gradients(_: nn.Module, __: Tensor) -> bool:
    return not torch.is_grad_enabled()


def run(slipping: type[Equivalence], law: str = "forward", pins: Any = None, **plan: Any) -> Cell:
    cell = Cell(Domain(slipping, pins), LAWS[law])
    cell.test(Plan(**plan))()
    return cell


def refuted(slipping: type[Equivalence], law: str = "forward", pins: Any = None, **plan: Any) -> Refuted:
    with pytest.raises(Refuted) as raised:
        run(slipping, law, pins, **plan)
    return raised.value


def under(cell: Cell) -> set[tuple[str, ...]]:
    return {case.under for case in cell.tally.cases}


def test_the_gate_tries_each_circumstance_that_shows_in_the_law() -> None:
    for law, shown in (("forward", "values"), ("input_gradient", "gradients")):
        tried = {name for names in under(run(Slips, law)) for name in names}
        wanted = {name for name in GATE if CIRCUMSTANCES[name].shown in (shown, "both")}
        assert tried == wanted


def test_an_input_has_the_axes_that_a_circumstance_needs() -> None:
    (case,) = [case for case in run(Slips).tally.cases if case.under == ("channels_last",)]
    assert case.axes == {"batch": (2, 2, 3)}


def test_a_law_about_neither_values_nor_gradients_is_tried_in_the_plainest_use_alone() -> None:
    assert under(run(Slips, "parameter_count")) == {()}


@pytest.mark.parametrize("seed", range(3))
def test_the_smallest_case_names_the_circumstances_that_matter_and_no_others(seed: int) -> None:
    for profile in ("gate", "explore"):
        found = refuted(claim(deployed), seed=seed, profile=profile)
        assert found.verdict.case.under in {("eval", "no_grad"), ("eval", "inference")}
        assert "in eval mode, " in found.record.kind
        assert "in eval mode, " in found.record.case


def test_a_case_in_two_circumstances_is_cut_down_to_the_one_that_matters() -> None:
    cell = Cell(Domain(claim(without_gradients)), LAWS["forward"])
    found = verdict(claim(without_gradients), "eval", "no_grad", "transposed")
    assert not found.holds
    assert cell._smallest(found).case.under == ("no_grad",)


def test_what_differs_everywhere_is_shown_in_the_plainest_use() -> None:
    assert refuted(claim(lambda *_: True)).verdict.case.under == ()


def test_what_differs_in_a_mode_alone_is_for_the_law_about_modes() -> None:
    run(claim(in_eval))
    run(claim(in_eval), profile="explore")
    assert refuted(claim(in_eval), "modes").verdict.case.under == ()


def test_a_claim_about_a_mode_is_tried_in_it_alone() -> None:
    for word in (("eval",), ("no_grad",)):
        cell = run(
            claim(
                lambda module, _, mode=word[0]: (
                    module.training if mode == "eval" else torch.is_grad_enabled()
                ),
                circumstances=word,
            )
        )
        assert all(word[0] in names for names in under(cell))
    assert refuted(claim(in_eval, circumstances=("eval",))).verdict.case.under == ("eval",)


def test_modes_calls_a_form_in_no_mode_that_is_not_claimed() -> None:
    def in_train(module: nn.Module, _: Tensor) -> bool:
        return module.training

    for wrong, elsewhere in ((in_train, "eval"), (in_eval, "not eval")):
        run(claim(wrong, circumstances=(elsewhere,)), "modes")
        refuted(claim(wrong), "modes")
    run(claim(in_train), "modes", pins={"under": ("eval",)})
    refuted(claim(in_eval, circumstances=("eval",)), "modes")
    refuted(claim(in_train, circumstances=("not eval",)), "modes")


def test_a_claim_about_a_mode_is_decided_as_exactly_as_any_other() -> None:
    cell = run(Slips, pins={"under": ("eval",)})
    assert cell.tally.decided[EXACT] > cell.tally.decided[ROUNDING] == 0
    assert cell.tally.decided[IN_CIRCUMSTANCES]
    assert not run(Slips, pins={"under": ("autocast",)}).tally.decided[EXACT]


def test_a_reader_asks_for_circumstances_and_leaves_some_out() -> None:
    assert refuted(claim(in_eval), pins={"under": ("eval",)}).verdict.case.under == ("eval",)
    left = run(claim(without_gradients), pins={"under": ("not no_grad", "not inference")})
    tried = {name for names in under(left) for name in names}
    assert not tried & {"no_grad", "inference"}
    assert "transposed" in tried


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("evil",), "did you mean 'eval'?"),
        (("not evil",), "did you mean 'eval'?"),
        (("no_grad", "inference"), "one circumstance of the gradients at most"),
    ],
)
def test_words_that_cannot_be_are_refused_with_the_rule(words: Sequence[str], told: str) -> None:
    with pytest.raises(ClaimError, match=told):
        Domain(claim(in_eval, circumstances=words))
    with pytest.raises(ClaimError, match=told):
        Domain(Slips, {"under": words})


def test_a_word_in_place_of_a_tuple_is_refused_with_the_remedy() -> None:
    with pytest.raises(ClaimError, match=r"a tuple of words, but got 'eval'; write \('eval',\)"):
        Domain(claim(in_eval, circumstances="eval"))


def test_a_circumstance_that_cannot_be_had_is_refused_where_it_is_asked_for() -> None:
    with pytest.raises(ClaimError, match=r"can be had, but vmap cannot \(no leading axes"):
        cells(Domain(Pair, {"under": ("vmap",)}))
    assert "vmap" not in Domain(Pair).circumstances("values")


@pytest.mark.parametrize("law", ["input_gradient", "parameter_gradient", "second_derivative"])
def test_no_gradient_is_looked_at_where_none_can_show(law: str) -> None:
    cell = Cell(Domain(Slips, {"under": ("eval", "no_grad")}), LAWS[law])
    assert cell.inapplicable == "no gradient is looked at without gradients"
    assert not Cell(Domain(Slips, {"under": ("eval",)}), LAWS[law]).inapplicable


def test_names_are_read_as_they_are_written_in_one_order() -> None:
    assert read("no_grad+eval") == read("eval+no_grad") == ("eval", "no_grad")
    assert read("") == together([]) == ()


def verdict(slipping: type[Equivalence], *names: str, pins: Any = None, law: str = "forward") -> Verdict:
    domain = Domain(slipping, pins)
    case = replace(domain.typical, axes={"batch": (3,)}, under=names)
    return Judge(domain, LAWS[law]).verdict(case)


class NoBatches(torch.autograd.Function):
    """x, for which torch.func knows no rule."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return gradient


def test_a_transform_that_only_the_candidate_lacks_is_told_and_refuted_where_it_was_asked_for() -> None:
    def lacking(_: nn.Module, x: Tensor) -> bool:
        NoBatches.apply(x)  # type: ignore[no-untyped-call]
        return False

    told = verdict(claim(lacking), "vmap")
    assert told.holds
    assert "cannot be used under torch.func.vmap, which refutes nothing" in told.notes[0]
    assert verdict(claim(lacking), "strided", "vmap").notes == told.notes
    assert not verdict(claim(lacking), "vmap", pins={"under": ("vmap",)}).holds


def test_a_circumstance_that_computes_in_float32_is_no_form_that_does() -> None:
    cancelling = answering(lambda x: (x.sin() + 1e5) - 1e5, lambda x: (x.sin() + 3e6) - 3e6)
    assert verdict(cancelling, "after_float").rounding_used
    assert not verdict(cancelling, "after_float").notes
    single = answering(lambda x: x.float().sin().double(), torch.sin)
    assert "equal within float32" in verdict(single, "again").notes[0]


def test_what_a_compiler_makes_is_refuted_by_what_differs_there_alone() -> None:
    found = verdict(
        claim(lambda *_: torch.compiler.is_compiling()), "exported", pins={"under": ("exported",)}
    )
    assert not found.holds


class View(nn.Module):
    """x itself, or a tensor whose numbers all lie in one place."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.answer(x)
        return answer


class Given(Equivalence):
    """One function of x is another."""

    features: Dim
    answers = (torch.clone, torch.clone)
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return View(type(self).answers[0])

    def candidate(self) -> nn.Module:
        return View(type(self).answers[1])


def answering(reference: Any, candidate: Any) -> type[Equivalence]:
    return type("Answering", (Given,), {"answers": (reference, candidate)})


def repeated(x: Tensor) -> Tensor:
    return (x[..., :1] * 0).expand(x.shape)


def test_outputs_lie_in_memory_of_their_own_where_those_of_the_reference_do() -> None:
    assert not verdict(answering(torch.clone, lambda x: x.view(x.shape)), "after_writing").holds
    assert not verdict(answering(lambda x: x * 0, repeated), "after_writing").holds


def test_an_output_may_lie_where_that_of_the_reference_does_or_in_other_strides() -> None:
    with pytest.raises(OutsideDomainError):
        verdict(answering(lambda x: x.view(x.shape), torch.clone), "after_writing")
    assert verdict(answering(torch.clone, lambda x: x.t().clone().t()), "after_writing").holds


class Reading(torch.autograd.Function):
    """x, whose backward reads its cotangent from the start of its memory."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return gradient.as_strided(gradient.shape, gradient.stride(), 0)


class Writing(Reading):
    """x, whose backward writes to its cotangent."""

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return gradient.mul_(1)


def test_a_cotangent_that_is_part_of_a_wider_one_lies_behind_its_start() -> None:
    reading = answering(torch.clone, Reading.apply)
    assert not verdict(reading, "cotangent_strided", law="input_gradient").holds


class Written(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = Writing.apply(super().forward(x))  # type: ignore[no-untyped-call]
        return y


def test_the_backward_of_an_earlier_call_has_no_expanded_cotangent() -> None:
    writing = type("Written", (Slips,), {"form": Written})
    assert verdict(writing, "after_backward", law="input_gradient").holds
    assert not verdict(writing, "summed", law="input_gradient").holds


class Saving(torch.autograd.Function):
    """x², which saves a tensor of its own for backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(2 * x)
        return x * x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient * ctx.saved_tensors[0]


def test_the_backward_of_an_earlier_call_is_taken_outside_inference_mode() -> None:
    squared = answering(torch.square, Saving.apply)
    assert verdict(squared, "inference", "after_backward").holds


class Closed(nn.Linear):
    """Linear, by a function that reads the parameters of the layer that it was made in."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.product: Any = lambda x: nn.functional.linear(x, self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.product(x)
        return y


def test_a_copy_computes_with_parameters_of_its_own() -> None:
    assert not verdict(type("Closing", (Slips,), {"form": Closed}), "copied").holds


class Tabled(nn.Linear):
    """Linear times a table."""

    table: Tensor

    def __init__(self, in_features: int, out_features: int, *, persistent: bool = True) -> None:
        super().__init__(in_features, out_features)
        self.register_buffer("table", torch.arange(1.0, out_features + 1), persistent=persistent)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.table


class Forgetful(Tabled):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features, persistent=False)


class Tied(nn.Linear):
    """Linear twice, by one weight of two names."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.again = self.weight

    def forward(self, x: Tensor) -> Tensor:
        return (super().forward(x) + nn.functional.linear(x, self.again)) / 2


class Two(Slips):
    """A layer of the class in first place is the one of the class in second place."""

    forms: ClassVar[Sequence[Callable[..., nn.Module]]]

    def reference(self) -> nn.Module:
        return self.forms[0](self.features, 2)

    def candidate(self) -> nn.Module:
        return self.forms[1](self.features, 2)


def two(*forms: Callable[..., nn.Module]) -> type[Equivalence]:
    return type("Two", (Two,), {"forms": forms})


def test_what_no_state_holds_is_lost_where_that_of_the_reference_holds_all() -> None:
    assert verdict(two(Tabled, Tabled), "materialised").holds
    difference = verdict(two(Tabled, Forgetful), "materialised").difference
    assert difference is not None
    assert difference.candidate == "nan"
    with pytest.raises(OutsideDomainError, match="the reference gives something else"):
        verdict(two(Forgetful, Tabled), "materialised")


def test_a_file_holds_no_tensor_twice_where_that_of_the_reference_does_not() -> None:
    skip_without_library("safetensors")
    told = verdict(two(nn.Linear, Tied), "safetensors")
    assert told.holds
    assert "cannot be used saved and loaded by safetensors, which refutes nothing" in told.notes[0]
    asked = verdict(two(nn.Linear, Tied), "safetensors", pins={"under": ("safetensors",)})
    assert asked.difference is not None
    assert "share memory" in asked.difference.candidate
    with pytest.raises(OutsideDomainError, match="share memory"):
        verdict(two(Tied, nn.Linear), "safetensors")


class Halving(nn.Linear):
    """Linear, its parameters kept at twice their size."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) / 2


class Doubled(Two):
    forms = (nn.Linear, Halving)

    def carry(self, theta: Theta) -> Theta:
        return {name: 2 * value for name, value in theta.items()}


def test_what_comes_out_of_a_file_is_what_was_saved() -> None:
    skip_without_library("safetensors")
    assert verdict(Doubled, "safetensors", pins={"under": ("safetensors",)}).holds


def test_what_no_library_writes_is_not_tried_and_the_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transforms, "find_spec", lambda _: None)
    assert "safetensors" not in Domain(Slips).circumstances("values", exploring=True)
    with pytest.raises(ClaimError, match="safetensors is not installed"):
        cells(Domain(Slips, {"under": ("safetensors",)}))


LAYERS = (
    nn.BatchNorm1d,
    lambda size, _: nn.GRU(size, size),
    lambda size, _: nn.TransformerEncoderLayer(size, 1, 3, dropout=0.0),
    lambda size, out: nn.utils.parametrizations.weight_norm(nn.Linear(size, out)),
    lambda size, out: nn.utils.parametrizations.spectral_norm(nn.Linear(size, out)),
)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("under", ["materialised", "safetensors"])
def test_layers_of_torch_come_back_from_their_states(under: str, layer: Callable[..., nn.Module]) -> None:
    skip_without_library(under)
    found = verdict(two(layer, layer), under, pins={"under": (under,)})
    plain = verdict(two(layer, layer))
    assert found.holds
    assert plain.holds


def test_a_failure_keeps_its_circumstances_and_its_line_replays_them() -> None:
    found = refuted(claim(deployed))
    failure = described(found, smallest=True)
    assert failure.under == list(found.verdict.case.under)
    content = json.dumps(asdict(failure))
    assert parse(content.encode()).under == failure.under
    assert pins(found.verdict.case).endswith("under=" + "+".join(failure.under))


@pytest.mark.parametrize("wrong", [["evil"], ["no_grad", "eval"], ["no_grad", "inference"], "eval", [3]])
def test_circumstances_of_a_file_that_none_writes_are_refused(wrong: Any) -> None:
    failure = asdict(described(refuted(claim(deployed)), smallest=True))
    with pytest.raises(FailureFileError, match="the under of a replay file is"):
        parse(json.dumps({**failure, "under": wrong}).encode())


@pytest.fixture
def registered() -> Iterator[None]:
    before = dict(CIRCUMSTANCES)
    yield
    CIRCUMSTANCES.clear()
    CIRCUMSTANCES.update(before)


@pytest.mark.usefixtures("registered")
def test_a_circumstance_of_ones_own_is_tried_in_the_gate() -> None:
    @circumstance("inputs", "with x doubled and halved", shown="values")
    def doubled(_: Use, call: Any, *inputs: Tensor) -> Any:
        return call(*(2 * x / 2 for x in inputs))

    assert ("doubled",) in under(run(Slips))
    assert doubled is CIRCUMSTANCES["doubled"].change


@pytest.mark.usefixtures("registered")
def test_a_function_that_is_no_circumstance_is_refused_with_the_rule() -> None:
    with pytest.raises(ClaimError, match=r"takes \(use, call, \*inputs\), but 'short'"):

        @circumstance("inputs", "short")
        def short(call: Any) -> Any:
            return call

    with pytest.raises(ClaimError, match="a circumstance's name is its own, but 'frozen'"):

        @circumstance("parameters", "taken")
        def frozen(theta: Any) -> Any:
            return theta

    with pytest.raises(ClaimError, match="a circumstance changes one of mode, "):
        circumstance("weather", "in the rain")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name in CIRCUMSTANCES if CIRCUMSTANCES[name].tried != "asked"])
def test_what_the_user_has_set_is_the_same_after_a_case_as_before_it(name: str) -> None:
    skip_without_library(name)
    before = (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu"))
    state, dtype = torch.get_rng_state(), torch.get_default_dtype()
    law = "input_gradient" if CIRCUMSTANCES[name].shown == "gradients" else "forward"
    assert verdict(Slips, name, law=law).holds
    after = (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu"))
    assert before == after
    assert torch.equal(state, torch.get_rng_state())
    assert dtype == torch.get_default_dtype()


class SavedInTraining(nn.Linear):
    """A layer that uses in eval what no state holds."""

    kept: Tensor

    def __init__(self, features: int) -> None:
        super().__init__(features, 2)
        self.register_buffer("kept", torch.rand(2), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if self.training else super().forward(x) + self.kept


class OwnInEval(Slips):
    def candidate(self) -> nn.Module:
        return SavedInTraining(self.features)


@pytest.mark.parametrize(("circumstances", "holds"), [((), False), (("not eval",), True)])
def test_copies_are_compared_in_eval_where_that_is_claimed(
    circumstances: tuple[str, ...], *, holds: bool
) -> None:
    asked = type("OwnInEval", (OwnInEval,), {"circumstances": circumstances})
    assert verdict(asked, law="state").holds == holds
