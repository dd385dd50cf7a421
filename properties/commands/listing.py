"""`equivalence list`: the claims of the catalogue, the laws, or the circumstances."""

from __future__ import annotations

import argparse
from typing import Any

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties.circumstances import CIRCUMSTANCES
from properties.commands.arguments import AS_CLAIMED, Commands
from properties.laws import all_laws
from properties.laws.registry import DISTRIBUTIONS

NAME_WIDTH = 32
TRIED = {"explore": "[tried by --profile explore]", "asked": "[tried where asked for]"}


def add(commands: Commands[Any]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("list", help="the claims, the laws or the circumstances")
    command.set_defaults(run=list_names)
    asked = command.add_mutually_exclusive_group()
    asked.add_argument("--laws", action="store_true", help="the laws, those of other distributions too")
    asked.add_argument(
        "--circumstances", action="store_true", help="the circumstances in which forms are used, for --in"
    )


def list_names(options: argparse.Namespace) -> int:
    """Print every claim with its statement and source, or every law or circumstance with its statement."""
    if options.laws:
        _print_laws()
    elif options.circumstances:
        _print_circumstances()
    else:
        _print_claims()
    return AS_CLAIMED


def _print_claims() -> None:
    for name, claim in CATALOGUE.items():
        _print(name, _statement(claim), f"[{claim.source}]", *(f"breaks {law}" for law in claim.breaks))


def _print_laws() -> None:
    for name, law in all_laws().items():
        _print(name, law.statement, *([f"[{law.owner}]"] if name in DISTRIBUTIONS else []))


def _print_circumstances() -> None:
    # Those of other distributions come with their laws.
    all_laws()
    for name, one in CIRCUMSTANCES.items():
        _print(name, one.told, one.statement, *([TRIED[one.tried]] if one.tried in TRIED else []))


def _print(name: str, *lines: str) -> None:
    for place, line in enumerate(lines):
        print(f"{'' if place else name:<{NAME_WIDTH}} {line}")


def _statement(claim: type[Equivalence]) -> str:
    return (claim.__doc__ or "").strip().splitlines()[0]
