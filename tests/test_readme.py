"""The examples of README and docs/claims.md do what is shown; docs/catalogue.md shows what is declared."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from equivalence.catalogue import CATALOGUE
from properties.cases.domain import Domain
from properties.cli import main
from properties.running.suites import cells

ROOT = Path(__file__).parent.parent
README, CLAIMS, TABLE = (
    (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/claims.md", "docs/catalogue.md")
)
MOST_WORDS = 900


def block(page: str, words: str) -> str:
    """Give the first block of a page that holds these words."""
    blocks: list[str] = re.findall(r"```(?:python|console)?\n(.*?)```", page, re.DOTALL)
    return next(one for one in blocks if words in one)


FUSED = block(README, "class FusedRMSNorm")
MENDED = FUSED.replace("keepdim=True).sqrt()", "keepdim=True).add(self.eps).sqrt()").replace(
    "(root + self.eps)", "root"
)
COMMAND = block(README, "$ equivalence compare").split("$ equivalence ")[1].replace("\\\n", "")
ANSWER = block(README, "NOT the same function")
EXAMPLE = block(README, "class EinsumIsBilinear")


def measured(text: str) -> str:
    """Leave out what another processor rounds otherwise, and how many cases were drawn."""
    return re.sub(r"\d+(\.\d+e[+-]\d+|\.\d{3,}| cases)", "…", text)


@pytest.fixture
def compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Run the README's first command on a form, and give its exit code and what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(source: str, *more: str) -> tuple[int, str]:
        (tmp_path / "fused.py").write_text(source, encoding="utf-8")
        code = main([*shlex.split(COMMAND), *more])
        return code, capsys.readouterr().out

    return run


pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")


def test_the_first_example_gets_the_answer_that_is_shown(compared: Callable[..., tuple[int, str]]) -> None:
    code, printed = compared(FUSED)
    assert code == 1
    for part in measured(ANSWER).strip().split("\n\n"):
        assert part in measured(printed)


def test_the_first_example_holds_once_it_is_mended(compared: Callable[..., tuple[int, str]]) -> None:
    code, printed = compared(MENDED)
    assert code == 0
    answer = re.search(r"\"(the same function, as far as .*?)\",", README.replace("\n", " "))
    assert answer
    assert measured(answer[1]) in measured(printed)


@pytest.mark.parametrize(
    ("source", "dtype", "found"), [(FUSED, "bfloat16", "reference 0.365"), (MENDED, "float16", "[-10000]")]
)
def test_other_dtypes_find_what_is_told(
    source: str, dtype: str, found: str, compared: Callable[..., tuple[int, str]]
) -> None:
    code, printed = compared(source, "--law", "forward", "--dtype", dtype)
    assert code == 1
    assert found in printed


def shown(law: str) -> str:
    """Give the difference that the claims page shows for one law of the README's claim."""
    found = re.search(r"difference .*", block(CLAIMS, f"EinsumIsBilinear is refuted by {law}\n"))
    assert found
    return found[0]


@pytest.mark.parametrize(
    ("law", "source"),
    [("rejects", EXAMPLE), ("forward", EXAMPLE.replace("x, self.weight, y)", "x, self.weight, x)"))],
)
def test_the_example_finds_what_is_shown(
    law: str, source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"readme_{law}.py"
    path.write_text(source, encoding="utf-8")
    assert main(["verify", f"{path}:EinsumIsBilinear"]) == 1
    assert shown(law) in capsys.readouterr().out


def test_the_claim_of_the_example_has_fifteen_lines() -> None:
    claim = EXAMPLE[EXAMPLE.index("class EinsumIsBilinear") :]
    assert len([line for line in claim.splitlines() if line.strip()]) <= 15


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len(README.split()) <= MOST_WORDS


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_table_shows_what_is_declared(name: str) -> None:
    row = re.search(rf"^{name} +((?:[=~%x.]  ?)+) +[\d,]+$", TABLE, re.MULTILINE)
    assert row, f"docs/catalogue.md has no row for {name}: paste the end of `make verify`"
    marks = row[1].split()
    for mark, cell in zip(marks, cells(Domain(CATALOGUE[name])), strict=True):
        assert (mark == "x") == bool(cell.declared)
        assert (mark == ".") == bool(cell.inapplicable)
