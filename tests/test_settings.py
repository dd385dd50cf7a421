"""In what dtype, and on which device: what shows there alone is found there, and is seen there again."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import torch
from torch import Tensor, nn

from equivalence import Between, Dim, Equivalence, Index, Real
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.generators import generator_state
from properties.cases.regime import Reals
from properties.cases.sample import Sample
from properties.cases.setting import USUAL, Setting
from properties.cli import main
from properties.dtypes import DTYPES
from properties.judging.judge import Judge, Verdict
from properties.laws import LAWS
from properties.laws.inputs import _wrong
from properties.operations import tf32
from properties.oracle.disturbance import Disturbance
from properties.oracle.exact import MOST_MISSED, SIGNIFICANDS, Exactness
from properties.reading.failures import FailureFileError, parse, setting_of
from properties.refutation.counterexample import Refuted
from properties.refutation.failure import SCHEMA_VERSION, described, write
from properties.replaying.replay import from_case, from_failure
from properties.running.cell import Cell, Plan
from properties.running.recording import Status, record
from properties.running.refusals import MostlyRefusedError
from properties.ways import DISTRIBUTIONS, EXACT, ROUNDING

NARROW = [Setting(torch.bfloat16), Setting(torch.float16)]
EVERY = [Setting(dtype) for dtype in DTYPES.values()]
CUDA = torch.device("cuda")
on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU is here")
Features = Annotated[int, Between(1, 6)]
Captured = pytest.CaptureFixture[str]
HERE = Path(__file__).name


class Claim(Equivalence):
    """A form equals nn.Linear."""

    features: Features
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Linear(self.features, 2)

    def candidate(self) -> nn.Module:
        return nn.Linear(self.features, 2)


class Transposed(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.mT + self.bias


class RightIsLinear(Claim):
    """Nothing is wrong."""

    def candidate(self) -> nn.Module:
        return Transposed(self.features, 2)


class Slip(Transposed):
    """Off by a half in one dtype alone."""

    def __init__(self, features: int, dtype: torch.dtype) -> None:
        super().__init__(features, 2)
        self.off = dtype

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 0.5 * (x.dtype == self.off)


class SlipInBfloat16(Claim):
    """A kernel that is wrong in bfloat16 alone."""

    def candidate(self) -> nn.Module:
        return Slip(self.features, torch.bfloat16)


class Normed(nn.Module):
    """Rows of length 1, computed in float32 inside or in the dtype of the input."""

    def __init__(self, *, wide: bool) -> None:
        super().__init__()
        self.wide = wide

    def forward(self, x: Tensor) -> Tensor:
        values = x.float() if self.wide and x.dtype == torch.float16 else x
        squares = values.square().mean(-1, keepdim=True)
        return (values * (squares + torch.tensor(1e-8, dtype=values.dtype)).rsqrt()).to(x.dtype)


class EpsThatVanishes(Equivalence):
    """1e-8 is 0 in float16."""

    features: Features
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Normed(wide=True)

    def candidate(self) -> nn.Module:
        return Normed(wide=False)


class HalfInside(nn.Linear):
    """Multiplies and adds up in float16."""

    def forward(self, x: Tensor) -> Tensor:
        return (x.half() @ self.weight.half().mT + self.bias.half()).to(x.dtype)


class AddsInFloat16(Claim):
    """A kernel that keeps its sums in float16."""

    def candidate(self) -> nn.Module:
        return HalfInside(self.features, 2)


class ConstantLeftBehind(nn.Linear):
    """Makes a constant without a word of where."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * torch.ones(self.out_features, dtype=x.dtype)


class ConstantIsLeftBehind(Claim):
    """Right on the CPU alone."""

    def candidate(self) -> nn.Module:
        return ConstantLeftBehind(self.features, 2)


class TableLeftBehind(nn.Linear):
    """Keeps a tensor that no `to` moves."""

    def __init__(self, features: int) -> None:
        super().__init__(features, 2)
        self.table = torch.ones(2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.table.to(x.dtype)


class TableIsLeftBehind(Claim):
    """Right where the module is made alone."""

    def candidate(self) -> nn.Module:
        return TableLeftBehind(self.features)


class Solved(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        solved: Tensor = torch.linalg.solve_triangular(x.mT @ x, x.mT, upper=True)
        return solved


class Lacking(Equivalence):
    """torch solves nothing in float16."""

    n: Features
    x = Real("n n")

    def reference(self) -> nn.Module:
        return Solved()

    def candidate(self) -> nn.Module:
        return Solved()


class Dropped(Equivalence):
    """A layer that draws, beside itself."""

    features: Features
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return nn.Dropout()

    def candidate(self) -> nn.Module:
        return nn.Dropout()


def cell(claim: type[Equivalence], setting: Setting, law: str = "forward", **pins: Any) -> Cell:
    return Cell(Domain(claim, pins, setting=setting), LAWS[law])


def tried(claim: type[Equivalence], setting: Setting, law: str = "forward", **pins: Any) -> Cell:
    found = cell(claim, setting, law, **pins)
    found.test(Plan(examples=8))()
    return found


def refuted(claim: type[Equivalence], setting: Setting, law: str = "forward", **pins: Any) -> Refuted:
    with pytest.raises(Refuted) as caught:
        tried(claim, setting, law, **pins)
    return caught.value


def typical(setting: Setting, claim: type[Equivalence] = RightIsLinear) -> Case:
    return Domain(claim, setting=setting).typical


@pytest.mark.parametrize("setting", EVERY, ids=str)
@pytest.mark.parametrize("law", ["forward", "parameter_gradient", "precision", "state", "modes"])
def test_a_right_form_is_right_in_every_dtype(setting: Setting, law: str) -> None:
    found = tried(RightIsLinear, setting, law)
    assert found.tally.executed
    assert {case.setting for case in found.tally.cases} == {setting}


def test_a_slip_in_one_dtype_is_found_in_that_one_alone() -> None:
    for setting in (USUAL, Setting(torch.float32), Setting(torch.float16)):
        assert tried(SlipInBfloat16, setting).tally.executed
    found = refuted(SlipInBfloat16, Setting(torch.bfloat16))
    assert found.record.kind == "another function in bfloat16"
    assert found.record.decided.endswith("in bfloat16")


def test_an_eps_that_vanishes_is_found_on_a_row_of_zeros_in_float16() -> None:
    assert tried(EpsThatVanishes, USUAL, values="zeros").tally.executed
    assert "nan" in refuted(EpsThatVanishes, Setting(torch.float16), values="zeros").record.difference


def test_sums_in_float16_are_less_precise_in_float32_and_named() -> None:
    found = refuted(AddsInFloat16, Setting(torch.float32), "precision", values="normal").record
    assert found.kind == "the same function, less precise"
    assert "float16" in found.difference
    assert tried(AddsInFloat16, Setting(torch.float16), "precision", values="normal").tally.executed


@pytest.mark.parametrize("setting", EVERY, ids=str)
def test_integers_have_as_many_bits_as_the_significand_leaves(setting: Setting) -> None:
    found = cell(RightIsLinear, setting, features=2, batch=()).judge.tracing.exactness(
        replace(typical(setting), axes={"batch": ()})
    )
    assert not found.obstacle
    assert 0 < 2 * found.bits < SIGNIFICANDS[setting.dtype]
    assert found.suffices == (found.degree / 2 ** (found.bits + 1) <= MOST_MISSED)


def test_few_bits_stand_beside_reals_and_none_leave_these_alone() -> None:
    setting = Setting(torch.bfloat16)
    small, large = (
        Case(RightIsLinear(features=6), {"batch": (rows,)}, 0, setting=setting) for rows in (2, 2**8)
    )
    assert cell(RightIsLinear, setting).judge.verdict(small).decided == EXACT
    assert cell(RightIsLinear, setting, "parameter_gradient").judge.verdict(large).decided == ROUNDING


class DroppedByOtherDraws(Dropped):
    """The same layer, which draws in float64 whatever it is given."""

    def candidate(self) -> nn.Module:
        return DropsBySigns()


class DropsBySigns(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2 * (torch.randn(x.shape, dtype=torch.float64) > 0) if self.training else x


class Squared(nn.Module):
    """(1,000 x)², and something that is not finite beside it where that is not."""

    def __init__(self, *, cancels: bool) -> None:
        super().__init__()
        self.cancels = cancels

    def forward(self, x: Tensor) -> Tensor:
        large = (1000 * x).square()
        return large + (large - large) if self.cancels else large


class LeavesTheRangeOfFloat16(Equivalence):
    """inf beside nan, where the reference itself leaves the range."""

    features: Features
    x = Real("*batch features")

    def reference(self) -> nn.Module:
        return Squared(cancels=False)

    def candidate(self) -> nn.Module:
        return Squared(cancels=True)


class EntryByEntry(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(-2) * self.weight).sum(-1) + self.bias


class NoProductIsLinear(Claim):
    """Autocast computes a product of matrices in bfloat16, and products of entries as they are."""

    def candidate(self) -> nn.Module:
        return EntryByEntry(self.features, 2)


def test_what_a_narrow_dtype_rounds_is_no_draw() -> None:
    setting = Setting(torch.bfloat16)
    case = Case(DroppedByOtherDraws(features=3), {"batch": (4,)}, 0, setting=setting)
    verdict = cell(DroppedByOtherDraws, setting).judge.verdict(case)
    assert verdict.holds
    assert (verdict.decided, verdict.regime.dtype) == (DISTRIBUTIONS, torch.float32)


def test_where_both_forms_leave_the_range_of_float16_nothing_is_said() -> None:
    assert tried(LeavesTheRangeOfFloat16, Setting(torch.float16), values="normal").tally.executed


@pytest.mark.parametrize("setting", EVERY, ids=str)
def test_the_dtype_that_autocast_leaves_is_no_difference(setting: Setting) -> None:
    case = replace(typical(setting, NoProductIsLinear), under=("autocast",))
    assert cell(NoProductIsLinear, setting).judge.verdict(case).holds


def test_reals_are_tried_where_integers_of_a_narrow_dtype_miss_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Case] = []
    by_reals = Judge._by_reals

    def counted(judge: Judge, case: Case, exactness: Exactness | None = None) -> Verdict:
        asked.append(case)
        return by_reals(judge, case, exactness)

    monkeypatch.setattr(Judge, "_by_reals", counted)
    for setting in (USUAL, Setting(torch.bfloat16)):
        case = Case(RightIsLinear(features=2), {"batch": (2,)}, 0, setting=setting)
        assert cell(RightIsLinear, setting).judge.verdict(case).decided == EXACT
    assert [case.setting.dtype for case in asked] == [torch.bfloat16]


def test_a_case_with_bits_left_is_exact_where_the_largest_has_none() -> None:
    judge = cell(RightIsLinear, Setting(torch.bfloat16), "parameter_gradient").judge
    small, large = (
        Case(RightIsLinear(features=1), {"batch": (rows,)}, 0, setting=Setting(torch.bfloat16))
        for rows in (1, 2**8)
    )
    assert judge.tracing.exactness(large).bits < 1
    assert judge.tracing.exactness(small).bits >= 1


def test_files_of_two_settings_stand_side_by_side(tmp_path: Path) -> None:
    for setting in (USUAL, Setting(torch.bfloat16)):
        found = refuted(WrongEverywhere, setting)
        assert write(described(found), str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 2


class WrongEverywhere(Claim):
    """Wrong in every dtype."""

    def candidate(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.features, 2), nn.ReLU())

    def carry(self, theta: Any) -> Any:
        return {f"0.{name}": value for name, value in theta.items()}


@pytest.mark.parametrize(("bits", "stated"), [(0, None), (7, 2 / 2**8)])
def test_a_probability_is_stated_where_integers_miss_little(bits: int, stated: float | None) -> None:
    found = Exactness(bits, 0, degree=2, piecewise=False, dtype=torch.bfloat16)
    assert found.miss_probability == stated


def test_every_eighth_case_is_in_float32_where_the_setting_is_float64_alone() -> None:
    eighth = replace(typical(USUAL), seed=7)
    assert eighth.in_single
    assert not any(replace(eighth, setting=one).in_single for one in EVERY if one != USUAL)


@pytest.mark.parametrize("setting", NARROW, ids=str)
def test_what_says_nothing_in_a_narrow_dtype_does_not_apply(setting: Setting) -> None:
    for law in ("training", "training_adafactor", "training_muon"):
        assert cell(RightIsLinear, setting, law).inapplicable == (
            f"in {setting.dtype_name} rounding hides a wrong step of training"
        )
    assert not cell(RightIsLinear, Setting(torch.float32), "training").inapplicable


def test_a_dtype_that_the_reference_lacks_is_an_error_in_its_words() -> None:
    with pytest.raises(MostlyRefusedError, match="not implemented for 'Half'"):
        tried(Lacking, Setting(torch.float16))


def test_the_numbers_of_a_case_follow_from_its_seed_in_every_dtype() -> None:
    of_double = Sample(typical(USUAL), Reals(torch.float64))
    for setting in EVERY:
        of_this = Sample(typical(setting), Reals(setting.dtype))
        assert of_this.inputs[0].dtype == setting.dtype
        assert torch.equal(of_this.inputs[0], of_double.inputs[0].to(setting.dtype))


def test_a_case_and_its_file_are_seen_again_where_they_were_found() -> None:
    found = refuted(SlipInBfloat16, Setting(torch.bfloat16))
    line = found.record.replay
    assert line.endswith("--law forward --dtype bfloat16")
    assert "--" not in refuted(SlipInFloat64, USUAL).record.replay.partition("--law forward")[2]
    case = re.findall(r"'(.*)'", line)[0]
    assert from_case(case, "forward", setting=Setting(torch.bfloat16)).refuted
    assert from_case(case, "forward").refuted is None


class SlipInFloat64(Claim):
    """Wrong in float64."""

    def candidate(self) -> nn.Module:
        return Slip(self.features, torch.float64)


def kept(claim: type[Equivalence], setting: Setting, folder: Path) -> dict[str, Any]:
    found = cell(claim, setting)
    with pytest.raises(Refuted) as caught:
        found.test(Plan(examples=8))()
    assert record(found, "claim", 0.0, caught.value, str(folder)).status == Status.REFUTED
    (path,) = folder.iterdir()
    data: dict[str, Any] = json.loads(path.read_text())
    return data


def test_a_file_keeps_the_setting(tmp_path: Path) -> None:
    data = kept(SlipInBfloat16, Setting(torch.bfloat16), tmp_path)
    assert (data["dtype"], data["device"], data["schema"]) == ("bfloat16", "cpu", SCHEMA_VERSION)
    failure = parse(json.dumps(data).encode())
    assert setting_of(failure) == Setting(torch.bfloat16)
    assert from_failure(failure, SlipInBfloat16).refuted


def test_a_file_of_the_version_before_is_one_in_float64(tmp_path: Path) -> None:
    data = kept(SlipInFloat64, USUAL, tmp_path)
    del data["dtype"]
    failure = parse(json.dumps({**data, "schema": SCHEMA_VERSION - 1}).encode())
    assert setting_of(failure) == USUAL
    assert from_failure(failure, SlipInFloat64).refuted
    with pytest.raises(FailureFileError, match="keys"):
        parse(json.dumps(data).encode())


def test_a_file_from_a_device_that_is_not_here_is_told_in_one_line(tmp_path: Path) -> None:
    data = kept(SlipInFloat64, USUAL, tmp_path) | {"device": "cuda:99"}
    with pytest.raises(FailureFileError, match=r"found on cuda:99, .*; replay it where it can$"):
        from_failure(parse(json.dumps(data).encode()), SlipInFloat64)


COMMAND = ["verify", "n-d-linear", "--law=forward", "--examples=3"]


def test_the_command_line_says_in_what_it_runs(tmp_path: Path, capsys: Captured) -> None:
    assert main([*COMMAND, "--dtype=bfloat16", f"--json={tmp_path / 'report.json'}"]) == 0
    printed = capsys.readouterr().out
    assert "seed 0, bfloat16 on cpu\n" in printed
    assert "float16, float32 and float64, other devices" in " ".join(printed.split())
    environment = json.loads((tmp_path / "report.json").read_text())["environment"]
    assert (environment["dtype"], environment["device"]) == ("bfloat16", "cpu")


def test_two_constructors_are_compared_in_a_dtype(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "forms.py").write_text(
        "import torch\nfrom torch import nn\n\n\n"
        "class Slip(nn.Linear):\n"
        "    def forward(self, x):\n"
        "        return super().forward(x) + 0.5 * (x.dtype == torch.bfloat16)\n"
    )
    words = ["compare", "torch.nn:Linear", f"{tmp_path / 'forms.py'}:Slip", "--law=forward", "--examples=4"]
    words += ["--fields=in_features=1:3,out_features=1:3", "--input=*batch in_features"]
    assert main(words) == 0
    assert main([*words, "--dtype=bfloat16"]) == 1
    assert "--law forward --dtype bfloat16" in capsys.readouterr().out


@pytest.mark.parametrize("command", [COMMAND, ["replay", "n-d-linear(in_features=1,out_features=1)"]])
@pytest.mark.parametrize("device", ["cuda:99", "meta", "nowhere"])
def test_a_device_that_is_not_here_is_bad_usage(command: list[str], device: str, capsys: Captured) -> None:
    assert main([*command, f"--device={device}"]) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(rf"\w+: --device {device} cannot be used here: .*; take cpu\n", told)


SUITE = f"""
from properties import suite
from tests.{Path(__file__).stem} import SlipInBfloat16

TestSlip = suite(SlipInBfloat16, laws=["forward"], examples=4)
"""
pytest_plugins = ["pytester"]


def in_pytest(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_slip=SUITE)
    pytester.syspathinsert(Path(__file__).parent.parent)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)


def test_suites_run_in_the_dtype_that_pytest_is_told(pytester: pytest.Pytester) -> None:
    in_pytest(pytester).assert_outcomes(passed=1)
    found = in_pytest(pytester, "--equivalence-dtype=bfloat16")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["equivalence: profile gate, bfloat16 on cpu", "*--dtype bfloat16"])


def test_pytest_refuses_a_device_that_is_not_here(pytester: pytest.Pytester) -> None:
    found = in_pytest(pytester, "--equivalence-device=cuda:99")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(["ERROR: --equivalence-device cuda:99 cannot be used here: *; take cpu"])


def test_no_index_out_of_range_is_tried_on_a_gpu() -> None:
    class Indexed(Equivalence):
        below: Dim
        i = Index("*batch", "below")

    case, index = Case(Indexed(below=3), {"batch": (2,)}, 0), torch.zeros(2, dtype=torch.long)
    changes = {
        device: [name for name, _ in _wrong(Indexed.i, index, replace(case, setting=setting), typed=False)]
        for device, setting in (("cpu", USUAL), ("cuda", Setting(device=CUDA)))
    }
    assert "a negative index" in changes["cpu"]
    assert not any("index" in name for name in changes["cuda"])


@pytest.mark.parametrize(("allowed", "precision"), [(True, "high"), (False, "highest")])
def test_tf32_is_what_the_user_has_set(
    allowed: bool,  # noqa: FBT001  (as torch has it)
    precision: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", allowed)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: precision)
    single: Any = SimpleNamespace(is_cuda=True, dtype=torch.float32)
    assert tf32.in_tf32("convolution", [single]) == tf32.in_tf32("addmm", [single]) == allowed
    others: Any = [SimpleNamespace(is_cuda=True, dtype=torch.float64), torch.zeros(1)]
    assert not tf32.in_tf32("addmm", others)
    assert not tf32.in_tf32("add", [single])


@on_a_gpu
@pytest.mark.parametrize("setting", [replace(one, device=CUDA) for one in EVERY], ids=str)
@pytest.mark.parametrize("law", ["forward", "parameter_gradient", "precision", "state", "modes", "rejects"])
def test_a_right_form_is_right_on_a_gpu(setting: Setting, law: str) -> None:
    assert tried(RightIsLinear, setting, law).tally.executed


@on_a_gpu
@pytest.mark.parametrize("claim", [ConstantIsLeftBehind, TableIsLeftBehind])
def test_what_is_left_behind_on_the_cpu_is_found_on_a_gpu(claim: type[Equivalence]) -> None:
    assert tried(claim, USUAL).tally.executed
    assert refuted(claim, Setting(device=CUDA)).record.kind == "raises"


@on_a_gpu
def test_a_slip_in_bfloat16_is_found_on_a_gpu_and_seen_again_from_its_file(tmp_path: Path) -> None:
    data = kept(SlipInBfloat16, Setting(torch.bfloat16, CUDA), tmp_path)
    assert (data["dtype"], data["device"]) == ("bfloat16", "cuda")
    assert from_failure(parse(json.dumps(data).encode()), SlipInBfloat16).refuted


@on_a_gpu
def test_a_case_has_the_same_numbers_on_a_gpu() -> None:
    here = Sample(typical(USUAL), Reals(torch.float64))
    there = Sample(typical(Setting(device=CUDA)), Reals(torch.float64))
    assert there.inputs[0].is_cuda
    assert all(value.is_cuda for value in there.theta.values())
    assert torch.equal(there.inputs[0].cpu(), here.inputs[0])


@on_a_gpu
@pytest.mark.parametrize("dtype", DTYPES.values(), ids=list(DTYPES))
def test_a_disturbance_is_the_same_to_the_bit_on_a_gpu(dtype: torch.dtype) -> None:
    x = torch.randn(64, generator=torch.Generator().manual_seed(0)).to(dtype)
    found = []
    for device in ("cpu", "cuda"):
        with Disturbance(1):
            found.append((x.to(device) + 0).cpu())
    assert torch.equal(*found)
    assert not torch.equal(found[0], x)


@on_a_gpu
def test_random_forms_draw_the_same_on_a_gpu_and_leave_its_generator_as_it_was() -> None:
    with generator_state(3, CUDA):
        before = torch.cuda.get_rng_state()
        assert tried(Dropped, Setting(device=CUDA)).tally.executed
        assert torch.equal(before, torch.cuda.get_rng_state())


@on_a_gpu
def test_a_case_is_decided_on_a_gpu_by_the_ways_of_the_cpu() -> None:
    judge = Judge(Domain(RightIsLinear, setting=Setting(device=CUDA)), LAWS["forward"])
    verdict = judge.verdict(typical(Setting(device=CUDA)))
    assert verdict.holds
    assert verdict.decided == EXACT


@on_a_gpu
def test_the_command_line_runs_on_a_gpu(capsys: Captured) -> None:
    assert main([*COMMAND, "--device=cuda", "--dtype=float32"]) == 0
    assert "float32 on cuda" in capsys.readouterr().out
