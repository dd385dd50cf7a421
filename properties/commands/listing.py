"""`equivalence list`: the claims of the catalogue."""

from __future__ import annotations

import argparse
from typing import Any

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties.commands.arguments import AS_CLAIMED, Commands


def add(commands: Commands[Any]) -> None:
    """Add the command to the command line."""
    commands.add_parser("list", help="the claims of the catalogue").set_defaults(run=list_claims)


def list_claims(_: argparse.Namespace) -> int:
    """Print every claim of the catalogue with its statement and source."""
    for name, claim in CATALOGUE.items():
        print(f"{name:<32} {_statement(claim)}")
        print(f"{'':<32} [{claim.source}]" + "".join(f"\n{'':<32} breaks {law}" for law in claim.breaks))
    return AS_CLAIMED


def _statement(claim: type[Equivalence]) -> str:
    return (claim.__doc__ or "").strip().splitlines()[0]
