"""suite() in a user's own pytest run: marks, texts, counts, workers."""

import json
import re
import textwrap
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CLAIMS = """
    import torch
    from torch import nn
    from equivalence import Dim, Equivalence, Real
    from properties import suite

    class LinearIsLinear(Equivalence):
        in_features: Dim
        x = Real("*batch in_features")
        def reference(self): return nn.Linear(self.in_features, 2)
        def candidate(self): return nn.Linear(self.in_features, 2)

    class Negated(nn.Linear):
        def forward(self, x): return -super().forward(x)

    class NegatedIsLinear(LinearIsLinear):
        def candidate(self): return Negated(self.in_features, 2)

    class NegatedAsDeclared(NegatedIsLinear):
        breaks = {"forward": "the sign"}

    class FalselyDeclared(LinearIsLinear):
        breaks = {"forward": "nothing at all"}

    class Crashing(LinearIsLinear):
        breaks = {"forward": "a crash is no counterexample"}
        def candidate(self): raise NameError("a slip")
"""


@pytest.fixture
def user(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\n")
    return pytester


def result(user: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    user.makepyfile(test_claims=textwrap.dedent(CLAIMS) + textwrap.dedent(tests))
    return user.runpytest_subprocess("-p", "no:cacheprovider", *options)


def test_a_right_claim_passes_and_says_what_does_not_apply(user: pytest.Pytester) -> None:
    outcome = result(user, "TestRight = suite(LinearIsLinear, examples=5)", "-rs")
    outcome.assert_outcomes(passed=16, skipped=2)
    outcome.stdout.fnmatch_lines(["*masked does not apply: no entries declared dead*"])
    outcome.stdout.re_match_lines([r"equivalence: 1 claims, 16 cells, \d+ cases, 0 outside a domain"])


def test_a_law_that_only_a_run_shows_not_to_apply_is_skipped_with_its_reason(user: pytest.Pytester) -> None:
    tests = """
        class Once(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x): return x.clone()
            @staticmethod
            def backward(ctx, gradient):
                if torch.is_grad_enabled(): raise RuntimeError("once alone")
                return gradient

        class Copied(nn.Linear):
            def forward(self, x): return Once.apply(super().forward(x))

        class CopiedIsLinear(LinearIsLinear):
            def reference(self): return Copied(self.in_features, 2)

        TestCopied = suite(CopiedIsLinear, laws=["forward", "second_derivative"])
    """
    outcome = result(user, tests, "-rs")
    outcome.assert_outcomes(passed=1, skipped=1)
    reason = "second_derivative does not apply: the reference has no second derivative: once alone"
    outcome.stdout.fnmatch_lines([f"*{reason}*"])


def test_a_wrong_claim_fails_with_its_case_and_no_traceback(user: pytest.Pytester) -> None:
    outcome = result(user, "TestWrong = suite(NegatedIsLinear, laws=['forward'])")
    outcome.assert_outcomes(failed=1)
    text = outcome.stdout.str()
    assert "NegatedIsLinear is refuted by forward" in text
    assert "smallest case  in_features=" in text
    assert "Traceback" not in text
    assert "torch/nn" not in text


def test_a_declared_break_must_be_found_by_a_disagreement(user: pytest.Pytester) -> None:
    tests = """
        TestDeclared = suite(NegatedAsDeclared, laws=["forward"])
        TestFalse = suite(FalselyDeclared, laws=["forward"])
        TestCrash = suite(Crashing, laws=["forward"])
    """
    outcome = result(user, tests)
    outcome.assert_outcomes(xfailed=1, failed=2)
    outcome.stdout.fnmatch_lines(["*XPASS(strict)*nothing at all*", "*NameError: a slip*"])


def test_what_is_beyond_the_claim_may_fail_and_is_told(user: pytest.Pytester) -> None:
    tests = """
        class Plain(nn.Linear):
            def forward(self, x): return torch.einsum("...i,oi->...o", x, self.weight) + self.bias

        class PlainIsLinear(LinearIsLinear):
            same = "function"
            def candidate(self): return Plain(self.in_features, 2)

        TestPlain = suite(PlainIsLinear, laws=["forward", "rejects", "state"])
    """
    outcome = result(user, tests, "-rxX", "-o", "xfail_strict=true", "--junitxml=report.xml")
    outcome.assert_outcomes(passed=2, xfailed=1)
    told = "beyond the claimed function: accepts inputs that the reference refuses"
    outcome.stdout.fnmatch_lines([f"XFAIL *test_rejects - {told}"])
    assert told in (Path(user.path) / "report.xml").read_text()
    assert "&quot;status&quot;: &quot;not claimed&quot;" in (Path(user.path) / "report.xml").read_text()


def test_tests_are_real_hypothesis_tests(user: pytest.Pytester) -> None:
    tests = "TestRight = suite(LinearIsLinear, examples=5)"
    result(user, tests, "-m", "hypothesis").assert_outcomes(passed=16, skipped=2)
    result(user, tests, "-k", "gradient").assert_outcomes(passed=2, deselected=16)
    outcome = result(user, tests, "-k", "forward", "--hypothesis-show-statistics")
    assert re.search(r"\b5 passing", outcome.stdout.str())


def test_workers_lose_nothing_and_count_once(user: pytest.Pytester) -> None:
    outcome = result(user, "TestRight = suite(LinearIsLinear, examples=5)", "-n", "2")
    outcome.assert_outcomes(passed=16, skipped=2)
    outcome.stdout.re_match_lines([r"equivalence: 1 claims, 16 cells, \d+ cases, 0 outside a domain"])


def test_junit_carries_the_cells(user: pytest.Pytester) -> None:
    result(user, "TestRight = suite(LinearIsLinear, laws=['forward'])", "--junitxml=report.xml")
    report = (Path(user.path) / "report.xml").read_text()
    assert "&quot;law&quot;: &quot;forward&quot;" in report
    (executed,) = re.findall(r"&quot;executed&quot;: (\d+)", report)
    assert int(executed) >= 25


def test_the_explore_profile_draws_more(user: pytest.Pytester) -> None:
    tests = "TestRight = suite(LinearIsLinear, laws=['forward'])"
    outcome = result(user, tests, "--equivalence-profile=explore")
    outcome.stdout.re_match_lines([r"equivalence: 1 claims, 1 cells, 3\d\d cases, .*"])


def test_a_claim_that_is_no_claim_fails_at_collection(user: pytest.Pytester) -> None:
    outcome = result(user, "TestHalf = suite(Equivalence)")
    outcome.assert_outcomes(errors=1)
    outcome.stdout.fnmatch_lines(
        ["*Equivalence: a claim has a reference and a candidate, but reference is missing*"]
    )


WRONG = "TestWrong = suite(NegatedIsLinear, laws=['forward', 'rows'])"


def kept(user: pytest.Pytester, law: str) -> str:
    (path,) = (
        path
        for path in (user.path / ".equivalence" / "failures").glob("*.json")
        if json.loads(path.read_text())["law"] == law
    )
    return str(path)


def test_a_failure_has_its_headline_in_the_short_summary_and_its_text_once(user: pytest.Pytester) -> None:
    for options in ([], ["-n", "2"]):
        outcome = result(user, WRONG, *options)
        outcome.stdout.fnmatch_lines(["FAILED *test_forward - NegatedIsLinear is refuted*"])
        assert outcome.stdout.str().count("smallest case") == 1
        assert "properties/" not in outcome.stdout.str()


def test_one_cause_is_told_once_by_the_plainest_test_that_was_asked(user: pytest.Pytester) -> None:
    tests = "TestWrong = suite(NegatedIsLinear, examples=5)"
    for options in ([], ["-n", "2"]):
        outcome = result(user, tests, "-k", "forward or rows or training_muon or count", *options)
        outcome.assert_outcomes(failed=3, passed=1)
        assert outcome.stdout.str().count("smallest case") == 1
        outcome.stdout.fnmatch_lines_random(
            [
                "see test_forward: NegatedIsLinear is refuted by forward",
                "  (alone, test_rows shows a case of its own)",
                "  (alone, test_training_muon shows a case of its own)",
                "FAILED *test_rows - see test_forward: *",
            ]
        )
    outcome = result(user, tests, "-k", "training_muon or layout")
    outcome.stdout.fnmatch_lines(["NegatedIsLinear is refuted by layout", "see test_layout: *"])
    assert "see test_layout" not in result(user, tests, "-k", "training_muon").stdout.str()


def test_what_is_declared_or_holds_is_no_cause(user: pytest.Pytester) -> None:
    tests = """
        class Drawn(nn.Linear):
            def reset_parameters(self): nn.init.normal_(self.weight)

        class Strided(Drawn):
            def forward(self, x): return super().forward(x) + (not x.is_contiguous())

        class DrawnIsLinear(LinearIsLinear):
            def candidate(self): return Drawn(self.in_features, 2)

        class StridedIsLinear(DrawnIsLinear):
            breaks = {"layout": "as is known"}
            def candidate(self): return Strided(self.in_features, 2)

        TestDrawn = suite(DrawnIsLinear, laws=["initialisation", "layout"])
        TestStrided = suite(StridedIsLinear, laws=["initialisation", "layout"])
    """
    # A plainer law is asked before its own test has run.
    outcome = result(user, tests)
    outcome.assert_outcomes(failed=2, passed=1, xfailed=1)
    outcome.stdout.fnmatch_lines_random(
        [f"{name}IsLinear is refuted by init*" for name in ("Drawn", "Strided")]
    )
    assert "see test_" not in outcome.stdout.str()


def test_frames_are_shown_when_they_are_asked_for(user: pytest.Pytester) -> None:
    assert "properties/running/cell.py" in result(user, WRONG, "--equivalence-traceback").stdout.str()


def test_a_kept_failure_is_run_alone_and_fixed_by_a_right_form(user: pytest.Pytester) -> None:
    result(user, WRONG)
    replay = ("--equivalence-replay", kept(user, "forward"))
    outcome = result(user, WRONG, *replay)
    outcome.assert_outcomes(failed=1, deselected=1)
    outcome.stdout.fnmatch_lines(
        ["NegatedIsLinear is refuted by forward", "equivalence: * 1 cells, 1 cases*"]
    )
    mended = """
        NegatedIsLinear.candidate = LinearIsLinear.candidate
        TestWrong = suite(NegatedIsLinear, laws=["forward", "rows"])
    """
    result(user, mended, *replay).assert_outcomes(passed=1, deselected=1)


def test_a_file_that_is_no_failure_and_a_failure_of_no_test_end_with_one_line(user: pytest.Pytester) -> None:
    result(user, WRONG)
    path = kept(user, "forward")
    bad = user.path / "bad.json"
    bad.write_text("{")
    for tests, file, words in (
        (WRONG, str(bad), "a replay file is JSON"),
        ("TestRight = suite(LinearIsLinear, examples=5)", path, "no test that was collected is about"),
    ):
        outcome = result(user, tests, "--equivalence-replay", file)
        assert outcome.ret == 2
        outcome.stdout.fnmatch_lines([f"*Exit: --equivalence-replay: *{words}*"])
        assert "Traceback" not in outcome.stdout.str() + outcome.stderr.str()


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_reports_hold_every_cell_once(user: pytest.Pytester, options: tuple[str, ...]) -> None:
    right, wrong = "suite(LinearIsLinear, examples=5)", "suite(NegatedAsDeclared, laws=['forward'])"
    tests = f"TestRight = {right}\n        TestWrong = {wrong}"
    result(user, f"\n        {tests}", "--equivalence-report", "json,html", *options)
    report = json.loads((user.path / ".equivalence" / "report.json").read_text())
    cells = sorted((cell["claim"], cell["law"], cell["status"]) for cell in report["cells"])
    assert len(cells) == len({(claim, law) for claim, law, _ in cells}) == 19
    assert ("NegatedAsDeclared", "forward", "refuted as declared") in cells
    assert ("LinearIsLinear", "masked", "does not apply") in cells
    assert report["complete"]
    assert "NegatedAsDeclared" in (user.path / ".equivalence" / "report.html").read_text()


def test_a_run_that_stops_early_says_so_in_its_report(user: pytest.Pytester) -> None:
    result(user, WRONG, "--equivalence-report", "json", "-x")
    assert not json.loads((user.path / ".equivalence" / "report.json").read_text())["complete"]


def test_a_format_that_is_none_is_refused(user: pytest.Pytester) -> None:
    outcome = result(user, WRONG, "--equivalence-report", "pdf")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*formats are html and json*pdf*"])


def test_two_classes_of_one_name_have_a_row_each(user: pytest.Pytester) -> None:
    tests = """
        TestRight = suite(LinearIsLinear, laws=["forward"])
        TestAgain = suite(LinearIsLinear, laws=["forward"], pins={"in_features": 3})
    """
    result(user, tests, "--equivalence-report", "json,html")
    report = json.loads((user.path / ".equivalence" / "report.json").read_text())
    assert [cell["claim"] for cell in report["cells"]] == ["LinearIsLinear", "LinearIsLinear (2)"]
