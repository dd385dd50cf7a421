"""A failure seen again: the same case, the same numbers, the same law."""

from __future__ import annotations

from dataclasses import dataclass

from equivalence.catalogue import CATALOGUE
from equivalence.claim import Equivalence
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.sample import Values
from properties.cases.setting import USUAL, Setting
from properties.judging.judge import Judge, Verdict
from properties.judging.tally import Tally
from properties.laws import all_laws
from properties.reading.cases import claim_of, read_case
from properties.reading.claims import UsageError, load_claim
from properties.reading.failures import FailureFileError, quoted, regime, setting_of, tensors
from properties.reading.fitting import case_of, check_decided, check_inputs, check_values
from properties.refutation.counterexample import Refuted
from properties.refutation.failure import Failure
from properties.replaying.scripting import Finding
from properties.running.cell import Cell
from properties.ways import WAYS


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


def from_failure(failure: Failure, claim: type[Equivalence]) -> Replay:
    """Replay a failure against a claim: the one that it is about, or another with the same fields."""
    judge = _judge(claim, failure.law, setting_of(failure))
    check_decided(judge.law, failure)
    return Replay(judge, case_of(claim, failure), failure)


def from_case(text: str, law: str, seed: int | None = None, setting: Setting = USUAL) -> Replay:
    """Read a replay from a line CLAIM(name=value,…), as a counterexample prints it."""
    return Replay(_judge(claim_of(text), law, setting), read_case(text, seed, setting))


def applicable(text: str, setting: Setting = USUAL) -> list[str]:
    """Name the laws that apply to the claim of a case."""
    domain = Domain(claim_of(text), setting=setting)
    return [name for name, law in all_laws().items() if not Cell(domain, law).inapplicable]


def claim_about(failure: Failure, named: str | None) -> type[Equivalence]:
    """Return the claim that the user names, or one of the catalogue: never what the file alone names."""
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
