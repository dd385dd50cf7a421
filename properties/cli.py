"""The command `equivalence`, put together from its commands."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from equivalence.variable import ClaimError
from properties.commands import benchmarking, comparison, listing, replaying, training, verification
from properties.commands.arguments import BAD_USAGE, INTERRUPTED, NOT_AS_CLAIMED
from properties.reading.claims import UsageError
from properties.reading.images import DataError
from properties.report.files import ReportError

COMMANDS = (listing, verification, comparison, replaying, training, benchmarking)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code: 0 as claimed, 1 not, 2 bad usage, 130 interrupted."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A narrow encoding must not end a report with a traceback.
        sys.stdout.reconfigure(errors="replace")
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except (UsageError, ClaimError, DataError, ReportError) as error:
        print(f"equivalence: {error}", file=sys.stderr)
        return BAD_USAGE
    except KeyboardInterrupt:
        print("equivalence: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter flushes once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_AS_CLAIMED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "equivalence",
        description="Tell whether two ways of writing a neural-network layer are the same layer.",
    )
    parser.add_argument("--version", action="version", version=version("layer-equivalence"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
