"""A failure seen again: the same case, the same numbers, the same law."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties.case import Case
from properties.cell import Cell
from properties.counterexample import Refuted
from properties.domain import Domain
from properties.failure import Failure
from properties.judge import Judge, Tally, Verdict
from properties.laws import all_laws
from properties.loading import UsageError, load_claim, parse_pins, read_value
from properties.reading import FailureFileError, read, regimes, tensors
from properties.regime import Integers, Regime
from properties.sample import Values

CASE = re.compile(r"(?P<claim>[^()]+)\((?P<pins>.*)\)")


@dataclass(frozen=True)
class Replay:
    """One case under one law: with the values of a file, or with those that the case's seed draws."""

    judge: Judge
    case: Case
    failure: Failure | None = None

    @property
    def refuted(self) -> Refuted | None:
        """The counterexample, if the law still fails; OutsideDomainError where the reference refuses."""
        verdict = self._verdict()
        if verdict.holds:
            return None
        return Refuted(self.judge, verdict, Tally(), self._values())

    @property
    def values(self) -> Values:
        """The numbers that the case is decided on."""
        return self._values() or self.judge.values(self._verdict())

    def _verdict(self) -> Verdict:
        values = self._values()
        if self.failure is None or values is None:
            return self.judge.verdict(self.case)
        verdict = Verdict(self.case, self.failure.decided, regimes(self.failure))
        _check_fit(self.judge, verdict, values)
        return self.judge.retried(verdict, values)

    def _values(self) -> Values | None:
        return tensors(self.failure) if self.failure and self.failure.decided != "statistics" else None


def from_file(path: Path, named: str | None) -> Replay:
    """Read a replay from a file; its claim is one of the catalogue, or the one that the user names."""
    failure = read(path)
    return from_failure(failure, _claim(failure, named))


def from_failure(failure: Failure, claim: type[Equivalence]) -> Replay:
    """Replay a failure against a claim: the one that it is about, or another with the same fields."""
    case = _case(claim, {**failure.fields, **failure.axes, "seed": failure.seed})
    return Replay(_judge(claim, failure.law), case, failure)


def from_case(text: str, law: str, seed: int | None = None) -> Replay:
    """Read a replay from a line CLAIM(name=value,…), as a counterexample prints it."""
    found = CASE.fullmatch(text)
    if found is None:
        message = f"a case is written CLAIM(name=value,…), but got {text!r}"
        raise UsageError(message)
    claim = load_claim(found["claim"])
    pins = {"seed": 0, **parse_pins(claim, found["pins"])}
    return Replay(_judge(claim, law), _pinned(claim, pins if seed is None else {**pins, "seed": seed}))


def applicable(text: str) -> list[str]:
    """Name the laws that apply to the claim of a case."""
    found = CASE.fullmatch(text)
    claim = load_claim(found["claim"]) if found else Equivalence
    return [name for name, law in all_laws().items() if not Cell(Domain(claim), law).inapplicable]


def _claim(failure: Failure, named: str | None) -> type[Equivalence]:
    """Import nothing that the file alone names."""
    if named is not None:
        return load_claim(named)
    if failure.claim in CATALOGUE:
        return CATALOGUE[failure.claim]
    message = (
        f"the file is about {failure.claim!a}, which is not in the catalogue, and nothing that a file names "
        "is imported; name the claim yourself: --claim module:Class or --claim file.py:Class"
    )
    raise FailureFileError(message)


def _judge(claim: type[Equivalence], law: str) -> Judge:
    if law not in all_laws():
        message = f"a law is one of {', '.join(all_laws())}, but got {law!a}"
        raise UsageError(message)
    cell = Cell(Domain(claim), all_laws()[law])
    if cell.inapplicable:
        message = f"{claim.__name__}: {law} does not apply ({cell.inapplicable})"
        raise UsageError(message)
    return cell.judge


def _case(claim: type[Equivalence], given: Mapping[str, Any]) -> Case:
    """Read a file's values as the command line reads its words: each must fit its field."""
    domain = Domain(claim)
    known = {*domain.fields, *domain.axes, "seed"}
    if unknown := sorted(given.keys() - known):
        message = (
            f"{claim.__name__} quantifies over {', '.join(sorted(known))}, but the file gives {unknown!a}"
        )
        raise FailureFileError(message)
    return _pinned(claim, {name: read_value(domain, name, _word(value)) for name, value in given.items()})


def _word(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)


def _pinned(claim: type[Equivalence], pins: Mapping[str, Any]) -> Case:
    domain = Domain(claim, pins)
    if missing := [name for name in (*domain.fields, *domain.axes) if name not in pins]:
        message = f"{claim.__name__}: a case gives every field and axis, but {', '.join(missing)} is missing"
        raise UsageError(message)
    return Case(domain.configure({}), {name: domain.axis(name, ()) for name in domain.axes}, pins["seed"])


def _check_fit(judge: Judge, verdict: Verdict, values: Values) -> None:
    """Refuse values that the claim would not take: it would draw others, and answer about them."""
    for name, drawn in judge.values(verdict).items():
        if name not in values or values[name].shape != drawn.shape:
            found = tuple(values[name].shape) if name in values else "none"
            message = (
                f"{judge.domain.name} takes {name!a} of shape {tuple(drawn.shape)}, but the file gives "
                f"{found}; replay it against the claim that it is about"
            )
            raise FailureFileError(message)
    for regime in verdict.regimes:
        if any(_exceeds(value.abs().max().item(), regime) for value in values.values() if prod(value.shape)):
            message = f"the values of a replay file lie within their {verdict.regimes[0]}, but some do not"
            raise FailureFileError(message)


def _exceeds(largest: float, regime: Regime) -> bool:
    return isinstance(regime, Integers) and largest > 2**regime.bits
