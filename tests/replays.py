"""Every mutant seen again, from its file, its one line and its script, and against the right form.

`python -m tests.replays [--fresh] [MUTANT …]` prints what came of each, and how small and how fast
counterexamples are. With --fresh every replay and every script runs in a process of its own.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import median, quantiles

import torch

from equivalence.claim import Equivalence
from equivalence.variable import Mask
from properties.cases.case import Case
from properties.cases.generators import generator_state
from properties.cli import main as equivalence
from properties.refutation import failure
from properties.refutation.counterexample import Refuted, place, written
from properties.replaying.scripting import Finding, script
from properties.running.cell import Plan
from properties.running.profiles import EXPLORE_EXAMPLES
from tests.mutants import MUTANTS
from tests.mutants.planted import mutated
from tests.mutants.trial import cell_of, declared

ROOT = Path(__file__).parent.parent
CHECKS = (
    "script of the mutant fails",
    "script of the right form says FIXED",
    "file FAILS",
    "file says FIXED of the right form",
    "case FAILS",
    "case says FIXED of the right form",
)
WRAPPED = "both its forms are wrapped, so that the right form's parameters have other names than the file's"
CANNOT = {
    ("SubtractsFirstOfBatch", "file says FIXED of the right form"): WRAPPED,
    ("CentresOverTheBatch", "file says FIXED of the right form"): WRAPPED,
    ("SumsOverTheBatch", "file says FIXED of the right form"): WRAPPED,
}
"""(mutant, check) -> why it cannot be. The script of the right form draws its numbers from the seed there."""

REFUSED = ("initialisation", "training", "training_adafactor", "training_muon", "cost")
"""Laws that no script shows: statistics, or more source than anybody reads."""
Answer = tuple[int, str]
"""Exit code, and all that was printed."""


@dataclass(frozen=True)
class Trial:
    """A mutant's counterexample, and the ways to see it again."""

    mutant: type[Equivalence]
    refuted: Refuted
    folder: Path
    fresh: bool = False

    @property
    def name(self) -> str:
        return self.mutant.__name__

    @property
    def case(self) -> Case:
        return self.refuted.verdict.case

    @cached_property
    def right(self) -> Case:
        """The same case of the claim that the mutant was made from."""
        return replace(self.case, claim=mutated(self.mutant)(**vars(self.case.claim)))

    @cached_property
    def file(self) -> str:
        return str(failure.write(failure.described(self.refuted, smallest=True), str(self.folder)))

    def answers(self) -> Iterator[tuple[str, bool, str]]:
        """Give each check, whether it is borne out, and what was printed."""
        case, *law = shlex.split(self.refuted.record.replay)[2:]
        (right,) = shlex.split(written(self.right))
        ways: tuple[tuple[Callable[[], Answer], str], ...] = (
            (lambda: self.script_of(self.case), r"1 (?s:.)*Error"),
            (lambda: self.script_of(self.right), r"0 (?s:.)*FIXED\n$"),
            (lambda: self.replay(self.file, "--claim", place(self.case)), "1 FAILS"),
            (lambda: self.replay(self.file, "--claim", place(self.right)), "0 FIXED"),
            (lambda: self.replay(case, *law), "1 FAILS"),
            (lambda: self.replay(right, *law), "0 FIXED"),
        )
        for check, (way, expected) in zip(CHECKS, ways, strict=True):
            if declared(self.mutant) in REFUSED and check.startswith("script"):
                continue
            code, printed = way()
            yield check, re.match(expected, f"{code} {printed}") is not None, printed

    def script_of(self, case: Case) -> Answer:
        """Run the script of the mutant's values, for its own case or for that of the right form."""
        path = self.folder / f"{type(case.claim).__name__}.py"
        path.write_text(script(replace(Finding.of(self.refuted), case=case)), encoding="utf-8")
        return in_a_process([str(path)]) if self.fresh else in_this_process(path)

    def replay(self, *arguments: str) -> Answer:
        if self.fresh:
            return in_a_process(["-m", "properties", "replay", *arguments])
        with redirect_stdout(io.StringIO()) as printed, redirect_stderr(printed):
            code = equivalence(["replay", *arguments])
        return code, printed.getvalue()


def refuted_by_its_law(mutant: type[Equivalence]) -> Refuted:
    """Find a mutant's counterexample, among as many cases as the explore profile draws if need be."""
    for examples in (None, EXPLORE_EXAMPLES):
        try:
            cell_of(mutant, declared(mutant)).test(Plan(examples=examples))()
        except Refuted as refuted:
            return refuted
    message = f"{mutant.__name__} is not rejected by {declared(mutant)}"
    raise AssertionError(message)


def in_a_process(arguments: Sequence[str], folder: Path = ROOT) -> Answer:
    """Run Python on its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    run = subprocess.run(  # noqa: S603  (our own scripts)
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout + run.stderr


def in_this_process(path: Path) -> Answer:
    """Run a script in a module of its own, and say how Python would have ended."""
    with redirect_stdout(io.StringIO()) as printed, warnings.catch_warnings(), generator_state(0):
        # A process of its own shows them, and goes on.
        warnings.simplefilter("ignore")
        try:
            runpy.run_path(str(path), run_name="standalone")
        except Exception as error:  # noqa: BLE001  (whatever a form raises)
            return 1, f"{printed.getvalue()}{type(error).__name__}: {error}"
    return 0, printed.getvalue()


def nonzero_entries(refuted: Refuted) -> int:
    """Count the entries that are not 0, over all tensors and masks."""
    fields = vars(refuted.verdict.case.claim).values()
    masks = sum(value.rows.count("1") for value in fields if isinstance(value, Mask))
    return masks + sum(int(value.count_nonzero()) for value in refuted.smallest[0].values())


def largest_size(refuted: Refuted) -> int:
    """Give the largest of all sizes: of the claim's fields, and of each free axis."""
    case = refuted.verdict.case
    fields = [getattr(case.claim, name) for name in refuted.judge.domain.sizes(replace(case, axes={}))]
    return max([*fields, *(size for shape in case.axes.values() for size in shape)], default=0)


def distribution(name: str, figures: Sequence[float]) -> str:
    ninety = quantiles(figures, n=10, method="inclusive")[-1] if len(figures) > 1 else figures[0]
    return f"{name}: median {median(figures):.3g}, 90 % {ninety:.3g}, max {max(figures):.3g}"


@dataclass(frozen=True)
class Figures:
    """How small a counterexample is, and how long its text took."""

    mutant: type[Equivalence]
    entries: int
    size: int
    seconds: float

    @property
    def small(self) -> bool:
        return self.entries <= 8 and self.size <= 3


def figures_of(mutant: type[Equivalence], refuted: Refuted) -> Figures:
    # Hypothesis has asked this one for its text already, and it keeps what it found.
    again = Refuted(refuted.judge, refuted.verdict, refuted.tally)
    started = time.perf_counter()
    str(again)
    seconds = time.perf_counter() - started
    return Figures(mutant, nonzero_entries(again), largest_size(again), seconds)


def tried(mutant: type[Equivalence], refuted: Refuted, *, fresh: bool) -> Iterator[tuple[str, bool]]:
    """Try every way to see a mutant again, and print one line for each that is not as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        for check, borne_out, printed in Trial(mutant, refuted, Path(folder), fresh).answers():
            if not borne_out:
                reason = CANNOT.get((mutant.__name__, check))
                say(f"{mutant.__name__}: not {check}: {reason or printed[-300:]}")
            yield check, borne_out


def told(measured: Sequence[Figures]) -> Iterator[str]:
    """Give the distributions, for all mutants and for those of a law that draws no numbers of its own."""
    parts = {
        "all laws": measured,
        "all but initialisation": [one for one in measured if declared(one.mutant) != "initialisation"],
    }
    for name, part in parts.items():
        if not part:
            continue
        yield f"{name}, {len(part)} mutants"
        yield distribution("  entries that are not 0", [one.entries for one in part])
        yield distribution("  largest size", [one.size for one in part])
        yield distribution("  seconds from the failing case to its text", [one.seconds for one in part])
        large = [one.mutant.__name__ for one in part if not one.small]
        yield f"  at most 8 entries not 0, sizes of at most 3: {len(part) - len(large)} of {len(part)}"
        yield f"  larger: {', '.join(large) or 'none'}"


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  (what the command is for)


def main() -> int:
    """Try the mutants, and print what came of them; 1 where something is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.replays", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="run each in a process of its own")
    parser.add_argument("mutants", nargs="*", metavar="MUTANT", help="all, if none is named")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [MUTANTS[name] for name in options.mutants or MUTANTS]
    refuted = {mutant: refuted_by_its_law(mutant) for mutant in chosen}
    outcomes = [
        (mutant.__name__, check, borne_out)
        for mutant, found in refuted.items()
        for check, borne_out in tried(mutant, found, fresh=options.fresh)
    ]
    for check in CHECKS:
        answers = [ok for _, name, ok in outcomes if name == check]
        say(f"{check}: {sum(answers)} of {len(answers)}")
    for line in told([figures_of(mutant, found) for mutant, found in refuted.items()]):
        say(line)
    return 0 if all(ok or (name, check) in CANNOT for name, check, ok in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
