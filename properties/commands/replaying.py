"""`equivalence replay`: see a failure again, from its file or its one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from equivalence.variable import ClaimError
from properties.cases.sample import OutsideDomainError
from properties.commands.arguments import (
    AS_CLAIMED,
    BAD_USAGE,
    NOT_AS_CLAIMED,
    Commands,
    add_setting,
    setting_of,
)
from properties.reading.claims import UsageError
from properties.reading.failures import FailureFileError
from properties.replaying.replay import Replay, applicable, from_case, from_file
from properties.replaying.scripting import ScriptError, tried_script
from properties.report.text import one_line
from properties.running.threads import threads_set


def add(commands: Commands[Any]) -> None:
    """Add the command to the command line."""
    replay = commands.add_parser("replay", help="see a failure again: FIXED, FAILS or ERROR")
    replay.set_defaults(run=replay_failure)
    replay.add_argument("failure", metavar="FILE|CASE", help="a kept failure, or CLAIM(name=value,…)")
    replay.add_argument(
        "--law", action="append", default=[], metavar="LAW", help="of a CASE: only this law (may be repeated)"
    )
    replay.add_argument("--seed", type=int, help="of a CASE: draw other numbers")
    add_setting(replay)
    replay.set_defaults(dtype=None, device=None)
    replay.add_argument(
        "--claim", metavar="CLAIM", help="of a FILE: the claim, where the catalogue has it not"
    )
    replay.add_argument(
        "--script", action="store_true", help="print a script for a bug report: torch and your layer alone"
    )


def replay_failure(options: argparse.Namespace) -> int:
    """Print FIXED, FAILS or ERROR, and return 0, 1 or 2."""
    try:
        with threads_set(1):
            replays = _replays(options)
            if options.script:
                print(tried_script(_only(replays).finding), end="")
                return AS_CLAIMED
            failing = [_told(replay) for replay in replays]
    except (UsageError, ClaimError, FailureFileError, OutsideDomainError, ScriptError) as error:
        return _error(str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001  (the user's code may raise anything)
        return _error(f"{type(error).__name__}: {error}")
    return NOT_AS_CLAIMED if any(failing) else AS_CLAIMED


def _error(text: str) -> int:
    print(one_line(f"ERROR: {text}".splitlines()[0]), file=sys.stderr)
    return BAD_USAGE


def _replays(options: argparse.Namespace) -> Iterator[Replay]:
    text = options.failure
    if not text.endswith(")"):
        if options.law or any(one is not None for one in (options.seed, options.dtype, options.device)):
            message = "--law, --seed, --dtype and --device are of a CASE; a FILE names its own"
            raise UsageError(message)
        yield from_file(Path(text), options.claim)
        return
    if options.claim is not None:
        message = "--claim is of a FILE; a CASE names its own"
        raise UsageError(message)
    setting = setting_of(options)
    for law in options.law or applicable(text, setting):
        yield from_case(text, law, options.seed, setting)


def _only(replays: Iterator[Replay]) -> Replay:
    found = list(replays)
    if len(found) != 1:
        message = f"a script is about one law, but {len(found)} apply; name it with --law"
        raise UsageError(message)
    return found[0]


def _told(replay: Replay) -> bool:
    """Say what came of it; whether it fails."""
    refuted, failure = replay.refuted, replay.failure
    about = f"{replay.judge.domain.name} under {replay.judge.law.name}"
    if refuted is None:
        print(f"FIXED: {about} holds here")
        return False
    other = failure is not None and failure.difference["kind"] != refuted.smallest[1].kind
    way = f", in another way than the file says: {refuted.record.kind}" if other else ""
    # One piece of text: where the user's code crashes while it is told, nothing has been said.
    print(f"FAILS: {about}{way}\n{refuted}")
    return True
