"""The command line, as a user meets it: exit codes, one clear line for a mistake, the table."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from equivalence.catalogue import CATALOGUE
from properties.cli import main
from tests.test_idx import NAME, idx

Captured = pytest.CaptureFixture[str]

OWN = '''
from torch import nn
import torch
from equivalence import Dim, Equivalence, Real


class Own(nn.Module):
    def __init__(self, features, out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out, features, features))
        bound = features**-0.5 if features else 0
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, x, y):
        if x.shape != y.shape or x.shape[-1] != self.weight.shape[-1]:
            raise ValueError("x and y need one shape, with as many features as the weight")
        if {x.dtype, y.dtype} != {self.weight.dtype}:
            raise TypeError("x and y need the dtype of the weight")
        return torch.einsum("...i,oij,...j->...o", x, self.weight, {y})


class OwnIsBilinear(Equivalence):
    """An einsum of three factors equals nn.Bilinear."""

    features: Dim
    out: Dim
    x = Real("*batch features")
    y = Real("*batch features")

    def reference(self):
        return nn.Bilinear(self.features, self.features, self.out, bias=False)

    def candidate(self):
        return Own(self.features, self.out)


class NoCandidate(Equivalence):
    """Half a claim."""

    x = Real("*batch")

    def reference(self):
        return nn.Identity()
'''


def run(*arguments: str, capsys: Captured) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_list_names_every_claim(capsys: Captured) -> None:
    code, out, _ = run("list", capsys=capsys)
    assert code == 0
    for name in CATALOGUE:
        assert re.search(rf"^{name} ", out, re.MULTILINE)


def test_a_right_claim_holds(capsys: Captured) -> None:
    code, out, err = run("verify", "two-d-fc", "--law", "forward", "--law", "rows", capsys=capsys)
    assert (code, err) == (0, "")
    assert re.search(r"two-d-fc +=  = +\d+\n", out)
    assert "hold 2" in out


def test_a_declared_break_is_shown_with_its_case(capsys: Captured) -> None:
    code, out, _ = run("verify", "masked-output", "--law", "forward", capsys=capsys)
    assert code == 0
    assert "OutputMaskIsMasked is refuted by forward, as declared" in out
    assert "smallest case  out_features=1, in_features=2" in out
    assert "refuted as declared 1" in out


def test_the_replay_line_shows_the_same_difference(capsys: Captured) -> None:
    _, out, _ = run("verify", "masked-output", "--law", "forward", capsys=capsys)
    replay = re.search(r"replay +equivalence replay '([^']*)' --law forward", out)
    assert replay
    code, again, _ = run("replay", replay[1], "--law", "forward", capsys=capsys)
    assert code == 1
    assert again.startswith("FAILS: OutputMaskIsMasked under forward\n")
    assert re.search(r"difference .*", out)[0] == re.search(r"difference .*", again)[0]  # type: ignore[index]


def test_a_claim_in_a_file_and_a_deliberate_mistake(tmp_path: Path, capsys: Captured) -> None:
    right, wrong = tmp_path / "own_right.py", tmp_path / "own_wrong.py"
    right.write_text(OWN.replace("{y}", "y"))
    wrong.write_text(OWN.replace("{y}", "x"))
    assert run("verify", f"{right}:OwnIsBilinear", capsys=capsys)[0] == 0
    code, out, _ = run("verify", f"{wrong}:OwnIsBilinear", "--law", "forward", capsys=capsys)
    assert code == 1
    assert "OwnIsBilinear is refuted by forward\n" in out
    assert re.search(r"difference +output\[0\]: candidate -?\d+, reference -?\d+", out)


NAMESAKES = """
from torch import nn
from equivalence import Dim, Equivalence, Real


class Same(nn.Linear):
    pass


class SameIsLinear(Equivalence):
    n: Dim
    x = Real("*batch n")

    def reference(self):
        return nn.Linear(self.n, 2)

    def candidate(self):
        return Same(self.n, 2)


class AgainIsLinear(SameIsLinear):
    pass
"""


def test_claims_of_one_file_and_of_its_namesake_keep_their_classes(tmp_path: Path, capsys: Captured) -> None:
    places = []
    for folder in (tmp_path / "one", tmp_path / "other"):
        folder.mkdir()
        (folder / "own.py").write_text(NAMESAKES)
        places += [f"{folder / 'own.py'}:{name}" for name in ("SameIsLinear", "AgainIsLinear")]
    code, out, _ = run("verify", *places, "--law", "state", capsys=capsys)
    assert code == 0, out


MISTAKES = [
    (["verify", "two-d-fcc"], "no claim is called 'two-d-fcc'", "did you mean 'two-d-fc'?"),
    (["verify", "two-d-fc", "--law", "forwrd"], "a law is one of", "did you mean 'forward'?"),
    (["verify", "two-d-fc", "--at", "heigt=3"], "'heigt' was given", "did you mean 'height'?"),
    (["verify", "two-d-fc", "--at", "height=-3"], "--at height=-3", "AtLeast(low=0)"),
    (["verify", "two-d-fc", "--at", "batch=2xx"], "--at batch=2xx", "write 32x3"),
    (["verify", "two-d-fc", "--at", "bias=perhaps"], "--at bias=perhaps", "one of false, true"),
    (["verify", "two-d-fc", "--at", "height"], "--at takes name=value pairs", "'height'"),
    (["verify", "nowhere:Claim"], "nowhere cannot be imported", "No module named 'nowhere'"),
    (["verify", "nowhere.py:Claim"], "nowhere.py cannot be imported", "no such file"),
    (["verify", "equivalence.claims.masked:Nothing"], "has no claim 'Nothing'", "OutputMaskIsMasked"),
    (["verify", "two-d-fc", "--data", "nowhere"], "nowhere", "neither was found"),
]


@pytest.mark.parametrize(("arguments", "problem", "remedy"), MISTAKES, ids=lambda value: " ".join(value)[:40])
def test_bad_usage_gets_one_clear_line(
    arguments: list[str], problem: str, remedy: str, capsys: Captured
) -> None:
    code, out, err = run(*arguments, capsys=capsys)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert problem in err
    assert remedy in err


def test_half_a_claim_says_what_is_missing(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "own_half.py"
    path.write_text(OWN.replace("{y}", "y"))
    code, _, err = run("verify", f"{path}:NoCandidate", capsys=capsys)
    assert code == 2
    assert "candidate is missing" in err


def test_a_module_that_fails_to_import_shows_its_error(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "own_broken.py"
    path.write_text("import a_package_that_nobody_has\n")
    code, _, err = run("verify", f"{path}:Claim", capsys=capsys)
    assert code == 2
    assert "No module named 'a_package_that_nobody_has'" in err


def test_images_are_fed(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / (NAME + ".gz")).write_bytes(gzip.compress(idx(5, 3, 4)))
    arguments = ["verify", "two-d-fc", "--law", "forward", "--data", str(tmp_path)]
    code, out, _ = run(*arguments, "--at", "height=3,width=4,out_features=2", capsys=capsys)
    assert code == 0
    assert "(200, 3, 4) of the images" in out
    code, _, err = run(*arguments, "--at", "height=4,width=3,out_features=2", capsys=capsys)
    assert code == 2
    assert "images of (3, 4)" in err


def test_the_same_run_twice_says_the_same(capsys: Captured) -> None:
    texts = [
        run("verify", "masked-input", "--law", "forward", "--law", "rows", capsys=capsys)[1] for _ in range(2)
    ]
    first, second = (re.sub(r"[\d.]+ s$", "", text.strip()) for text in texts)
    assert first == second


def test_the_published_size_has_eight_parameters(capsys: Captured) -> None:
    pins = "in_features=4,out_features=2,bias=false,batch=32x3"
    laws = ["--law", "forward", "--law", "parameter_count"]
    code, out, _ = run("verify", "n-d-linear", "--at", pins, *laws, capsys=capsys)
    assert code == 0
    assert "(32, 3, 4)" in out
    assert out.count(" 8 free parameters") == 2


def test_the_module_runs_as_a_command() -> None:
    command = [sys.executable, "-m", "properties", "verify", "two-d-fc", "--law", "parameter_count"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603


ONCE = """
from pathlib import Path

from torch import nn

from equivalence import Dim, Equivalence, Real

with Path("{counted}").open("a") as counted:
    counted.write("x")


class SameIsLinear(Equivalence):
    features: Dim
    x = Real("*batch features")

    def reference(self):
        return nn.Linear(self.features, 3)

    def candidate(self):
        return nn.Linear(self.features, 3)
"""


def test_the_file_of_a_claim_is_executed_once(tmp_path: Path) -> None:
    counted = tmp_path / "counted"
    (tmp_path / "once.py").write_text(ONCE.replace("{counted}", str(counted)))
    for runs in (1, 2):
        assert main(["verify", f"{tmp_path / 'once.py'}:SameIsLinear", "--law", "forward"]) == 0
        assert counted.read_text() == "x" * runs


def test_a_constructor_that_raises_is_told_without_a_table(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "raising.py"
    file.write_text(NAMESAKES.replace("return Same(self.n, 2)", "return Same(self.m, 2)"))
    code, out, err = run("verify", f"{file}:SameIsLinear", capsys=capsys)
    assert code == 1
    assert "AttributeError: 'SameIsLinear' object has no attribute 'm'" in out
    assert "no case was executed" in err
    assert len(out.splitlines()) <= 14
    assert len(out.partition("ERROR: ")[2].partition("claims 1,")[0].splitlines()) <= 10
