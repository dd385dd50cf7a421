"""`equivalence replay`: see a failure again, from its file or its one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
from properties.reading.failures import FailureFileError, read
from properties.refutation.failure import Failure
from properties.replaying.replay import Replay, applicable, claim_about, from_case, from_failure
from properties.replaying.scripting import ScriptError, tried_script
from properties.report.text import one_line
from properties.running.threads import threads_set
from properties.running.workers import Ended, in_a_process

FAILS = "FAILS"


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


@dataclass(frozen=True)
class _Answer:
    """What is printed, what is wrong with what was asked, and the exit code."""

    text: str
    trouble: str
    code: int


def replay_failure(options: argparse.Namespace) -> int:
    """Print FIXED, FAILS or ERROR, and return 0, 1 or 2."""
    try:
        failure = _failure(options)
    except (UsageError, FailureFileError) as error:
        return _printed(_error(str(error)))
    # The form may be one that ends its process: that is what is seen again then.
    answer = in_a_process(partial(_answered, options, failure))
    if isinstance(answer, Ended):
        print(f"{FAILS}: a form {answer}")
        return NOT_AS_CLAIMED
    return _printed(answer)


def _printed(answer: _Answer) -> int:
    print(answer.text, end="")
    print(answer.trouble, end="", file=sys.stderr)
    return answer.code


def _failure(options: argparse.Namespace) -> Failure | None:
    """Read the file; None for a case. UsageError for options of the other."""
    if options.failure.endswith(")"):
        if options.claim is not None:
            message = "--claim is of a FILE; a CASE names its own"
            raise UsageError(message)
        return None
    if options.law or any(one is not None for one in (options.seed, options.dtype, options.device)):
        message = "--law, --seed, --dtype and --device are of a CASE; a FILE names its own"
        raise UsageError(message)
    return read(Path(options.failure))


def _answered(options: argparse.Namespace, failure: Failure | None, _: str) -> _Answer:
    """Replay a failure, or the case that was named, in a process of its own."""
    told: list[str] = []
    try:
        with threads_set(1):
            replays = _replays(options, failure)
            if options.script:
                return _Answer(tried_script(_only(replays).finding), "", AS_CLAIMED)
            for replay in replays:
                told.append(_told(replay))  # noqa: PERF401  (what was told before something is raised stays)
    except (UsageError, ClaimError, FailureFileError, OutsideDomainError, ScriptError) as error:
        return _error(str(error), told)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (the user's code may raise anything)
        return _error(f"{type(error).__name__}: {error}", told)
    failing = any(text.startswith(FAILS) for text in told)
    return _Answer("".join(told), "", NOT_AS_CLAIMED if failing else AS_CLAIMED)


def _error(text: str, told: Sequence[str] = ()) -> _Answer:
    return _Answer("".join(told), one_line(f"ERROR: {text}".splitlines()[0]) + "\n", BAD_USAGE)


def _replays(options: argparse.Namespace, failure: Failure | None) -> Iterator[Replay]:
    text = options.failure
    if failure is not None:
        yield from_failure(failure, claim_about(failure, options.claim))
        return
    setting = setting_of(options)
    for law in options.law or applicable(text, setting):
        yield from_case(text, law, options.seed, setting)


def _only(replays: Iterator[Replay]) -> Replay:
    found = list(replays)
    if len(found) != 1:
        message = f"a script is about one law, but {len(found)} apply; name it with --law"
        raise UsageError(message)
    return found[0]


def _told(replay: Replay) -> str:
    """Say what came of it."""
    refuted, failure = replay.refuted, replay.failure
    about = f"{replay.judge.domain.name} under {replay.judge.law.name}"
    if refuted is None:
        return f"FIXED: {about} holds here\n"
    other = failure is not None and failure.difference["kind"] != refuted.smallest[1].kind
    way = f", in another way than the file says: {refuted.record.kind}" if other else ""
    return f"{FAILS}: {about}{way}\n{refuted}\n"
