"""Count false alarms and misses: `python -m tests.numerics.measure --seeds 20`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import torch

from properties.commands.arguments import add_setting, setting_of
from properties.running.profiles import NAMES, profile
from tests.numerics.trying import SIDES, Outcome, tried

WIDEST = 110
"""So much of the first difference is shown."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="run seeds, from 0 on")
    parser.add_argument("--examples", type=int, help="cases a law and seed; those of the profile by default")
    parser.add_argument("--profile", choices=NAMES, default="gate")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--side", choices=sorted(SIDES), action="append", help="both by default")
    add_setting(parser)
    parser.add_argument("--only", metavar="NAME", action="append", help="pairs by name; all by default")
    return parser.parse_args()


def chosen(asked: argparse.Namespace) -> list[tuple[str, str]]:
    """Name the pairs that were asked for."""
    pairs = [(side, name) for side in asked.side or sorted(SIDES) for name in SIDES[side]]
    known = {name for _, name in pairs}
    if unknown := sorted(set(asked.only or ()) - known):
        raise SystemExit(f"--only names pairs of tests.numerics, but got {', '.join(unknown)}")
    return [(side, name) for side, name in pairs if not asked.only or name in asked.only]


def outcomes(asked: argparse.Namespace) -> Iterator[Outcome]:
    """Try the pairs in processes of their own, and give each as it is done."""
    setting = setting_of(asked)
    examples = asked.examples or profile(asked.profile).max_examples
    with ProcessPoolExecutor(
        asked.jobs, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        waiting = [
            pool.submit(tried, side, name, range(asked.seeds), examples, setting=setting)
            for side, name in chosen(asked)
        ]
        yield from (done.result() for done in as_completed(waiting))


def line(outcome: Outcome) -> str:
    mark = " " if outcome.expected else "!"
    told = (
        f"{outcome.refuted} refuted" if outcome.side == "right" else f"{outcome.refuted} of {outcome.seeds}"
    )
    counted = f"{outcome.cases:>9,} cases  {told:>10}  {outcome.seconds:7.1f} s"
    return f"{mark} {outcome.side}  {outcome.name:<32} {counted}  {outcome.first[:WIDEST]}"


def summary(side: str, found: list[Outcome]) -> str:
    unexpected = sum(not one.expected for one in found)
    cases = sum(one.cases for one in found)
    return f"{side}: {len(found)} pairs, {cases:,} cases, {unexpected} unexpected"


def main() -> int:
    """Print a line a pair as it is done, then the sums; 1 where anything was not as expected."""
    found = []
    for outcome in outcomes(arguments()):
        found.append(outcome)
        print(line(outcome), flush=True)
    for side in sorted({one.side for one in found}):
        print(summary(side, [one for one in found if one.side == side]))
    return int(not all(one.expected for one in found))


if __name__ == "__main__":
    sys.exit(main())
