"""One family at one set of sizes -> a record for each pass, of forms that are equal there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from properties.benchmarking.clock import Clock
from properties.benchmarking.contenders import (
    FORWARD_PASS,
    TRAINING_PASS,
    Contender,
    Pass,
    contenders,
)
from properties.benchmarking.document import REFERENCE, GroupRecord
from properties.benchmarking.memory import reason
from properties.benchmarking.peak import Peak
from properties.benchmarking.points import Point
from properties.benchmarking.proof import difference_after, difference_before
from properties.benchmarking.recording import Recording
from properties.benchmarking.rounds import Rounds, interleaved
from properties.cases.answering import FormError, answering
from properties.cases.case import Case
from properties.cases.generators import generator_state
from properties.cases.setting import Setting
from properties.cost import Cost, UncountedOperationError, cost

LEAST_FORMS = 2
"""A reference by itself is compared with nothing."""


@dataclass(frozen=True)
class Bench:
    """How everything is measured."""

    setting: Setting
    clock: Clock
    peak: Peak
    budget: float
    """Seconds a claim and pass."""
    backward: bool = False
    compiled: bool = False
    """Whether what torch.compile makes of the forms is timed."""


@dataclass
class Findings:
    """What came of one family at one set of sizes."""

    groups: list[GroupRecord] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Claim -> how its forms differ."""
    uncounted: dict[str, str] = field(default_factory=dict)
    """Form -> the operation whose multiply-adds are not known."""


def measure(family: str, cases: Mapping[str, Case], point: Point, bench: Bench) -> Findings:
    """Hold every candidate against the reference, time those that are equal, and hold them once more."""
    findings = Findings()
    equal = {name: case for name, case in cases.items() if not _differs(name, case, findings)}
    forms = _able(equal, bench, findings)
    if len(forms) < LEAST_FORMS:
        return findings
    timed = [(one, _timed(forms, one, bench)) for one in _passes(forms, bench)]
    # At once: a count would run the modules on other tensors, and a form forgets what it kept.
    kept = [form for form in forms if form.name == REFERENCE or not _stale(form, forms[0], equal, findings)]
    if len(kept) >= LEAST_FORMS:
        recording = Recording(family, point, kept, _costs(kept, findings), bench.peak)
        findings.groups = [recording.group(one.name, rounds) for one, rounds in timed]
    return findings


def _differs(name: str, case: Case, findings: Findings) -> bool:
    return _refused(name, difference_before(case), findings)


def _stale(form: Contender, reference: Contender, cases: Mapping[str, Case], findings: Findings) -> bool:
    return _refused(form.name, difference_after(cases[form.name], reference, form), findings)


def _refused(name: str, reason: str, findings: Findings) -> bool:
    if reason:
        findings.refused[name] = reason
    return bool(reason)


def _able(cases: Mapping[str, Case], bench: Bench, findings: Findings) -> list[Contender]:
    """Build the forms, and leave out those that cannot run in this dtype or on this device."""
    if not cases:
        return []
    try:
        forms = contenders(cases, bench.setting, compiled=bench.compiled)
        _run_twice(forms[0], bench)
    except FormError as error:
        findings.refused.update(dict.fromkeys(cases, reason(error)))
        return []
    return [
        forms[0],
        *(form for form in forms[1:] if not _refused(form.name, _trouble(form, bench), findings)),
    ]


def _trouble(form: Contender, bench: Bench) -> str:
    try:
        _run_twice(form, bench)
    except FormError as error:
        return reason(error)
    return ""


def _run_twice(form: Contender, bench: Bench) -> None:
    """Run every pass before the first round; FormError where one fails, the first time or the second.

    A compiler is done then, and a form that kept the graph of its first call has failed.
    """
    for one in _passes([form], bench):
        with answering(form.name), one.gradients(), generator_state(0):
            step = one.step(form)
            step()
            step()


def _passes(forms: Sequence[Contender], bench: Bench) -> list[Pass]:
    real = any(x.is_floating_point() for x in forms[0].inputs)
    differentiable = real or any(True for _ in forms[0].plain.parameters())
    return [FORWARD_PASS, TRAINING_PASS] if bench.backward and differentiable else [FORWARD_PASS]


def _timed(forms: Sequence[Contender], one: Pass, bench: Bench) -> Rounds:
    with one.gradients(), generator_state(0):
        steps = {form.name: one.step(form) for form in forms}
        return interleaved(steps, bench.clock, bench.budget * (len(forms) - 1))


def _costs(forms: Sequence[Contender], findings: Findings) -> dict[str, Cost]:
    """Count what each form costs; one with an unknown operation is named, and has no count."""
    costs = {}
    for form in forms:
        try:
            costs[form.name] = cost(form.plain, form.inputs)
        except UncountedOperationError as error:
            findings.uncounted[form.name] = error.name
    return costs
