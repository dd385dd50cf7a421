"""A page a law, from its docstring, code and mutants: `python -m tests.law_pages --write docs/laws`."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from textwrap import wrap

import torch

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties.cases.domain import Domain
from properties.judging.noise import MOST_TIMES
from properties.laws import LAWS
from properties.laws.registry import Law, always
from properties.oracle.statistics import FALSE_ALARM
from properties.refutation.counterexample import Refuted
from properties.report.files import write_whole
from properties.running.cell import Cell, Plan
from tests.mutants import MUTANTS
from tests.mutants.planted import mutated
from tests.mutants.trial import cell_of, declared

ROOT = Path(__file__).parent.parent
INDEX = "README.md"
WIDTH = 115
MOST_LISTED = 5
"""Claims beyond these are counted, not named."""
FENCE = "```text\n", "\n```\n"
"""What a counterexample stands between."""
MODEL = (
    "every operation is made to round anew, run by run, and a difference counts where it is far more than "
    "the runs spread ([the model](../calibration.md))"
)
DECIDED = {
    "values": (
        "On integers small enough that float64 is exact, forward and backward, and compared bitwise. A form "
        f"that leaves the integers is held on real numbers, up to rounding: {MODEL}. A form that chooses by "
        "value is held on both."
    ),
    "reals": (
        f"On real numbers, up to rounding: {MODEL}. Optimisers divide and take roots, which leaves the "
        "integers at once."
    ),
    "noise": (
        "By the noise of both forms: every operation is made to round anew, run by run, and the spread of "
        "the runs is how much a form rounds. A candidate is refuted whose spread is more than "
        f"{MOST_TIMES:g} times that of the reference, in a row where the two lie as far apart and rounding "
        "explains it: else it is another function, which other laws refute."
    ),
    "directly": (
        "As it stands: both sides are counts, refusals, zeros or reached outputs, compared as they are."
    ),
    "statistics": (
        "By statistics of many fresh modules of each form, with finite-sample bounds: a false alarm has "
        f"probability {FALSE_ALARM:g} or less a test."
    ),
}
"""How each kind of equation is decided."""
CONTROLLED = (
    "Every run shows that the law has power: equations that must not hold, its controls, are told from the "
    "right one, in a case of each of its variants; one that is never told apart is an error."
)


def page(law: Law, example: str) -> str:
    """Give the page of a law, with the text of its counterexample."""
    sections = [applies(law), decided(law), broken(law), rejected(law), refuted(law, example), code(law)]
    return "\n".join([f"# {law.name}", "", f"> {plain(law.statement)}", "", *chain.from_iterable(sections)])


def applies(law: Law) -> Iterator[str]:
    """Say what the law needs of a claim, and the reason that the claims without it are given."""
    yield from ("## Where it applies", "", f"It needs {needed(law)}.")
    reasons: dict[str, list[str]] = {}
    for claim, domain in domains().items():
        reasons.setdefault(Cell(domain, law).inapplicable, []).append(f"`{claim}`")
    yield f"It applies to {len(reasons.pop('', []))} of the {len(CATALOGUE)} claims in the catalogue."
    for reason, claims in reasons.items():
        listed = ", ".join(claims) if len(claims) <= MOST_LISTED else f"the other {len(claims)}"
        yield f"It does not apply to {listed}: {reason}."
    yield ""


def needed(law: Law) -> str:
    """Give what the law needs of a claim, in the words of its applicability."""
    text = (law.needs.__doc__ or "").strip().splitlines()[0]
    return "nothing" if law.needs is always else text.removeprefix("Need ").removesuffix(".")


def decided(law: Law) -> Iterator[str]:
    """Say how the law is decided, and when it says nothing."""
    yield from ("## How it is decided", "", *wrap(DECIDED[law.decided.word], WIDTH), "")
    if law.controls:
        yield from wrap(CONTROLLED, WIDTH)
        yield ""
    if law.presumed:
        yield "Where the reference fails it in the candidate's place, the law is silent."
        yield ""


def broken(law: Law) -> Iterator[str]:
    """Name the claims of the catalogue that break the law, with their reasons."""
    reasons = {name: claim.breaks[law.name] for name, claim in CATALOGUE.items() if law.name in claim.breaks}
    if reasons:
        yield from ("## Claims that break it", "")
        yield from (f"* `{claim}`: {plain(reason)}" for claim, reason in reasons.items())
        yield ""


def rejected(law: Law) -> Iterator[str]:
    """Name the mutants that the law must see first."""
    yield from ("## Bugs that it sees first", "")
    yield "Each is planted in a claim. Laws before this one do not see it, those that the claim breaks apart."
    yield from ("", "| mutant | of | planted |", "|---|---|---|")
    for one in mutants(law):
        yield f"| {one.__name__} | {name_of(mutated(one))} | {plain(statement(one))} |"
    yield ""


def refuted(law: Law, example: str) -> Iterator[str]:
    """Show the counterexample to the first mutant."""
    yield from ("## A counterexample", "", f"To {mutants(law)[0].__name__}, the first of the table:", "")
    yield from (f"{FENCE[0]}{example}{FENCE[1]}",)


def code(law: Law) -> Iterator[str]:
    """Give the law as it is written, below what its observation is compared with."""
    file = Path(inspect.getfile(law.observe)).relative_to(ROOT).as_posix()
    yield from ("## The law", "", f"From [{file}](../../{file}):", "", "```python")
    for part in inspect.getclosurevars(law.compared).nonlocals.values():
        yield inspect.getsource(part) + "\n"
    yield from (inspect.getsource(law.observe).rstrip(), "```", "")


def index() -> str:
    """Give the table of all laws."""
    lines = [
        "# The laws",
        "",
        "What must be true of every claim. A law that cannot apply to a claim says why; one that a claim",
        "declares it breaks must be shown to fail. `make law-pages` writes these pages from the laws and",
        "their mutants.",
        "",
        "| law | says | needs | bugs that it sees first |",
        "|---|---|---|--:|",
    ]
    for law in LAWS.values():
        link = f"[{law.name}]({law.name}.md)"
        lines.append(f"| {link} | {plain(law.statement)} | {needed(law)} | {len(mutants(law))} |")
    return "\n".join([*lines, ""])


def counterexample(law: Law) -> str:
    """Run the first mutant of a law as the gate does, and give the text of its refutation."""
    claim = mutants(law)[0]
    try:
        cell_of(claim, law.name).test(Plan())()
    except Refuted as found:
        return str(found)
    message = f"{claim.__name__} is not refuted by {law.name} within the cases of the gate"
    raise AssertionError(message)


def shown_counterexample(text: str) -> str:
    """Give the counterexample that a page shows."""
    return text.partition(FENCE[0])[2].partition(FENCE[1])[0]


@cache
def domains() -> dict[str, Domain]:
    """Give the domain of every claim of the catalogue."""
    return {name: Domain(claim) for name, claim in CATALOGUE.items()}


def mutants(law: Law) -> list[type[Equivalence]]:
    """Give the mutants that the law must see first."""
    return [mutant for mutant in MUTANTS.values() if declared(mutant) == law.name]


def statement(claim: type[Equivalence]) -> str:
    """Give the first line of a claim's docstring."""
    return (claim.__doc__ or "").strip().splitlines()[0]


def name_of(claim: type[Equivalence]) -> str:
    """Give a claim's name in the catalogue, or its class's."""
    return next((name for name, one in CATALOGUE.items() if one is claim), claim.__name__)


def plain(text: str) -> str:
    """Keep what Markdown or HTML would take for markup: <, |, * and `."""
    return "".join(f"\\{letter}" if letter in "<|*`\\" else letter for letter in text)


def main() -> int:
    """Try one mutant of every law, and write the pages."""
    parser = argparse.ArgumentParser(prog="python -m tests.law_pages", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="DIR", required=True, help="the folder of the pages")
    folder = parser.parse_args().write
    torch.set_num_threads(1)
    for law in LAWS.values():
        write_whole(page(law, counterexample(law)), folder / f"{law.name}.md")
    write_whole(index(), folder / INDEX)
    return 0


if __name__ == "__main__":
    sys.exit(main())
