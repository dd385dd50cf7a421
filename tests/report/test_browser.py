"""The page in a real browser: read, searched and driven, silent on the console, asking for nothing else."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from properties.report.document import Report, TensorRecord
from properties.report.files import write_json
from properties.report.page import write_page
from tests.report.example import CLOSING, HOSTILE, HOSTILE_EXAMPLE, IMPRECISE, TRANSPOSED

pytest.importorskip("selenium", reason="selenium comes with the dev group")

from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.report import browser, pictures

WIDTHS = {"a phone": 390, "a screen": 1440}
CONTRAST = """
const channel = (value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const luminance = ([red, green, blue]) =>
  0.2126 * channel(red / 255) + 0.7152 * channel(green / 255) + 0.0722 * channel(blue / 255);
const ground = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  const seen = numbers(colour);
  return seen.length === 4 && seen[3] === 0 && element.parentElement ? ground(element.parentElement) : seen;
};
const poor = [];
for (const element of document.querySelectorAll("body *")) {
  const own = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.checkVisibility() || element.closest(".hidden")) { continue; }
  const pair = [numbers(getComputedStyle(element).color), ground(element)].map(luminance);
  const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  if (ratio < 4.5) { poor.push(`${element.className} ${element.textContent.trim()}: ${ratio.toFixed(2)}`); }
}
return poor;
"""


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    """Start a browser; skip, or fail where one is required, if there is none."""
    absence = browser.absence()
    if absence and os.environ.get("EQUIVALENCE_BROWSER") == "required":
        pytest.fail(f"EQUIVALENCE_BROWSER=required, but {absence}")
    if absence:
        pytest.skip(absence)
    with browser.browser() as started:
        yield started


@pytest.fixture
def opened(driver: Chrome, page: Path) -> Iterator[Chrome]:
    """Open the page; afterwards, whatever the test did, nothing was said and nothing else was asked for."""
    browser.size(driver, 1440, 900)
    browser.open_file(driver, page)
    yield driver
    assert_quiet(driver, page)


def assert_quiet(driver: Chrome, page: Path) -> None:
    assert browser.complaints(driver) == []
    assert {address.split("#")[0] for address in browser.requests(driver)} == {page.as_uri()}


def cell(driver: Chrome, claim: str, law: str) -> WebElement:
    link = f"{quote(claim, safe='')}/{quote(law, safe='')}"
    return driver.find_element(By.CSS_SELECTOR, f'button[data-link="{link}"]')


def dialog(driver: Chrome) -> WebElement:
    return driver.find_element(By.CSS_SELECTOR, "dialog[open]")


def is_closed(driver: Chrome) -> bool:
    return not driver.find_elements(By.CSS_SELECTOR, "dialog[open]")


def shown(driver: Chrome) -> list[str]:
    return [name.text for name in driver.find_elements(By.CSS_SELECTOR, "#matrix .name") if name.text]


def press(driver: Chrome, *keys: str) -> None:
    ActionChains(driver).send_keys(*keys).perform()


def escape(driver: Chrome) -> None:
    """Close the open cell, and wait until the page has its focus and its address back."""
    press(driver, Keys.ESCAPE)
    WebDriverWait(driver, 10).until(lambda driver: "#" not in driver.current_url)
    WebDriverWait(driver, 10).until(
        lambda driver: driver.switch_to.active_element.get_attribute("data-link") is not None
    )


def entries(figure: WebElement) -> tuple[list[str], list[int]]:
    """Read a picture: every entry, and the places that are marked as wrong."""
    cells = figure.find_elements(By.CSS_SELECTOR, "td")
    wrong = [
        place for place, one in enumerate(cells) if "wrong" in (one.get_attribute("class") or "").split()
    ]
    return [one.text.removesuffix(" differs").split()[0] for one in cells], wrong


def figures(driver: Chrome) -> dict[str, WebElement]:
    found = dialog(driver).find_elements(By.CSS_SELECTOR, "figure")
    return {figure.find_element(By.CSS_SELECTOR, "figcaption b").text: figure for figure in found}


@pytest.mark.parametrize(
    ("claim", "name", "side"),
    [
        ("conv-transposed", "Reference", TRANSPOSED.reference_output),
        ("conv-transposed", "Candidate", TRANSPOSED.candidate_output),
        ("conv-transposed", "x", TRANSPOSED.values[0]),
        ("attention-fast", "Candidate", IMPRECISE.candidate_output),
    ],
)
def test_a_refuted_cell_opens_its_counterexample(
    opened: Chrome, claim: str, name: str, side: TensorRecord
) -> None:
    cell(opened, claim, "forward").click()
    texts, wrong = entries(figures(opened)[name])
    assert texts == [str(entry).removesuffix(".0") for entry in side.entries]
    assert wrong == list(side.wrong)


def test_a_refuted_cell_says_what_differs_why_and_how_to_see_it_again(opened: Chrome) -> None:
    cell(opened, "conv-transposed", "forward").click()
    text = dialog(opened).text
    for part in (TRANSPOSED.kind, TRANSPOSED.case, TRANSPOSED.where, TRANSPOSED.worst, TRANSPOSED.replay):
        assert part in text
    for sentence in TRANSPOSED.wiring:
        assert sentence in text
    assert "2 of 16 values" in text
    assert "too many to show" in text
    assert "≤ 4.6 × 10⁻⁵" in text


def test_wrong_entries_stand_out_by_border_and_weight_too(opened: Chrome) -> None:
    cell(opened, "conv-transposed", "forward").click()
    right, wrong = (
        figures(opened)["Candidate"].find_element(By.CSS_SELECTOR, f"td{part}") for part in (".z", ".wrong")
    )
    for look in ("background-color", "border-top-color", "font-weight"):
        assert right.value_of_css_property(look) != wrong.value_of_css_property(look)


def test_hostile_names_are_text(opened: Chrome) -> None:
    cell(opened, HOSTILE, "forward").click()
    text = dialog(opened).text
    for part in (HOSTILE, CLOSING, HOSTILE_EXAMPLE.candidate, HOSTILE_EXAMPLE.kind):
        assert part in text


def test_an_error_and_a_break_that_was_not_found_say_why(opened: Chrome) -> None:
    cell(opened, "batch-norm-folded", "layout").click()
    assert (
        "mat1 and mat2 shapes cannot be multiplied"
        in dialog(opened).find_element(By.CSS_SELECTOR, "pre").text
    )
    escape(opened)
    cell(opened, "bias-shared", "parameter_count").click()
    assert "take the declaration away" in dialog(opened).find_element(By.CSS_SELECTOR, "pre").text


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("transposed", ["conv-transposed"]),
        ("FORWARD refuted", ["conv-transposed", "attention-fast", HOSTILE, "masked-output"]),
        ("nonfinite declared", ["n-d-linear-kronecker"]),
        ("onerror=", [HOSTILE]),
        ("no such claim", []),
    ],
)
def test_search_leaves_the_claims_with_a_cell_of_every_word(
    opened: Chrome, typed: str, expected: list[str]
) -> None:
    opened.find_element(By.ID, "search").send_keys(typed)
    assert shown(opened) == expected
    assert opened.find_element(By.ID, "shown").text == f"{len(expected)} of 12 claims shown"
    assert opened.find_element(By.ID, "nothing").is_displayed() == (not expected)


def test_a_status_leaves_its_claims_and_gives_them_back(opened: Chrome) -> None:
    button = opened.find_element(By.CSS_SELECTOR, 'button[data-status="error"][aria-pressed]')
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert shown(opened) == ["batch-norm-folded", HOSTILE]
    button.click()
    assert len(shown(opened)) == 12


def test_all_claims_come_back_where_none_matches(opened: Chrome) -> None:
    opened.find_element(By.ID, "search").send_keys("no such claim")
    opened.find_element(By.ID, "clear").click()
    assert len(shown(opened)) == 12


def test_the_keyboard_alone_finds_moves_opens_and_closes(opened: Chrome) -> None:
    press(opened, "/", "kronecker", Keys.TAB)
    focused = opened.switch_to.active_element
    assert focused.get_attribute("data-link") == "n-d-linear-kronecker/forward"
    assert focused.value_of_css_property("outline-style") == "solid"
    press(opened, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ENTER)
    assert (
        dialog(opened).find_element(By.CSS_SELECTOR, "h2").text == "n-d-linear-kronecker under input_gradient"
    )
    escape(opened)
    assert is_closed(opened)
    assert opened.switch_to.active_element.get_attribute("data-law") == "input_gradient"


def test_arrows_go_up_and_down_over_the_groups_and_stop_at_the_edge(opened: Chrome) -> None:
    cell(opened, HOSTILE, "rows").click()
    escape(opened)
    press(opened, Keys.ARROW_DOWN)
    assert opened.switch_to.active_element.get_attribute("data-link") == "two-d-fc-v1/rows"
    press(opened, *[Keys.ARROW_UP] * 9)
    assert opened.switch_to.active_element.get_attribute("data-link") == "conv-transposed/rows"


@pytest.mark.parametrize("claim", ["masked-output", HOSTILE])
def test_an_address_opens_its_cell_and_is_the_address_of_an_open_one(
    opened: Chrome, page: Path, claim: str
) -> None:
    browser.open_file(opened, page, f"{quote(claim, safe='')}/forward")
    assert dialog(opened).find_element(By.CSS_SELECTOR, "h2").text == f"{claim} under forward"
    escape(opened)
    cell(opened, claim, "rows").click()
    assert opened.current_url.endswith(f"#{quote(claim, safe='')}/rows")


def test_the_arrows_of_a_cell_go_through_the_counterexamples(opened: Chrome) -> None:
    cell(opened, "conv-transposed", "forward").click()
    titles = []
    for _ in range(3):
        dialog(opened).find_element(By.CSS_SELECTOR, '[data-step="1"]').click()
        titles.append(dialog(opened).find_element(By.CSS_SELECTOR, "h2").text)
    assert titles == [
        "conv-transposed under input_gradient",
        "attention-fast under forward",
        "bias-shared under parameter_count",
    ]
    dialog(opened).find_element(By.CSS_SELECTOR, '[data-step="-1"]').click()
    assert dialog(opened).find_element(By.CSS_SELECTOR, "h2").text == titles[1]
    dialog(opened).find_element(By.CSS_SELECTOR, "[data-close]").click()
    assert is_closed(opened)


def test_the_replay_line_is_copied(opened: Chrome) -> None:
    permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    opened.execute_cdp_cmd("Browser.grantPermissions", {"permissions": permissions})
    cell(opened, HOSTILE, "forward").click()
    button = dialog(opened).find_element(By.CSS_SELECTOR, "[data-copy]")
    button.click()
    WebDriverWait(opened, 5).until(lambda _: button.text == "Copied")
    copied = opened.execute_async_script(
        "const done = arguments[0]; navigator.clipboard.readText().then(done, done)"
    )
    assert copied == HOSTILE_EXAMPLE.replay


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("claim", ["conv-transposed", "attention-fast", HOSTILE])
def test_nothing_is_wider_than_the_window(opened: Chrome, width: int, claim: str) -> None:
    browser.size(opened, width, 900)
    script = "const [one] = arguments; return [one.scrollWidth, one.clientWidth]"
    body = opened.find_element(By.CSS_SELECTOR, "html")
    assert opened.execute_script(script, body) == [width, width]
    opened.execute_script("arguments[0].click()", cell(opened, claim, "forward"))
    inside, outside = opened.execute_script(script, dialog(opened))
    assert inside == outside


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("claim", ["attention-fast", "masked-output"])
def test_every_text_has_contrast(opened: Chrome, claim: str, *, dark: bool) -> None:
    browser.dark(opened, wanted=dark)
    cell(opened, claim, "forward").click()
    opened.execute_script("document.getAnimations().forEach((one) => one.finish())")
    assert opened.execute_script(CONTRAST) == []


def test_a_screen_reader_finds_its_way(opened: Chrome) -> None:
    assert opened.find_element(By.CSS_SELECTOR, "html").get_attribute("lang") == "en"
    for landmark in ("header.top", "main", "footer"):
        assert len(opened.find_elements(By.CSS_SELECTOR, f"body {landmark}")) == 1
    assert (
        cell(opened, "conv-transposed", "forward").accessible_name
        == "conv-transposed, forward: refuted, 25 cases"
    )
    assert opened.find_element(By.ID, "search").accessible_name == "Search claims, laws and statuses"
    cell(opened, "conv-transposed", "forward").click()
    assert dialog(opened).accessible_name == "conv-transposed under forward"
    assert all(one.accessible_name for one in dialog(opened).find_elements(By.CSS_SELECTOR, "button"))


def test_a_report_of_nothing_opens_too(driver: Chrome, report: Report, tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    write_page(replace(report, claims=[], laws=[], cells=[]), path)
    browser.open_file(driver, path)
    assert driver.find_element(By.CSS_SELECTOR, "h1").text == "Nothing was checked"
    assert_quiet(driver, path)


def test_pictures_are_four_and_small(driver: Chrome, report: Report, tmp_path: Path) -> None:
    assert driver.session_id
    write_json(report, tmp_path / "report.json")
    pictures.main([str(tmp_path / "new"), "--json", str(tmp_path / "report.json")])
    taken = {picture.name: picture.read_bytes() for picture in (tmp_path / "new").iterdir()}
    widths = {name: int.from_bytes(content[16:20], "big") for name, content in taken.items()}
    assert widths == {
        "report-1440.png": 1440,
        "report-390.png": 390,
        "report-dark.png": 1440,
        "terminal.png": 1240,
    }
    for content in taken.values():
        assert content.startswith(b"\x89PNG")
        assert len(content) <= pictures.LARGEST


INJECTED = {
    "a script": ("<script>document.title = 'run'</script>", "script-src"),
    "a handler": (
        '<a id="bad" onclick="document.title = 1">x</a><svg onload="document.title = 1"></svg>',
        "script-src",
    ),
    "a picture": ('<img src="http://127.0.0.1:9/x.png">', "img-src"),
    "a style": ("<p style='color: red'>x</p>", "style-src"),
}


@pytest.mark.parametrize(("markup", "rule"), INJECTED.values(), ids=INJECTED)
def test_the_policy_stops_what_escaping_would_let_through(
    driver: Chrome, page: Path, tmp_path: Path, markup: str, rule: str
) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(
        page.read_text(encoding="utf-8").replace("</main>", f"{markup}</main>"), encoding="utf-8"
    )
    browser.open_file(driver, broken)
    title = driver.title
    said = browser.complaints(driver)
    assert title.startswith("7 of 156")
    assert any(rule in complaint for complaint in said)
    browser.requests(driver)


BREAKAGES = {
    "a console error": "<script>console.error('broken')</script>",
    "an exception": "<script>null.broken</script>",
    "a request": '<img src="http://127.0.0.1:9/x.png">',
}


@pytest.mark.parametrize("markup", BREAKAGES.values(), ids=BREAKAGES)
def test_a_page_that_complains_or_asks_for_something_is_noticed(
    driver: Chrome, tmp_path: Path, markup: str
) -> None:
    page = tmp_path / "broken.html"
    page.write_text(f"<!doctype html><title>broken</title>{markup}", encoding="utf-8")
    browser.open_file(driver, page)
    with pytest.raises(AssertionError):
        assert_quiet(driver, page)
