"""The README's example does what the README says, and its table names what is declared."""

import re
from pathlib import Path

import pytest

from equivalence.catalogue import CATALOGUE
from properties.cases.domain import Domain
from properties.cli import main
from properties.running.suites import cells

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(?:python)?\n(.*?)```", README, re.DOTALL)
EXAMPLE = next(block for block in BLOCKS if "class EinsumIsBilinear" in block)


def shown(law: str) -> str:
    """Give the difference that the README shows for one law of its example."""
    block = next(block for block in BLOCKS if block.startswith(f"EinsumIsBilinear is refuted by {law}\n"))
    found = re.search(r"difference .*", block)
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


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_table_shows_what_is_declared(name: str) -> None:
    row = re.search(rf"^{name} +((?:[=~%x.]  ?)+) +[\d,]+$", README, re.MULTILINE)
    assert row, f"README's table has no row for {name}: paste the end of `make verify`"
    marks = row[1].split()
    for mark, cell in zip(marks, cells(Domain(CATALOGUE[name])), strict=True):
        assert (mark == "x") == bool(cell.declared)
        assert (mark == ".") == bool(cell.inapplicable)
