"""The page's HTML: one file, everything escaped, the urgent first."""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from properties.report.document import Report, TensorRecord
from properties.report.files import ReportError
from properties.report.numbers import count, duration, plural, scientific
from properties.report.page import page as rendered
from properties.report.page import write_page
from properties.report.pictures import absence, blocks, coverage, scale, shape
from properties.report.view import groups, verdict
from tests.report.example import CLOSING, HOSTILE, VERDICT


class Elements(HTMLParser):
    """The elements of a page, and the text outside of its style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def attributes(self) -> Iterator[tuple[str, str]]:
        for _, attributes in self.elements:
            yield from ((name, value or "") for name, value in attributes.items())


@pytest.fixture(scope="module")
def html(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def elements(html: str) -> Elements:
    return Elements(html)


def test_markup_from_a_claim_makes_no_element(html: str, elements: Elements) -> None:
    tags = [tag for tag, _ in elements.elements]
    assert tags.count("script") == 1
    assert not {"img", "i", "iframe", "object", "embed", "link", "form"} & set(tags)
    assert HOSTILE not in html
    assert CLOSING not in html
    assert HOSTILE in elements.text
    assert CLOSING in elements.text


def test_what_looks_like_a_template_is_text(elements: Elements) -> None:
    assert "&lt;b&gt; {{ 7 * 7 }}" in elements.text


def test_no_attribute_runs_a_script_or_names_an_address(elements: Elements) -> None:
    for name, value in elements.attributes():
        assert not name.startswith("on")
        assert name not in ("src", "srcset", "style", "action", "formaction", "background")
        assert name != "href" or value == "#matrix"


def test_nothing_in_the_page_is_an_address(html: str) -> None:
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html.replace("// ", ""))


def test_the_policy_forbids_every_request(elements: Elements) -> None:
    policy = next(one["content"] for tag, one in elements.elements if one.get("http-equiv"))
    assert policy is not None
    rules = dict(rule.split(maxsplit=1) for rule in policy.split("; "))
    assert rules.pop("default-src") == rules.pop("base-uri") == rules.pop("form-action") == "'none'"
    assert set(rules) == {"style-src", "script-src"}
    assert all(re.fullmatch(r"'sha256-[\w+/]{43}='", source) for source in rules.values())


def test_identifiers_are_unique(elements: Elements) -> None:
    identifiers = [value for name, value in elements.attributes() if name == "id"]
    assert len(identifiers) == len(set(identifiers))


def test_every_cell_has_a_button_and_a_dialog(report: Report, elements: Elements) -> None:
    opened = [one["data-dialog"] for _, one in elements.elements if "data-dialog" in one]
    dialogs = [one["id"] for tag, one in elements.elements if tag == "dialog"]
    assert len(opened) == len(report.cells)
    assert opened == dialogs


def test_what_is_not_as_claimed_comes_first(report: Report) -> None:
    found = {title: [row.claim.name for row in rows] for title, rows in groups(report).items()}
    assert found == {
        "Not as claimed": ["conv-transposed", "attention-fast", "bias-shared", "batch-norm-folded", HOSTILE],
        "As claimed, with breaks declared or not claimed": [
            "two-d-fc-v1",
            "two-d-fc-einsum",
            "n-d-linear-kronecker",
            "masked-output",
        ],
        "As claimed": ["two-d-fc", "n-d-linear", "masked-where"],
    }


def test_what_is_not_claimed_has_a_mark_a_reason_and_the_verdict_of_its_claim(html: str) -> None:
    said = html[html.index('data-link="two-d-fc-einsum/rejects"') - 400 :]
    assert re.match(r".*?class=\"mark unclaimed\".*?>-</button>", said, re.DOTALL)
    assert "<b>Not claimed:</b> beyond the claimed function" in html
    assert "<dt>Called the same</dt><dd>the function</dd>" in html
    assert f"<dt>Verdict</dt><dd>{VERDICT}</dd>" in html


@pytest.mark.parametrize("lost", [0, -1])
def test_a_cell_of_no_listed_claim_is_an_error(report: Report, lost: int) -> None:
    claims = [claim for claim in report.claims if claim is not report.claims[lost]]
    with pytest.raises(ValueError, match="each cell is of one listed claim and one listed law"):
        groups(replace(report, claims=claims))


def test_a_cell_given_twice_is_an_error(report: Report) -> None:
    with pytest.raises(ValueError, match="give each cell once"):
        groups(replace(report, cells=[*report.cells, report.cells[0]]))


def test_an_interrupted_run_says_so_and_what_is_missing(report: Report, html: str) -> None:
    part = rendered(replace(report, complete=False, cells=report.cells[:100]))
    text = " ".join("".join(Elements(part).text).split())
    assert "Incomplete. The run ended early: 56 cells of the matrix were not checked." in text
    assert part.count('class="unchecked"') == 56
    assert "Incomplete." not in html


def test_the_headline_is_the_verdict(report: Report) -> None:
    fine = [cell for cell in report.cells if cell.status == "holds"]
    assert verdict(report) == "7 of 156 cells are not as claimed"
    assert verdict(replace(report, cells=fine)) == "Everything is as claimed"
    assert verdict(replace(report, cells=fine, complete=False)) == "Everything checked so far is as claimed"
    assert verdict(replace(report, cells=[])) == "Nothing was checked"


def test_without_jinja2_the_error_says_what_to_install(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ReportError, match=r'pip install "layer-equivalence\[reports\]"'):
        write_page(report, tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def tensor(
    *dimensions: int, entries: tuple[float | str, ...] = (), wrong: tuple[int, ...] = ()
) -> TensorRecord:
    return TensorRecord("x", dimensions, "float64", entries, wrong=wrong)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (tensor(entries=(7,)), {"": [["7"]]}),
        (tensor(3, entries=(1, 2, 3)), {"": [["1", "2", "3"]]}),
        (tensor(2, 2, entries=(1, 2, 3, 4)), {"": [["1", "2"], ["3", "4"]]}),
        (
            tensor(2, 1, 1, 2, entries=(1, 2, 3, 4)),
            {"[0, 0, :, :]": [["1", "2"]], "[1, 0, :, :]": [["3", "4"]]},
        ),
        (tensor(0, 3), {}),
        (TensorRecord("x", (9, 9), "float64", (), omitted=True), {}),
    ],
)
def test_a_tensor_is_shown_as_its_matrices(one: TensorRecord, expected: dict[str, list[list[str]]]) -> None:
    found = {block.label: [[entry.text for entry in row] for row in block.rows] for block in blocks(one, 1)}
    assert found == expected
    assert bool(absence(one)) == (not expected)


def test_colours_follow_sign_and_size_and_words_have_their_own() -> None:
    one = tensor(7, entries=(-8, -1, 0, 2.0, 5, 8, "nan"))
    (block,) = blocks(one, scale(one))
    assert [entry.style for entry in block.rows[0]] == ["n4", "n1", "z", "p1", "p3", "p4", "s"]


def test_a_wrong_entry_is_marked_and_keeps_every_digit() -> None:
    value = 0.30000000000000004
    (block,) = blocks(tensor(2, entries=(value, value), wrong=(1,)), 1)
    assert [(entry.text, entry.wrong) for entry in block.rows[0]] == [("0.3", False), (str(value), True)]


def test_two_sides_share_their_scale() -> None:
    assert scale(tensor(1, entries=(2,)), None, tensor(2, entries=(-9, "inf"))) == 9
    assert scale(None) == 0


def test_shapes_are_words() -> None:
    assert (shape(tensor(2, 3)), shape(tensor())) == ("2 × 3 float64", "scalar float64")


def test_sizes_share_columns_and_options_do_not() -> None:
    found = coverage(
        {"height": {"2": 4, "10": 1}, "width": {"2": 8}, "bias": {"True": 1, "False": 3}, "no": {}}
    )
    assert found.columns == [2, 10]
    texts = {name: [entry and entry.text for entry in row] for name, row in found.grid.items()}
    assert texts == {"height": ["4", "1"], "width": ["8", None]}
    assert {name: [option for option, _ in row] for name, row in found.options.items()} == {
        "bias": ["False", "True"]
    }
    assert [entry and entry.style for entry in found.grid["height"]] == ["c4", "c1"]


def test_of_many_options_the_frequent_ones_are_shown() -> None:
    found = coverage({"mask": {f"mask {number}": number for number in range(1, 31)}})
    assert [option for option, _ in found.options["mask"]][:2] == ["mask 30", "mask 29"]
    assert found.others == {"mask": 6}


def test_numbers_are_readable() -> None:
    assert [duration(seconds) for seconds in (0.0341, 1.25, 59.99, 83.4)] == [
        "34 ms",
        "1.2 s",
        "60.0 s",
        "1 min 23 s",
    ]
    assert [scientific(number) for number in (4.47e-7, 0.0312, 1, 2e9)] == [
        "4.5 × 10⁻⁷",
        "0.031",
        "1",
        "2 × 10⁹",
    ]
    assert (count(12345), plural(1, "cell"), plural(2000, "cell")) == ("12,345", "1 cell", "2,000 cells")
