"""A case in one line, CLAIM(name=value,…), as a counterexample prints it."""

from __future__ import annotations

import re

from equivalence.claim import Equivalence
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.setting import USUAL, Setting
from properties.reading.claims import UsageError, load_claim, parse_pins, read_value
from properties.reading.fitting import pinned

CASE = re.compile(r"(?P<claim>(?:.*:)?[^():]+)\((?P<pins>.*)\)")
"""A path before the colon may hold brackets of its own."""


def read_case(text: str, seed: int | None = None, setting: Setting = USUAL) -> Case:
    """Read a case, with the seed 0 where the line names none; UsageError for a line that is no case."""
    claim, words = _split(text)
    pins = {"seed": 0, **parse_pins(claim, words)}
    if seed is not None:
        pins["seed"] = read_value(Domain(claim), "seed", str(seed))
    return pinned(claim, pins, setting)


def claim_of(text: str) -> type[Equivalence]:
    """Find the claim of a case."""
    claim, _ = _split(text)
    return claim


def _split(text: str) -> tuple[type[Equivalence], str]:
    """Give the claim of a case, and its name=value pairs."""
    found = CASE.fullmatch(text)
    if found is None:
        message = f"a case is written CLAIM(name=value,…), but got {text!r}"
        raise UsageError(message)
    return load_claim(found["claim"]), found["pins"]
