"""`equivalence compare`, as a user meets it: verdicts, what it writes, what it refuses to guess or to run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from properties.cli import main
from properties.comparison import module_at
from properties.comparison.expression import read_expression
from properties.comparison.words import read_fields
from properties.reading.claims import UsageError

FORMS = """
import torch
from torch import nn
from torch.nn import functional


class Einsum(nn.Linear):
    def forward(self, x):
        if x.shape[-1] != self.in_features:
            raise ValueError("another number of features")
        if x.dtype != self.weight.dtype:
            raise TypeError("another dtype")
        product = torch.einsum("...i,oi->...o", x, self.weight)
        return product if self.bias is None else product + self.bias


class Doubled(Einsum):
    def forward(self, x):
        return 2 * super().forward(x)


class Transposed(nn.Module):
    def __init__(self, n_in, n_out, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out))
        self.offset = nn.Parameter(torch.randn(n_out)) if bias else None

    def forward(self, x):
        product = x @ self.weight
        return product if self.offset is None else product + self.offset


def sequential(in_features, out_features, bias):
    return nn.Sequential(nn.Identity(), nn.Linear(in_features, out_features, bias))


class Filled(nn.Linear):
    def forward(self, x, keep):
        return super().forward(x).masked_fill(~keep, 0)


class Chosen(nn.Linear):
    def forward(self, x, keep):
        return torch.where(keep, super().forward(x), 0)


class Inverted(nn.Linear):
    def forward(self, x, keep):
        return super().forward(x).masked_fill(keep, 0)


class Masked(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def forward(self, x, n):
        return x.masked_fill(torch.arange(self.steps) >= n[..., None], 0).sum(-1)


class Running(Masked):
    def forward(self, x, n):
        return x.cumsum(-1).gather(-1, n[..., None] - 1)[..., 0]


class Short(Masked):
    def forward(self, x, n):
        return super().forward(x, n.clamp(max=self.steps - 1))


class OneHot(nn.Module):
    def __init__(self, classes, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, width))

    def forward(self, i):
        return functional.one_hot(i, self.weight.shape[0]).to(self.weight.dtype) @ self.weight


class LoRA(nn.Linear):
    def __init__(self, in_features, out_features, rank):
        super().__init__(in_features, out_features)
        self.a = nn.Parameter(torch.randn(rank, in_features))
        self.b = nn.Parameter(torch.randn(out_features, rank))

    def forward(self, x):
        return super().forward(x) + x @ self.a.T @ self.b.T


class Scaled(nn.Module):
    def __init__(self, mode="sum", scale=1.0):
        super().__init__()
        self.mode, self.scale = mode, scale

    def forward(self, x, y):
        total = (x + y) * self.scale
        return {"sum": torch.sum, "mean": torch.mean}[self.mode](total, -1)


class Picky(nn.Linear):
    def __init__(self, in_features, out_features):
        raise ValueError("the moon is not full")
"""
LINEAR = ["--fields", "in_features,out_features=1:16", "--input", "*batch in_features"]
RENAMED = [
    *("forms.py:sequential", "forms.py:Transposed", "--fields", "in_features,out_features,bias=bool"),
    *("--pass", "new.n_in=in_features", "--pass", "new.n_out=out_features", "--input", "*batch in_features"),
]
FORWARD = ["--law", "forward"]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "forms.py").write_text(FORMS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def compare(*arguments: str, capsys: Captured) -> tuple[int, str, str]:
    code = main(["compare", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_right_rewrite_is_the_same_layer_and_leaves_nothing_behind(capsys: Captured, folder: Path) -> None:
    code, out, err = compare("torch.nn:Linear", "forms.py:Einsum", *LINEAR, capsys=capsys)
    assert (code, err) == (0, "")
    assert re.search(
        r"^the same layer, as far as \d+ cases of 16 laws tell\ncarried: bias, weight\n", out, re.MULTILINE
    )
    assert re.search(
        r"^  looked at: \d+ cases, sizes 0 to \d+, float64, now and then float32; whole ",
        out,
        re.MULTILINE,
    )
    assert "\n  not looked at: larger sizes, values beyond 1e4, float16 and bfloat16," in out
    assert re.search(r"^EinsumIsLinear +=", out, re.MULTILINE)
    assert [path.name for path in folder.iterdir() if path.name != "__pycache__"] == ["forms.py"]


def test_a_wrong_rewrite_is_refuted_and_its_claim_stays_for_the_replay(
    capsys: Captured, folder: Path
) -> None:
    words = ["torch.nn:Linear", "forms.py:Doubled", *LINEAR, *FORWARD, "--law", "parameter_count"]
    code, out, _ = compare(*words, capsys=capsys)
    assert code == 1
    assert "\nNOT the same function: refuted by forward; 1 law held\n" in out
    (kept,) = (folder / ".equivalence" / "claims").glob("*.py")
    assert str(kept.relative_to(folder)) in out
    assert main(["verify", f"{kept}:DoubledIsLinear", *FORWARD]) == 1


def test_a_declared_break_is_as_claimed(capsys: Captured) -> None:
    words = ["torch.nn:Linear", "forms.py:Doubled", *LINEAR, *FORWARD, "--law", "parameter_count"]
    code, out, _ = compare(*words, "--breaks", 'forward=twice "as much"', capsys=capsys)
    assert code == 0
    assert "\nNOT the same function, as declared: other outputs; 1 law held\n" in out
    code, out, _ = compare(
        "torch.nn:Linear", "forms.py:Einsum", *LINEAR, *FORWARD, "--breaks", "forward=no", capsys=capsys
    )
    assert code == 1
    assert "\nNOT as declared: no break of forward was found" in out


PLAIN = """
import torch
from torch import nn


class Plain(nn.Linear):
    def forward(self, x):
        return torch.einsum("...i,oi->...o", x, self.weight) + self.bias
"""


def test_one_word_says_how_much_is_claimed_and_the_rest_is_told(capsys: Captured, folder: Path) -> None:
    (folder / "plain.py").write_text(PLAIN, encoding="utf-8")
    words = ["torch.nn:Linear", "plain.py:Plain", *LINEAR, *FORWARD, "--law", "rejects"]
    code, out, _ = compare(*words, "--same", "function", "--write", "claim.py", capsys=capsys)
    assert code == 0
    told = r"the same function, as far as \d+ cases of 1 law tell; accepts inputs that the reference refuses"
    assert re.search(f"^{told}$", out, re.MULTILINE)
    assert '    same = "function"\n' in (folder / "claim.py").read_text(encoding="utf-8")
    code, out, _ = compare(*words, capsys=capsys)
    assert code == 1
    assert "\nNOT the same module: refuted by rejects; the same function, as far as " in out
    assert 'claim no more than that: --same function; or declare it: --breaks rejects="the reason"' in out


def test_a_break_beyond_the_word_is_a_contradiction(capsys: Captured) -> None:
    words = ["torch.nn:Linear", "forms.py:Einsum", *LINEAR, "--same", "function", "--breaks", "rejects=no"]
    code, _, err = compare(*words, capsys=capsys)
    assert code == 2
    assert "take 'rejects' out of breaks, or say same = 'module'" in err


def test_other_names_are_listed_on_both_sides_and_never_guessed(capsys: Captured, folder: Path) -> None:
    code, out, err = compare(*RENAMED, capsys=capsys)
    assert (code, out) == (2, "")
    assert "offset, weight of new have no such counterpart in old" in err
    assert re.search(r"^  name +old +new$", err, re.MULTILINE)
    for row in (r"1\.weight +\(12, 6\) +-", r"1\.bias +\(12,\) +-", r"weight +- +\(6, 12\) +to be given"):
        assert re.search(rf"^  {row}$", err, re.MULTILINE)
    assert "--carry 'weight=old. ...'     by its shape, perhaps old.1.weight.T" in err
    assert not (folder / ".equivalence").exists()


def test_equal_names_of_unequal_shapes_are_not_carried(capsys: Captured) -> None:
    words = ["--pass", "new.n_in=in_features", "--pass", "new.n_out=out_features", "--fields"]
    fields = "in_features=1:3,out_features=1:3,bias=false"
    code, _, err = compare(
        "torch.nn:Linear", "forms.py:Transposed", *words, fields, *LINEAR[2:], capsys=capsys
    )
    assert code == 2
    assert "weight of new has no such counterpart" in err


def test_what_carry_says_is_carried(capsys: Captured) -> None:
    carry = ["--carry", "weight=old.1.weight.T", "--carry", "offset=old.1.bias"]
    code, out, _ = compare(*RENAMED, *carry, *FORWARD, "--law", "parameter_gradient", capsys=capsys)
    assert code == 0
    assert "carried: offset from 1.bias, weight" in out


def test_a_merged_weight_is_an_expression(capsys: Captured) -> None:
    words = ["forms.py:LoRA", "torch.nn:Linear", "--fields", "in_features,out_features,old.rank=1:3"]
    carry = ["--carry", "weight=old.weight + old.b @ old.a"]
    laws = [*FORWARD, "--law", "parameter_gradient"]
    assert compare(*words, *LINEAR[2:], *carry, *laws, capsys=capsys)[0] == 0
    wrong = ["--carry", "weight=old.weight - old.b @ old.a"]
    assert compare(*words, *LINEAR[2:], *wrong, *laws, capsys=capsys)[0] == 1


def test_indices_are_drawn_below_a_field(capsys: Captured) -> None:
    fields = ["--fields", "num_embeddings,embedding_dim", "--index", "i=*batch<num_embeddings"]
    renamed = ["--pass", "new.classes=num_embeddings", "--pass", "new.width=embedding_dim"]
    words = ["torch.nn:Embedding", "forms.py:OneHot", *fields, *renamed, *FORWARD]
    assert compare(*words, capsys=capsys)[0] == 0


@pytest.mark.parametrize(("candidate", "code"), [("Running", 0), ("Short", 1)])
def test_lengths_go_up_to_a_field(candidate: str, code: int, capsys: Captured) -> None:
    inputs = ["--input", "*batch steps", "--lengths", "*batch<=steps"]
    words = ["forms.py:Masked", f"forms.py:{candidate}", "--fields", "steps", *inputs]
    assert compare(*words, *FORWARD, capsys=capsys)[0] == code


@pytest.mark.parametrize(("candidate", "code"), [("Chosen", 0), ("Inverted", 1)])
def test_an_input_may_be_true_or_false(candidate: str, code: int, capsys: Captured) -> None:
    inputs = ["--input", "*batch in_features", "--bool", "keep=*batch out_features"]
    words = ["forms.py:Filled", f"forms.py:{candidate}", "--fields", "in_features,out_features", *inputs]
    assert compare(*words, *FORWARD, capsys=capsys)[0] == code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ("mode=sum|mean,scale=0.5", 0),
        ("mode=mean,scale=2", 0),
        ("old.mode=sum,new.mode=mean", 1),
        ("old.scale=1e0,new.scale=1.0,mode=sum", 0),
        ("old.scale=1.0,new.scale=2.0", 1),
    ],
)
def test_fixed_values_and_choices_reach_the_constructors(fields: str, code: int, capsys: Captured) -> None:
    inputs = ["--input", "*batch 3", "--input", "other=*batch 3"]
    words = ["forms.py:Scaled", "forms.py:Scaled", "--fields", fields, *inputs]
    assert compare(*words, *FORWARD, capsys=capsys)[0] == code


@pytest.mark.parametrize(
    ("word", "source", "annotation"),
    [
        ("n", "self.n", "Annotated[int, AtLeast(1)]"),
        ("n=0:", "self.n", "Annotated[int, AtLeast(0)]"),
        ("n=1:16", "self.n", "Annotated[int, Between(1, 16)]"),
        ("n=bool", "self.n", "bool"),
        ("n=true|false", "self.n", "bool"),
        ("n=sum|mean", "self.n", 'Literal["sum", "mean"]'),
        ("n=1|2|None", "self.n", "Literal[1, 2, None]"),
        ("n=4", "4", ""),
        ("n=-4", "-4", ""),
        ("n=true", "True", ""),
        ("n=None", "None", ""),
        ("n=1e-5", "1e-05", ""),
        ("n=sum", '"sum"', ""),
        ("n=nan", '"nan"', ""),
        ("n=it's", '"it\'s"', ""),
        ("n=a\\", '"a\\\\"', ""),
    ],
)
def test_a_word_of_the_fields_is_read(word: str, source: str, annotation: str) -> None:
    (argument,) = read_fields(word)
    assert (argument.name, argument.source, argument.annotation) == ("n", source, annotation)


def test_two_files_of_one_stem_are_two_modules(folder: Path, capsys: Captured) -> None:
    for side, factor in (("before", 2), ("after", 3)):
        (folder / side).mkdir()
        layer = "from torch import nn\n\n\nclass Layer(nn.Linear):\n    def forward(self, x):\n"
        text = f"{layer}        return super().forward(x) * {factor}\n"
        (folder / side / "layer.py").write_text(text, encoding="utf-8")
    words = ["before/layer.py:Layer", "after/layer.py:Layer", *LINEAR, *FORWARD]
    code, out, _ = compare(*words, capsys=capsys)
    assert code == 1
    assert "NewLayerIsOldLayer" in out
    same = ["before/layer.py:Layer", "before/layer.py:Layer", *LINEAR, *FORWARD]
    assert compare(*same, capsys=capsys)[0] == 0


def test_a_neighbour_that_python_would_confuse_is_named(folder: Path, capsys: Captured) -> None:
    for side in ("left", "right"):
        (folder / side).mkdir()
        (folder / side / "shared_neighbour.py").write_text(f"SIDE = {side!r}\n", encoding="utf-8")
        (folder / side / "form.py").write_text(
            "import shared_neighbour\nfrom torch import nn\n\nLayer = nn.Linear\n", encoding="utf-8"
        )
    code, _, err = compare("left/form.py:Layer", "right/form.py:Layer", *LINEAR, capsys=capsys)
    assert code == 2
    assert "both have 'shared_neighbour'" in err


def test_the_written_claim_passes_under_pytest(folder: Path, capsys: Captured) -> None:
    laws = [*FORWARD, "--law", "rows"]
    words = [*RENAMED, "--carry", "weight=old.1.weight.T", "--carry", "offset=old.1.bias", *laws]
    code, out, _ = compare(*words, "--write", "claim.py", capsys=capsys)
    assert code == 0
    assert "the claim is kept in claim.py" in out
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "claim.py"]
    # Elsewhere, with its neighbours: the claim finds them from its own folder.
    moved = folder / "moved"
    moved.mkdir()
    for name in ("claim.py", "forms.py"):
        (folder / name).rename(moved / name)
    done = subprocess.run(command, cwd=moved, check=False, capture_output=True, text=True)  # noqa: S603
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_printed_claim_is_all_of_the_output(folder: Path, capsys: Captured) -> None:
    words = ["torch.nn:Linear", "forms.py:Einsum", *LINEAR, *FORWARD]
    code, out, err = compare(*words, "--write", "-", capsys=capsys)
    assert code == 0
    assert re.search(r"\nthe same function, as far as \d+ cases of 1 law tell\n", err)
    (folder / "claim.py").write_text(out, encoding="utf-8")
    assert main(["verify", "claim.py:EinsumIsLinear", *FORWARD]) == 0


def test_a_file_is_replaced_only_by_force(folder: Path, capsys: Captured) -> None:
    (folder / "claim.py").write_text("precious = 1\n", encoding="utf-8")
    words = ["torch.nn:Linear", "forms.py:Einsum", *LINEAR, *FORWARD, "--write", "claim.py"]
    code, _, err = compare(*words, capsys=capsys)
    assert code == 2
    assert "--force" in err
    assert (folder / "claim.py").read_text(encoding="utf-8") == "precious = 1\n"
    assert compare(*words, "--force", capsys=capsys)[0] == 0
    assert "class EinsumIsLinear(Equivalence):" in (folder / "claim.py").read_text(encoding="utf-8")


def test_an_option_that_the_two_take_otherwise_is_told(capsys: Captured) -> None:
    fields = ["--fields", "in_features,out_features,new.bias=bool", *LINEAR[2:]]
    code, _, err = compare("torch.nn:Linear", "torch.nn:Linear", *fields, *FORWARD, capsys=capsys)
    assert code == 2
    assert "new has no bias at" in err
    assert "bias=False" in err


def test_what_is_not_carried_is_said(capsys: Captured) -> None:
    words = ["forms.py:LoRA", "torch.nn:Linear", "--fields", "in_features,out_features,old.rank=1:3"]
    code, out, _ = compare(*words, *LINEAR[2:], *FORWARD, capsys=capsys)
    assert code == 1
    assert "\ncarried: bias, weight\nin old, but not carried to new: a, b\n" in out


def test_a_law_that_does_not_apply_is_no_answer(capsys: Captured) -> None:
    words = ["torch.nn:Linear", "forms.py:Einsum", *LINEAR, "--law", "masked"]
    _, out, _ = compare(*words, capsys=capsys)
    assert "the same layer" not in out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no quotes in the names of files")
def test_a_path_with_quotes_stays_text(folder: Path, capsys: Captured) -> None:
    path = folder / 'it\'s "quoted""" \\ é.py'
    (folder / "forms.py").rename(path)
    words = [f"{path.name}:Einsum", f"{path.name}:Einsum", *LINEAR, *FORWARD, "--write", "claim.py"]
    assert compare(*words, capsys=capsys)[0] == 0
    assert main(["verify", "claim.py:NewEinsumIsOldEinsum", *FORWARD]) == 0


HOSTILE = [
    "__import__('os').mkdir('executed')",
    "open('executed', 'w')",
    "old.weight.__class__",
    "old.weight.data",
    "old.weight.T.numpy()",
    "(lambda: old.weight)()",
    "[one for one in old.weight]",
    "os.getcwd()",
    "torch.load('executed')",
    "torch.save(old.weight, 'executed')",
    "torch.sigmoid(old.weight)",
    "torch.ops",
    "torch",
    "self",
    "theta",
    'theta["nothing"]',
    "theta.pop('weight')",
    "9**9**9",
    "1 << 99999",
    "'a' * 999999999",
    "[old.weight] * 999999999",
    "999999999999999999999 * old.weight",
    "1e999 * old.weight",
    "old.weight if old.bias else old.weight",
    "old.weight[(one := 1)]",
    "f'{old.weight}'",
    "old.weight.reshape(*old.weight)",
    "old.weight.sum(dtype=int)",
    "old.weight; import os",
    "old.weight\nimport os",
    "old.wieght",
    "new.weight",
    "nothing",
    "old.weight.reshape",
    "old.weight)",
    "(" * 400,
    "-" * 490 + "1",
    "1+" * 300 + "1",
    "old.weight" * 100,
    "\0",
]


@pytest.mark.parametrize("expression", HOSTILE, ids=lambda text: text[:24])
def test_what_is_not_on_the_list_is_refused_and_nothing_runs(
    expression: str, folder: Path, capsys: Captured
) -> None:
    with pytest.raises(UsageError):
        read_expression(f"weight={expression}", {"n": "self.n"}, ["weight", "bias"])
    words = ["torch.nn:Linear", "forms.py:Einsum", *LINEAR, "--carry", f"weight={expression}"]
    code, out, err = compare(*words, capsys=capsys)
    assert (code, out) == (2, "")
    assert "--carry" in err or "weight=" in err
    assert "Traceback" not in err
    assert not (folder / "executed").exists()


@pytest.mark.parametrize(
    ("expression", "source"),
    [
        ("old.1.weight.T", 'theta["1.weight"].T'),
        (
            "old.weight.reshape(n, -1)[:, 0, None, ...]",
            'theta["weight"].reshape(self.n, -1)[:, 0, None, ...]',
        ),
        ("2*old.weight/k - 1", '2 * theta["weight"] / 4 - 1'),
        ("torch.cat([old.weight, old.1.weight], 0)", 'torch.cat([theta["weight"], theta["1.weight"]], 0)'),
        ("torch.block_diag(old.weight, old.weight)", 'torch.block_diag(theta["weight"], theta["weight"])'),
        ("old.weight.permute((1, 0)).contiguous()", 'theta["weight"].permute((1, 0)).contiguous()'),
        ("old.weight[n*2:(n+1)*2]", 'theta["weight"][self.n * 2:(self.n + 1) * 2]'),
    ],
)
def test_what_is_on_the_list_is_rewritten(expression: str, source: str) -> None:
    values = {"n": "self.n", "k": "4"}
    found = read_expression(f"weight={expression}", values, ["weight", "1.weight"])
    assert found.source == source


def test_the_longest_name_of_a_parameter_is_taken() -> None:
    found = read_expression("weight=old.a.T.T", {}, ["a", "a.T"])
    assert (found.source, found.reads) == ('theta["a.T"].T', frozenset({"a.T"}))


MISTAKES = [
    (["torch.nn:Linear", "forms.py:Nothing", *LINEAR], "no class or function 'Nothing'", "Einsum"),
    (["torch.nn:Linear", "Einsum", *LINEAR], "new is file.py:Name or module:Name", "torch.nn:Linear"),
    (["torch.nn:Linear", "nowhere.py:Einsum", *LINEAR], "nowhere.py cannot be imported", "no such file"),
    (["nowhere:Linear", "forms.py:Einsum", *LINEAR], "nowhere cannot be imported", "No module named"),
    (["torch.nn:Linear", "forms.py:Einsum", *LINEAR[:2]], "a layer has an input", '--input "*batch in_'),
    (
        ["torch.nn:Linear", "forms.py:Einsum", *LINEAR[2:]],
        "old needs in_features, out_features",
        "--pass old",
    ),
    (
        ["torch.nn:Linear", "forms.py:Transposed", *LINEAR],
        "takes no in_features, out_features",
        "n_in, n_out",
    ),
    (
        ["torch.nn:Linear", "forms.py:Picky", *LINEAR],
        "ValueError: the moon is not full",
        "constructor of new",
    ),
    (["forms.py:Picky", "forms.py:Einsum", *LINEAR], "ValueError: the moon is not full", "reference"),
    ([*RENAMED, "--pass", "n_in=3"], "--pass takes old.argument=size", "'n_in'"),
    ([*RENAMED, "--pass", "new.bias=os.name"], "os.name is not allowed", "an expression is made of"),
    ([*RENAMED, "--carry", "wieght=old.1.weight"], "got 'wieght'", "did you mean 'weight'?"),
    (
        [*RENAMED, "--carry", "weight=old.1.weight.T.save()"],
        ": old.1.weight.T.save() is not allowed",
        ".reshape()",
    ),
    ([*RENAMED, "--carry", "weight"], "--carry takes name=value", "'weight'"),
    (["torch.nn:Linear", "forms.py:Einsum", *LINEAR, "--carry", "bias=old.weight"], "'bias' is", "reshape"),
    (
        ["torch.nn:Linear", "forms.py:Einsum", *LINEAR, "--carry", "bias=old.bias @ old.weight.T"],
        "--carry cannot be computed at in_features=20",
        "RuntimeError",
    ),
    (
        ["torch.nn:Linear", "forms.py:Einsum", *LINEAR[:3], "*batch in_feature"],
        ": an axis is",
        "nearly",
    ),
    (["torch.nn:Linear", "forms.py:Einsum", *LINEAR, "--at", "n=3"], "'n' was given", "in_features"),
    (
        ["torch.nn:Linear", "torch.nn:LazyLinear", "--fields", "old.in_features=4,out_features", *LINEAR[2:]],
        "knows the shape of every parameter",
        "construct it with its sizes",
    ),
    (
        [
            "torch.nn:Embedding",
            "torch.nn:Embedding",
            "--fields",
            "num_embeddings=4,embedding_dim",
            "--index",
            "i=*batch<num_embeddings",
        ],
        "the sizes are embedding_dim",
        "name=4:4",
    ),
    (
        ["forms.py:Masked", "forms.py:Running", "--fields", "steps=4", "--lengths", "*batch<steps"],
        "--lengths takes axes<=size",
        'as in "l=*batch<=classes"',
    ),
    (["torch.nn:Linear", "forms.py:Einsum", *LINEAR, "--breaks", "forwrd=x"], "a law is one of", "forward"),
    (["torch.nn:Linear", "forms.py:Einsum", *LINEAR, "--write", "claim.txt"], "a Python file", "claim.py"),
    (["torch.nn:Linear", "forms.py:Einsum", *LINEAR, "--write", "no/claim.py"], "a folder", "no"),
    (["torch.nn:Linear", "forms.py:Einsum", *LINEAR, "--input", "in_features=3"], "name of its own", "name="),
]


@pytest.mark.parametrize(("words", "problem", "remedy"), MISTAKES, ids=lambda value: " ".join(value)[-40:])
def test_a_mistake_gets_one_clear_message(
    words: list[str], problem: str, remedy: str, folder: Path, capsys: Captured
) -> None:
    code, out, err = compare(*words, capsys=capsys)
    assert (code, out) == (2, "")
    assert problem in err
    assert remedy in err
    assert "Traceback" not in err
    assert not (folder / ".equivalence").exists()


@pytest.mark.parametrize(
    "fields",
    ["a=", "1a", "class", "_a", "a,a", "a=3:1", "a=x|1.5", "other.a", "carry", "a=bool,a=3", "reference=1:2"],
)
def test_a_word_that_is_no_field_is_refused(fields: str) -> None:
    with pytest.raises(UsageError):
        read_fields(fields)


def test_a_module_that_fails_is_loaded_again_when_it_is_mended(folder: Path) -> None:
    path = folder / "broken.py"
    path.write_text("raise RuntimeError('not yet')\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="not yet"):
        module_at(__file__, str(path))
    path.write_text("ANSWER = 42\n", encoding="utf-8")
    assert module_at(__file__, str(path)).ANSWER == 42
    assert module_at(__file__, str(path)) is module_at(str(folder / "claim.py"), "broken.py")
