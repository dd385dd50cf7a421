"""Whether a replay file fits a claim, asked before anything is computed: its case, its sizes, its values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from math import prod
from typing import Any

from torch import Tensor

from equivalence.claim import Equivalence
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.regime import Integers, Regime
from properties.cases.sample import Values, drawn_inputs
from properties.cases.setting import USUAL, Setting
from properties.cases.values import NORMAL
from properties.judging.judge import Judge, Verdict
from properties.laws.registry import Law
from properties.oracle.agreement import RAISES
from properties.reading.claims import UsageError, read_value
from properties.reading.failures import FailureFileError, setting_of
from properties.refutation.failure import MOST_BYTES, Failure

USUAL_SIZES = 64
"""A field is drawn from sizes below its least and this; larger ones are pinned, and show in the values."""
MOST_ENTRIES = MOST_BYTES // 2
"""As many as a file can hold."""
MOST_ROWS = 4096
"""Rows without entries of their own are not seen in the values."""
REMEDY = "replay it against the claim that it is about"


def case_of(claim: type[Equivalence], failure: Failure) -> Case:
    """Give the case of a file, every field and axis of its own type; FailureFileError where one is not."""
    domain = Domain(claim)
    _check_names(domain, "fields", failure.fields, domain.fields)
    _check_names(domain, "axes", failure.axes, domain.axes)
    fields = {name: _field(domain, name, value) for name, value in failure.fields.items()}
    axes = {name: read_value(domain, name, "x".join(map(str, shape))) for name, shape in failure.axes.items()}
    pins = {**fields, **axes, "seed": failure.seed, "values": failure.look, "under": failure.under}
    case = pinned(claim, pins, setting_of(failure))
    _check_sizes(domain, case, failure)
    return case


def pinned(claim: type[Equivalence], pins: Mapping[str, Any], setting: Setting = USUAL) -> Case:
    """Give the case with these fields, axes and seed; UsageError where one is missing, or a mask misfits."""
    domain = Domain(claim, pins, setting=setting)
    if missing := [name for name in (*domain.fields, *domain.axes) if name not in pins]:
        message = f"{claim.__name__}: a case gives every field and axis, but {', '.join(missing)} is missing"
        raise UsageError(message)
    for name, mask in domain.masks.items():
        try:
            mask.check(pins[name], domain.mask_shape(name, {}))
        except ValueError as error:
            raise UsageError(f"{name} {error}") from error
    axes = {name: domain.axis(name, ()) for name in domain.axes}
    look = pins.get("values", NORMAL)
    return Case(domain.configure({}), axes, pins["seed"], look, domain.under, setting)


def check_decided(law: Law, failure: Failure) -> None:
    """Refuse a file that says of a law what is never said of it: its values would be taken for others."""
    ways = [way.word for way in law.decided.ways]
    if failure.decided not in ways:
        message = f"{law.name} is decided by {' or '.join(ways)}, but the file says {failure.decided}"
        raise FailureFileError(message)


def check_inputs(case: Case, values: Values) -> None:
    """Refuse inputs that are none of the case: no form is built for them."""
    for name, variable in drawn_inputs(case):
        if name not in values:
            continue
        _check_shape(case, name, values[name], case.shape(variable))
        if held := variable.misfit(values[name], case.size):
            raise FailureFileError(f"{name} holds {held}, but the file gives others")


def check_values(judge: Judge, verdict: Verdict, failure: Failure, values: Values) -> None:
    """Refuse values that the claim would not take: it would draw others, and answer about them."""
    for name, drawn in judge.values(verdict).items():
        # A form that raised was asked for no more numbers; one that is mended is, and draws them.
        if name not in values and failure.difference["kind"] != RAISES:
            message = f"{judge.domain.name} takes {name!a}, but the file has none; {REMEDY}"
            raise FailureFileError(message)
        if name in values:
            _check_shape(verdict.case, name, values[name], tuple(drawn.shape))
            _check_dtype(name, values[name], drawn)
    _check_range(verdict.regime, values)


def _check_names(domain: Domain, what: str, given: Collection[str], known: Collection[str]) -> None:
    if set(given) != set(known):
        message = (
            f"the {what} of {domain.name} are {', '.join(known) or 'none'}, but the file gives "
            f"{_named(given)}; {REMEDY}"
        )
        raise FailureFileError(message)


def _named(names: Collection[str]) -> str:
    shown = ascii(sorted(names))
    return shown if len(shown) <= USUAL_SIZES else f"{len(names)} others"


def _field(domain: Domain, name: str, value: Any) -> Any:
    kind = domain.fields[name]
    if not kind.keeps(value):
        raise FailureFileError(
            f"the field {name} is from {kind}, but the file gives a {type(value).__name__} that is not"
        )
    return value if name in domain.choices else read_value(domain, name, str(value))


def _check_sizes(domain: Domain, case: Case, failure: Failure) -> None:
    """Refuse sizes that no value of the file shows: a few bytes must not ask for gigabytes."""
    largest = max((len(value["entries"]) for value in failure.values.values()), default=0)
    fields = prod(_unusual_sizes(domain, case))
    axes = max((prod(shape) for shape in case.axes.values()), default=0)
    inputs = max(prod(case.shape(variable)) for variable in case.claim.inputs().values())
    if fields > max(USUAL_SIZES, largest) or axes > max(MOST_ROWS, largest) or inputs > MOST_ENTRIES:
        message = (
            f"sizes beyond {USUAL_SIZES} show in the values of a replay file, but its largest tensor has "
            f"{largest} entries; replay a case of that size by its one line: CLAIM(name=value,…)"
        )
        raise FailureFileError(message)


def _unusual_sizes(domain: Domain, case: Case) -> Iterator[int]:
    for name, kind in domain.sized.items():
        size = getattr(case.claim, name)
        if kind.high is None and size > kind.low + USUAL_SIZES:
            yield size


def _check_shape(case: Case, name: str, value: Tensor, shape: tuple[int, ...]) -> None:
    if value.shape != shape:
        message = (
            f"{type(case.claim).__name__} takes {name!a} of shape {shape}, but the file gives "
            f"{tuple(value.shape)}; {REMEDY}"
        )
        raise FailureFileError(message)


def _check_dtype(name: str, value: Tensor, drawn: Tensor) -> None:
    if value.dtype != drawn.dtype:
        message = f"{name!a} is {drawn.dtype}, but the file gives {value.dtype}"
        raise FailureFileError(message)


def _check_range(regime: Regime, values: Values) -> None:
    """Refuse what is beyond a bitwise comparison: rounding would look like a difference of meaning."""
    if not isinstance(regime, Integers):
        return
    for name, value in values.items():
        if value.is_floating_point() and bool(((value.abs() > 2**regime.bits) | (value % 1 != 0)).any()):
            message = f"{name!a} holds integers of {regime.bits} bits, but the file gives others"
            raise FailureFileError(message)
