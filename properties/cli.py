"""The command `equivalence`: list the claims, verify them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import torch

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from equivalence.variable import ClaimError
from properties import profiles, table
from properties.cell import Cell, Plan
from properties.domain import Domain
from properties.idx import DataError, load_images
from properties.laws.parameters import free_scalars
from properties.loading import UsageError, load_claim, parse_pins
from properties.sample import build, takes_rows
from properties.suites import cells
from properties.verify import Outcome, verify

AS_CLAIMED, NOT_AS_CLAIMED, BAD_USAGE = 0, 1, 2
DATA_BATCH = (200,)
"""Images in a batch where --at does not say."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code: 0 as claimed, 1 not as claimed, 2 bad usage."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (UsageError, ClaimError, DataError) as error:
        print(f"equivalence: {error}", file=sys.stderr)
        return BAD_USAGE
    return code


def list_claims(_: argparse.Namespace) -> int:
    """Print every claim of the catalogue with its statement and source."""
    for name, claim in CATALOGUE.items():
        print(f"{name:<32} {_statement(claim)}")
        print(f"{'':<32} [{claim.source}]" + "".join(f"\n{'':<32} breaks {law}" for law in claim.breaks))
    return AS_CLAIMED


def verify_claims(options: argparse.Namespace) -> int:
    """Check claims under laws, print the table, and say by the exit code whether all is as claimed."""
    started = time.monotonic()
    plan = Plan(options.profile, options.examples, options.seed)
    chosen = _chosen_cells(options)
    with _one_thread():
        outcomes = list(verify(chosen, plan, _progress(started)))
    _print_report(outcomes, options, time.monotonic() - started)
    return AS_CLAIMED if all(outcome.as_claimed for outcome in outcomes) else NOT_AS_CLAIMED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "equivalence",
        description="Tell whether two ways of writing a neural-network layer are the same layer.",
    )
    parser.add_argument("--version", action="version", version=version("layer-equivalence"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="the claims of the catalogue").set_defaults(run=list_claims)
    check = commands.add_parser("verify", help="check claims under every law")
    check.set_defaults(run=verify_claims)
    check.add_argument(
        "claims", nargs="*", metavar="CLAIM", help="a name, module:Class or file.py:Class; all by default"
    )
    check.add_argument("--law", action="append", metavar="LAW", help="only this law (may be repeated)")
    check.add_argument("--examples", type=_positive, help="cases a law (default: the profile's)")
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
    check.add_argument("--all", action="store_true", help="show the counterexample of every refuted law")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = f"at least 1, but got {number}"
        raise argparse.ArgumentTypeError(message)
    return number


def _chosen_cells(options: argparse.Namespace) -> list[tuple[str, Cell]]:
    names = options.claims or list(CATALOGUE)
    data = load_images(options.data) if options.data else None
    chosen = []
    for name in names:
        claim = load_claim(name)
        domain = Domain(claim, _pins(claim, options), data)
        _check_fed(domain)
        chosen += [(name, cell) for cell in cells(domain, options.law)]
    return chosen


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: on small tensors, more of them only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _check_fed(domain: Domain) -> None:
    """Refuse data that no input takes: the run would be on random numbers, and look as if it were not."""
    shapes = {name: domain.typical.shape(variable) for name, variable in domain.claim.inputs().items()}
    if domain.data is not None and not any(takes_rows(domain.data, shape) for shape in shapes.values()):
        message = (
            f"{domain.name}: --data holds images of {tuple(domain.data.shape[1:])}, but the inputs are "
            f"{shapes}; fix their last axes with --at"
        )
        raise UsageError(message)


def _pins(claim: type[Equivalence], options: argparse.Namespace) -> dict[str, Any]:
    pins = parse_pins(claim, options.at)
    starred = [name for name, free in Domain(claim).axes.items() if free and options.data]
    return {**dict.fromkeys(starred, DATA_BATCH), **pins}


def _progress(started: float) -> Any:
    """Write one live line with the time left, where someone is watching."""
    if not sys.stderr.isatty():
        return lambda *_: None

    def show(done: int, total: int, name: str, law: str) -> None:
        spent = time.monotonic() - started
        left = f"{spent / done * (total - done):.0f} s left" if done else ""
        line = f"{done}/{total} {left:>10}  {name} {law}"
        sys.stderr.write(f"\r{line[:79]:<79}\r")

    return show


def _print_report(outcomes: Sequence[Outcome], options: argparse.Namespace, seconds: float) -> None:
    for line in (
        *table.refutations(outcomes, full=options.all),
        "",
        *table.matrix(outcomes),
        "",
        *table.decisions(outcomes),
        *(_sizes(outcomes) if options.at else ()),
        *table.failures(outcomes),
        "",
        table.totals(outcomes, seconds),
    ):
        print(line)


def _sizes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Say which forms were compared at the sizes asked for: their inputs, their free parameters."""
    for domain in {outcome.name: outcome.cell.domain for outcome in outcomes}.values():
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


def _statement(claim: type[Equivalence]) -> str:
    return (claim.__doc__ or "").strip().splitlines()[0]
