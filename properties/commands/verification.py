"""`equivalence verify`: check claims under every law."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equivalence.catalogue import CATALOGUE
from properties.cases.sample import build, takes_rows
from properties.circumstances.registry import asked_and_left_out
from properties.commands.arguments import (
    AS_CLAIMED,
    INTERRUPTED,
    NOT_AS_CLAIMED,
    Commands,
    add_setting,
    positive,
    seconds,
    setting_of,
)
from properties.commands.interruption import interruptible
from properties.cost.parameters import free_scalars
from properties.laws import all_laws
from properties.reading.claims import load_claim
from properties.refutation.failure import FOLDER
from properties.report.document import CellRecord
from properties.report.files import write_json
from properties.report.live import LiveLine
from properties.report.numbers import plural
from properties.report.page import write_page
from properties.report.text import one_line
from properties.running import profiles, table
from properties.running.cell import Plan
from properties.running.recording import as_claimed, unkept
from properties.running.reporting import Circumstances, Entry, assembled, entry
from properties.running.request import Request
from properties.running.verify import verify
from properties.running.workers import LIMIT

MOST_JOBS = 4
INTERRUPTION = "interrupted"


@dataclass(frozen=True)
class Run:
    """What a run found, until its end or until trouble stopped it."""

    records: Sequence[CellRecord]
    trouble: str
    seconds: float


def add(commands: Commands[Any]) -> None:
    """Add the command to the command line."""
    check = commands.add_parser("verify", help="check claims under every law")
    check.set_defaults(run=verify_claims)
    check.add_argument(
        "claims", nargs="*", metavar="CLAIM", help="a name, module:Class or file.py:Class; all by default"
    )
    add_plan(check)
    check.add_argument("--jobs", type=positive, help="processes (default: one for every dozen of claims)")


def add_plan(check: argparse.ArgumentParser) -> None:
    """Add what every command that checks claims takes: laws, cases, sizes, how much is shown."""
    check.add_argument("--law", action="append", metavar="LAW", help="only this law (may be repeated)")
    check.add_argument("--examples", type=positive, help="cases a law (default: the profile's)")
    check.add_argument("--seed", type=int, default=0, help="another seed, other cases (default: 0)")
    check.add_argument(
        "--profile", choices=profiles.NAMES, default="gate", help="gate: the same cases every time"
    )
    check.add_argument(
        "--at", default="", metavar="NAME=VALUE,…", help="fix fields and axes: height=28,batch=32x3"
    )
    check.add_argument(
        "--in",
        dest="under",
        action="append",
        default=[],
        metavar="CIRCUMSTANCE",
        help='in this circumstance alone, as eval, or "not jvp": in all but this (may be repeated)',
    )
    check.add_argument(
        "--data", metavar="DIR", help="feed real images from IDX files (MNIST) instead of random inputs"
    )
    check.add_argument(
        "--limit",
        type=seconds,
        default=LIMIT,
        metavar="SECONDS",
        help=f"end a form that gives no answer for so long (default: {LIMIT:g})",
    )
    add_setting(check)
    check.add_argument("--all", action="store_true", help="show the counterexample of every refuted law")
    check.add_argument("--html", type=Path, metavar="FILE", help="write a page to look at, in one file")
    check.add_argument("--json", type=Path, metavar="FILE", help="write the same as data")


def verify_claims(options: argparse.Namespace) -> int:
    """Check claims under laws, print the table, and say by the exit code whether all is as claimed."""
    request = requested(options, options.claims or CATALOGUE)
    finished = run(request, options.jobs or _usual_jobs(len(request.claims)))
    for line in table.verdicts(finished.records, fed=request.data is not None, setting=request.setting):
        print(line)
    print_report(request, finished, options)
    write_reports(request, finished, options)
    return exit_code(request, finished)


def requested(options: argparse.Namespace, claims: Iterable[str]) -> Request:
    """Read what `add_plan` added, for these claims; ClaimError for a circumstance that is none."""
    # Other distributions bring some.
    all_laws()
    asked_and_left_out(options.under)
    return Request(
        claims=tuple(dict.fromkeys(claims)),
        laws=tuple(options.law) if options.law else None,
        plan=Plan(options.profile, options.examples, options.seed, FOLDER),
        at=options.at,
        under=tuple(options.under),
        data=options.data,
        setting=setting_of(options),
        named=claims is not CATALOGUE,
        limit=options.limit,
    )


def run(request: Request, jobs: int) -> Run:
    """Check the claims of a request; what was found before an interruption is kept."""
    started = time.monotonic()
    records: list[CellRecord] = []
    trouble = ""
    try:
        with interruptible() as check:
            for checked in verify(request, jobs, _Watcher(request)):
                records += checked
                check()
    except KeyboardInterrupt:
        trouble = INTERRUPTION
    return Run(records, trouble, time.monotonic() - started)


def write_reports(request: Request, finished: Run, options: argparse.Namespace) -> None:
    """Write the files that were asked for, of what was checked."""
    if options.html is None and options.json is None:
        return
    report = assembled(
        _entries(request, finished.records),
        Circumstances(
            profile=options.profile,
            seed=options.seed,
            seconds=finished.seconds,
            complete=not finished.trouble,
            threads=1,
            setting=request.setting,
        ),
    )
    for path, write in ((options.json, write_json), (options.html, write_page)):
        if path is not None:
            write(report, path)
            print(f"written to {path}")


def _entries(request: Request, records: Sequence[CellRecord]) -> Iterator[Entry]:
    names = dict.fromkeys(record.claim for record in records)
    # A comparison calls its one claim otherwise; an interrupted run may have left some out.
    places = names if {*names} <= {*request.claims} else request.claims
    claims = {name: load_claim(place) for name, place in zip(names, places, strict=True)}
    for record in records:
        yield entry(claims[record.claim], all_laws()[record.law], record)


def exit_code(request: Request, finished: Run) -> int:
    """Return 0 where all is as claimed and something was checked, and say what was not."""
    if finished.trouble:
        checked = {record.claim for record in finished.records}
        left = [name for name in request.claims if name not in checked]
        print(
            f"{finished.trouble}: {plural(len(left), 'claim')} not checked, {left[0]} the first; "
            f"what was found is kept in {FOLDER}",
            file=sys.stderr,
        )
        return INTERRUPTED if finished.trouble == INTERRUPTION else NOT_AS_CLAIMED
    if not any(record.executed for record in finished.records):
        print(f"no case was executed of {len(finished.records)} cells", file=sys.stderr)
        return NOT_AS_CLAIMED
    return AS_CLAIMED if all(as_claimed(record) for record in finished.records) else NOT_AS_CLAIMED


def _usual_jobs(claims: int) -> int:
    """Take a process for every dozen of claims, as far as there are processors."""
    return max(1, min(os.cpu_count() or 1, MOST_JOBS, claims // 12))


class _Watcher:
    """Says what is about to run, how far it is where someone is watching, and what is found on the way."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.line = LiveLine()

    def count(self, done: int, total: int, claim: str) -> None:
        if not done:
            print(table.header(self.request), flush=True)
        self.line.count(done, total, claim, " claims")

    def hear(self, news: str) -> None:
        """Tell what is found at once, where it is not all that is asked for."""
        if len(self.request.claims) > 1 or self.request.laws is None or len(self.request.laws) > 1:
            self.line.above(one_line(news))


def print_report(request: Request, finished: Run, options: argparse.Namespace) -> None:
    """Print counterexamples, the table, how it was decided, and the totals; nothing where nothing ran."""
    records = finished.records
    if not records:
        return
    for line in (
        *table.refutations(records, full=options.all),
        *(("", *table.matrix(records), "") if any(record.executed for record in records) else ()),
        *table.decisions(records),
        *(_sizes(request, {record.claim for record in records if record.executed}) if options.at else ()),
        *table.failures(records, full=options.all),
        "",
        table.totals(records, finished.seconds),
    ):
        print(line)
    for line in unkept(records):
        print(f"equivalence: {line}", file=sys.stderr)


def _sizes(request: Request, executed: Collection[str]) -> Iterator[str]:
    """Say which forms were compared at the sizes asked for: their inputs, their free parameters.

    What was never compared is not constructed here: it may end the process.
    """
    for domain in map(request.domain, filter(executed.__contains__, request.claims)):
        case = domain.typical
        yield f"  {case.claim!r}"
        for name, variable in domain.claim.inputs().items():
            shape = case.shape(variable)
            fed = domain.data is not None and takes_rows(domain.data, shape)
            yield f"    {name:<12} {shape}{' of the images' if fed else ''}"
        for side, dead in (
            ("reference", case.claim.dead_in_reference()),
            ("candidate", case.claim.dead_in_candidate()),
        ):
            yield f"    {side:<12} {free_scalars(build(case.claim, side, 0), dead)} free parameters"
