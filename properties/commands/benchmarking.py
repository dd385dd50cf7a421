"""`equivalence bench`: time forms that are equal, side by side."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from equivalence.catalogue import CATALOGUE
from properties.benchmarking import table
from properties.benchmarking.document import Benchmark, write_json
from properties.benchmarking.machine import check_threads
from properties.benchmarking.picture import check_picture, draw
from properties.benchmarking.run import Progress, Request, bench
from properties.benchmarking.sizes import NAMES
from properties.commands.arguments import (
    AS_CLAIMED,
    BAD_USAGE,
    INTERRUPTED,
    NOT_AS_CLAIMED,
    Commands,
    add_setting,
    positive,
    setting_of,
)
from properties.commands.interruption import interruptible
from properties.reading.claims import UsageError
from properties.report.files import ReportError, check_writable
from properties.report.live import LiveLine


def add(commands: Commands[Any]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "bench",
        help="time forms that are equal, side by side",
        description="Verify that a claim's forms are equal on the very case, then time them interleaved.",
    )
    command.set_defaults(run=bench_claims)
    command.add_argument(
        "claims", nargs="*", metavar="CLAIM", help="a name, module:Class or file.py:Class; all by default"
    )
    _add_sizes(command)
    _add_setting(command)
    command.add_argument("--backward", action="store_true", help="time forward + backward as well")
    command.add_argument(
        "--seconds", type=_above_zero, default=0.5, help="time for a claim, size and pass (default: 0.5)"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the run as data")
    command.add_argument("--picture", type=Path, metavar="FILE", help="draw the run, as .svg or .png")
    command.add_argument(
        "--fail-above",
        type=_above_zero,
        metavar="RATIO",
        help="exit with 1 where the whole interval of a form's ratio to the reference lies above",
    )


def _add_sizes(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--at",
        default="",
        metavar="NAME=VALUE,…",
        help="these sizes, the others as published; mask=5%% draws a mask, every=64 sets all others",
    )
    command.add_argument(
        "--sweep",
        default="",
        metavar="NAME=LOW:HIGH",
        help="double one size; `own` takes the claim's own sweep",
    )
    command.add_argument(
        "--size", action="append", choices=NAMES, help="only this size of each claim (may be repeated)"
    )


def _add_setting(command: argparse.ArgumentParser) -> None:
    add_setting(command, "float32")
    command.add_argument("--threads", type=positive, default=1, help="threads of torch (default: 1)")
    command.add_argument("--compile", action="store_true", help="time what torch.compile makes of the forms")


def bench_claims(options: argparse.Namespace) -> int:
    """Time what is asked for, print the table, and say by the exit code whether all was equal and fast."""
    _check_outputs(options)
    found = _measured(_request(options))
    if found is None:
        print("interrupted before anything was measured", file=sys.stderr)
        return INTERRUPTED
    for line in table.lines(found):
        print(line)
    written = _write(found, options)
    code = _exit_code(found, options.fail_above)
    return code if written else BAD_USAGE


def _check_outputs(options: argparse.Namespace) -> None:
    """Refuse, before anything is timed, a file that could not be written."""
    if options.picture is not None:
        check_picture(options.picture)
    for path in filter(None, (options.json, options.picture)):
        check_writable(path)


def _measured(request: Request) -> Benchmark | None:
    """Run until the end or until a signal; None where it came before the first measurement."""
    try:
        with interruptible() as check:
            return bench(request, _progress(check))
    except KeyboardInterrupt:
        return None


def _request(options: argparse.Namespace) -> Request:
    if options.size and (options.at or options.sweep):
        message = (
            "--size is a set of published sizes, beside which --at and --sweep say nothing; leave it out"
        )
        raise UsageError(message)
    check_threads(options.threads)
    return Request(
        claims=tuple(dict.fromkeys(options.claims or CATALOGUE)),
        named=bool(options.claims),
        at=options.at,
        sweep=options.sweep,
        sizes=tuple(options.size or NAMES),
        setting=setting_of(options),
        compiled=options.compile,
        threads=options.threads,
        backward=options.backward,
        budget=options.seconds,
    )


def _above_zero(text: str) -> float:
    """Read a number from the command line; argparse tells the rule where it is none."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        message = f"takes a finite number above 0, but got {text}"
        raise argparse.ArgumentTypeError(message)
    return number


def _progress(check: Callable[[], None]) -> Progress:
    """Write one live line with the time left, where someone is watching; end a run after a signal."""
    line = LiveLine()

    def show(done: int, total: int, name: str) -> None:
        check()
        line.count(done, total, name)

    return show


def _write(found: Benchmark, options: argparse.Namespace) -> bool:
    """Write each file that is asked for, whether or not another fails; say whether all were written."""
    complete = True
    for path, write in ((options.json, write_json), (options.picture, draw)):
        if path is not None:
            try:
                write(found, path)
                print(f"written to {path}")
            except ReportError as error:
                complete = False
                print(f"equivalence: {error}", file=sys.stderr)
    return complete


def _exit_code(found: Benchmark, bound: float | None) -> int:
    slow = [] if bound is None else table.above(found, bound)
    for line in slow:
        print(line, file=sys.stderr)
    if not found.complete:
        print("interrupted: what was measured until then is above", file=sys.stderr)
        return INTERRUPTED
    refused = [refusal for refusal in found.refusals if not refusal.declared]
    if slow or not all(refusal.too_large for refusal in refused):
        return NOT_AS_CLAIMED
    return BAD_USAGE if refused else AS_CLAIMED
