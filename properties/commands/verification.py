"""`equivalence verify`: check claims under every law."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from equivalence.catalogue import CATALOGUE
from properties import profiles, table
from properties.cell import Plan
from properties.commands.arguments import AS_CLAIMED, INTERRUPTED, NOT_AS_CLAIMED, Commands, positive
from properties.laws.parameters import free_scalars
from properties.request import Request
from properties.sample import build, takes_rows
from properties.verify import Outcome, Progress, verify

MOST_JOBS = 4


def add(commands: Commands[Any]) -> None:
    """Add the command to the command line."""
    check = commands.add_parser("verify", help="check claims under every law")
    check.set_defaults(run=verify_claims)
    check.add_argument(
        "claims", nargs="*", metavar="CLAIM", help="a name, module:Class or file.py:Class; all by default"
    )
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
        "--data", metavar="DIR", help="feed real images from IDX files (MNIST) instead of random inputs"
    )
    check.add_argument("--jobs", type=positive, help="processes (default: one for every dozen of claims)")
    check.add_argument("--all", action="store_true", help="show the counterexample of every refuted law")


def verify_claims(options: argparse.Namespace) -> int:
    """Check claims under laws, print the table, and say by the exit code whether all is as claimed."""
    started = time.monotonic()
    request = _request(options)
    jobs = options.jobs or _usual_jobs(len(request.claims))
    outcomes: list[Outcome] = []
    trouble = ""
    try:
        for checked in verify(request, jobs, _progress(started)):
            outcomes += checked
    except KeyboardInterrupt:
        trouble = "interrupted"
    except BrokenProcessPool:
        trouble = "a process died, perhaps in a form that crashes (see which with --jobs 1)"
    if outcomes:
        _print_report(request, outcomes, options, time.monotonic() - started)
    if trouble:
        left = request.claims[len({outcome.name for outcome in outcomes}) :]
        print(f"{trouble}: {len(left)} claims were not checked, from {left[0]} on", file=sys.stderr)
        return INTERRUPTED if trouble == "interrupted" else NOT_AS_CLAIMED
    return AS_CLAIMED if all(outcome.as_claimed for outcome in outcomes) else NOT_AS_CLAIMED


def _request(options: argparse.Namespace) -> Request:
    return Request(
        claims=tuple(dict.fromkeys(options.claims or CATALOGUE)),
        laws=tuple(options.law) if options.law else None,
        plan=Plan(options.profile, options.examples, options.seed),
        at=options.at,
        data=options.data,
    )


def _usual_jobs(claims: int) -> int:
    """Take a process for every dozen of claims, as far as there are processors."""
    return max(1, min(os.cpu_count() or 1, MOST_JOBS, claims // 12))


def _progress(started: float) -> Progress:
    """Write one live line with the time left, where someone is watching."""
    if not sys.stderr.isatty():
        return lambda *_: None

    def show(done: int, total: int, name: str) -> None:
        spent = time.monotonic() - started
        left = f"{spent / done * (total - done):.0f} s left" if done else ""
        line = f"{done} of {total} claims  {left:>10}  {name}" if done < total else ""
        sys.stderr.write(f"\r{line[:79]:<79}\r")

    return show


def _print_report(
    request: Request, outcomes: Sequence[Outcome], options: argparse.Namespace, seconds: float
) -> None:
    for line in (
        *table.refutations(outcomes, full=options.all),
        "",
        *table.matrix(outcomes),
        "",
        *table.decisions(outcomes),
        *(_sizes(request) if options.at else ()),
        *table.failures(outcomes),
        "",
        table.totals(outcomes, seconds),
    ):
        print(line)


def _sizes(request: Request) -> Iterator[str]:
    """Say which forms were compared at the sizes asked for: their inputs, their free parameters."""
    for domain in map(request.domain, request.claims):
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
