"""A failure seen again: the same case, the same numbers, the same law."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.sample import Values
from properties.cases.setting import USUAL, Setting
from properties.judging.judge import Judge, Verdict
from properties.judging.tally import Tally
from properties.laws import all_laws
from properties.reading.claims import UsageError, load_claim, parse_pins, read_value
from properties.reading.failures import FailureFileError, quoted, read, regime, setting_of, tensors
from properties.reading.fitting import case_of, check_decided, check_inputs, check_values, pinned
from properties.refutation.counterexample import Refuted
from properties.refutation.failure import Failure
from properties.replaying.scripting import Finding
from properties.running.cell import Cell
from properties.ways import WAYS

CASE = re.compile(r"(?P<claim>(?:.*:)?[^():]+)\((?P<pins>.*)\)")
"""A path before the colon may hold brackets of its own."""


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
    def finding(self) -> Finding:
        """What a script is written of: the failure, or the case in which there is none any more."""
        refuted = self.refuted
        if refuted is not None:
            return Finding.of(refuted)
        verdict = self._verdict()
        values = self._values() or self.judge.values(verdict)
        return Finding(self.case, self.judge.law.name, values, verdict.regime)

    def _verdict(self) -> Verdict:
        values = self._values()
        if self.failure is None or values is None:
            return self.judge.verdict(self.case)
        verdict = Verdict(self.case, WAYS[self.failure.decided], regime(self.failure))
        check_inputs(self.case, values)
        check_values(self.judge, verdict, self.failure, values)
        return self.judge.retried(verdict, values)

    def _values(self) -> Values | None:
        if self.failure is None or not WAYS[self.failure.decided].replays_values:
            return None
        return tensors(self.failure)


def from_file(path: Path, named: str | None) -> Replay:
    """Read a replay from a file; its claim is one of the catalogue, or the one that the user names."""
    failure = read(path)
    return from_failure(failure, _claim(failure, named))


def from_failure(failure: Failure, claim: type[Equivalence]) -> Replay:
    """Replay a failure against a claim: the one that it is about, or another with the same fields."""
    judge = _judge(claim, failure.law, setting_of(failure))
    check_decided(judge.law, failure)
    return Replay(judge, case_of(claim, failure), failure)


def from_case(text: str, law: str, seed: int | None = None, setting: Setting = USUAL) -> Replay:
    """Read a replay from a line CLAIM(name=value,…), as a counterexample prints it."""
    claim, words = _split(text)
    pins = {"seed": 0, **parse_pins(claim, words)}
    if seed is not None:
        pins["seed"] = read_value(Domain(claim), "seed", str(seed))
    return Replay(_judge(claim, law, setting), pinned(claim, pins, setting))


def applicable(text: str, setting: Setting = USUAL) -> list[str]:
    """Name the laws that apply to the claim of a case."""
    claim, _ = _split(text)
    domain = Domain(claim, setting=setting)
    return [name for name, law in all_laws().items() if not Cell(domain, law).inapplicable]


def _split(text: str) -> tuple[type[Equivalence], str]:
    """Give the claim of a case, and its name=value pairs."""
    found = CASE.fullmatch(text)
    if found is None:
        message = f"a case is written CLAIM(name=value,…), but got {text!r}"
        raise UsageError(message)
    return load_claim(found["claim"]), found["pins"]


def _claim(failure: Failure, named: str | None) -> type[Equivalence]:
    """Import nothing that the file alone names."""
    if named is not None:
        return load_claim(named)
    if failure.claim in CATALOGUE:
        return CATALOGUE[failure.claim]
    message = (
        f"the file is about '{quoted(failure.claim)}', which is not in the catalogue, and nothing that a "
        "file names is imported; name the claim yourself: --claim module:Class or --claim file.py:Class"
    )
    raise FailureFileError(message)


def _judge(claim: type[Equivalence], law: str, setting: Setting) -> Judge:
    if law not in all_laws():
        message = f"a law is one of {', '.join(all_laws())}, but got '{quoted(law)}'"
        raise UsageError(message)
    cell = Cell(Domain(claim, setting=setting), all_laws()[law])
    if cell.inapplicable:
        message = f"{claim.__name__}: {law} does not apply ({cell.inapplicable})"
        raise UsageError(message)
    return cell.judge
