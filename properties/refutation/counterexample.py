"""From a failing case to what a reader needs: what differs, of which kind, why, and how to see it again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from equivalence.catalogue import CATALOGUE
from properties.cases.case import Case
from properties.cases.definition import field_values
from properties.cases.regime import Integers
from properties.cases.sample import Values
from properties.cases.setting import USUAL, Setting
from properties.cases.values import NORMAL, look
from properties.circumstances.registry import told_of
from properties.circumstances.registry import written as written_under
from properties.dtypes import named
from properties.judging.judge import Judge, Verdict
from properties.judging.tally import Tally
from properties.laws.registry import ANOTHER_FUNCTION, Law
from properties.oracle.agreement import RAISES, Difference
from properties.refutation import overflow
from properties.refutation.minimise import minimised
from properties.refutation.wiring import wiring
from properties.report.document import CounterexampleRecord, TensorRecord
from properties.report.text import refutation
from properties.ways import EXACT, ROUNDING

MOST_ENTRIES = 40
"""Of tensors larger than this, a few entries are shown: those that differ, or that are not 0."""
MOST_NOTABLE = 8
KINDS = {"distribution": "another distribution", "structure": "another structure of outputs"}


class Refuted(AssertionError):  # noqa: N818  (the word for it)
    """A law that a claim fails, with the case that shows it."""

    def __init__(self, judge: Judge, verdict: Verdict, tally: Tally, values: Values | None = None) -> None:
        """Keep the case, and the values that show it; without them, the smallest are looked for."""
        super().__init__()
        self.judge = judge
        self.verdict = verdict
        self.tally = tally
        self.values = values
        self.file = ""
        """Where it was written to be seen again; empty where it was not."""

    def __str__(self) -> str:
        """Name the claim and the law, the case, its values, and how to see it again."""
        return refutation(self.judge.domain.name, self.judge.law.name, self.judge.law.statement, self.record)

    @cached_property
    def smallest(self) -> tuple[Values, Difference]:
        """The smallest values that show the failure, and how they show it."""
        if self.values is not None and self.verdict.difference is not None:
            return self.values, self.verdict.difference
        if self.verdict.decided.many_runs and self.verdict.difference is not None:
            return self.judge.values(self.verdict), self.verdict.difference
        values, difference = minimised(self.judge, self.verdict)
        if not self.judge.law.decided.culprit:
            return values, difference
        lost = self.judge.culprit(self.verdict, values)
        return values, replace(difference, remark=", ".join(filter(None, [difference.remark, lost])))

    @property
    def record(self) -> CounterexampleRecord:
        """The counterexample as plain data."""
        return replace(self._found, file=self.file)

    @cached_property
    def _found(self) -> CounterexampleRecord:
        values, difference = self.smallest
        verdict, law = self.verdict, self.judge.law.name
        leaf = difference.leaf
        return CounterexampleRecord(
            kind=self._kind(values, difference),
            declared=self.judge.domain.claim.breaks.get(law, ""),
            case=_case(verdict.case),
            where=difference.where,
            reference=difference.reference,
            candidate=difference.candidate,
            different=difference.different,
            total=difference.total,
            difference=str(difference),
            decided=_decided(verdict),
            values=[_tensor(name, value) for name, value in _shown(verdict.case, values, difference).items()],
            reference_output=_tensor("reference", leaf.reference, leaf.wrong) if leaf else None,
            candidate_output=_tensor("candidate", leaf.candidate, leaf.wrong) if leaf else None,
            wiring=self._wiring(difference),
            worst=self._worst(),
            replay=replayed(verdict.case, law),
            beyond=self.judge.law.beyond(self.judge.domain.claim),
        )

    def _kind(self, values: Values, difference: Difference) -> str:
        found = self._kind_of_difference(values, difference)
        return f"{found}, {told_of(self.verdict.case.under)}" if self.verdict.case.under else found

    def _kind_of_difference(self, values: Values, difference: Difference) -> str:
        found = kind(self.judge.law, self.verdict, difference)
        if found.startswith(ANOTHER_FUNCTION) and overflow.leaves_range(difference):
            return overflow.told(self.judge, self.verdict, values)
        return found

    def _wiring(self, difference: Difference) -> Sequence[str]:
        """Trace connections where outputs differ: other laws fail by what their equations say."""
        if not self.judge.law.wired or difference.kind != "value":
            return []
        return wiring(self.judge.domain, self.verdict.case)

    def _worst(self) -> str:
        """Say where a difference was larger than the one shown, whose values no case of the run had."""
        _, shown = self.smallest
        largest, case = self.tally.worst or (0.0, self.verdict.case)
        if largest <= shown.largest or _case(case) == _case(self.verdict.case):
            return ""
        return f"|difference| {largest:.6g} at {_case(case)}"


def kind(law: Law, verdict: Verdict, difference: Difference) -> str:
    """Say in a few words in which way a claim fails a law."""
    if difference.kind != "value":
        return KINDS.get(difference.kind, difference.kind)
    found = law.kind_at(difference.where)
    dtype = verdict.regime.dtype
    return f"{found} in {named(dtype)}" if found == ANOTHER_FUNCTION and dtype != torch.float64 else found


def written(case: Case) -> str:
    """Write a case in one line, as `equivalence replay` reads it."""
    return f"{place(case)}({pins(case)})"


def replayed(case: Case, law: str) -> str:
    """Give the command line that shows a case again."""
    return " ".join([f"equivalence replay '{written(case)}' --law {law}", *_options(case.setting)])


def _options(setting: Setting) -> Iterator[str]:
    if setting.dtype != USUAL.dtype:
        yield f"--dtype {setting.dtype_name}"
    if setting.device != USUAL.device:
        yield f"--device {setting.device}"


def pins(case: Case) -> str:
    """Write a case as the value of --at."""
    fields = {name: kind.plain(value) for name, kind, value in field_values(case.claim)}
    axes = {name: "x".join(map(str, shape)) for name, shape in case.axes.items()}
    looks = {"values": case.values} if case.values != NORMAL else {}
    under = {"under": written_under(case.under)} if case.under else {}
    words = {**fields, **axes, "seed": case.seed, **looks, **under}
    return ",".join(f"{name}={value}" for name, value in words.items())


def place(case: Case) -> str:
    """Name the claim as the command line finds it: in the catalogue, by module, or by file."""
    claim = type(case.claim)
    listed = next((name for name, one in CATALOGUE.items() if one is claim), "")
    if listed:
        return listed
    file = Path(getattr(sys.modules.get(claim.__module__), "__file__", None) or "")
    importable = "." in claim.__module__ or file.stem == claim.__module__
    return f"{claim.__module__ if importable else file}:{claim.__qualname__}"


def _case(case: Case) -> str:
    """Write the sizes and options of a case; its masks and values are shown as tensors."""
    fields = {name: value for name, kind, value in field_values(case.claim) if kind.shown(value) is None}
    sizes = ", ".join(f"{name}={value}" for name, value in {**fields, **case.axes}.items())
    looks = f"values {look(case.values).told}" if case.values != NORMAL else ""
    return ", ".join(filter(None, [sizes, looks, told_of(case.under)]))


def _shown(case: Case, values: Values, difference: Difference) -> dict[str, Tensor]:
    """Give inputs first, then parameters, masks, and what else was drawn; nothing where no number matters."""
    if difference.leaf is None and difference.kind != RAISES:
        return {}
    tensors = {name: kind.shown(value) for name, kind, value in field_values(case.claim)}
    masks = {name: shown for name, shown in tensors.items() if shown is not None}
    inputs = {name: values[name] for name in case.claim.inputs() if name in values}
    return inputs | dict(values) | masks


def _tensor(name: str, value: Tensor, wrong: Tensor | None = None) -> TensorRecord:
    omitted = value.numel() > MOST_ENTRIES
    places = (
        (value != 0 if wrong is None else wrong.expand(value.shape)).nonzero().tolist() if omitted else []
    )
    return TensorRecord(
        name=name,
        shape=list(value.shape),
        dtype=named(value.dtype),
        entries=[] if omitted else [_number(entry) for entry in value.reshape(-1).tolist()],
        omitted=omitted,
        wrong=[] if wrong is None or omitted else list(_places(wrong.expand(value.shape))),
        notable={str(place): _number(value[tuple(place)].item()) for place in places[:MOST_NOTABLE]},
        more=max(0, len(places) - MOST_NOTABLE),
    )


def _places(wrong: Tensor) -> Iterator[int]:
    yield from wrong.reshape(-1).nonzero().squeeze(1).tolist()


def _number(entry: float) -> float | int | str:
    if entry != entry or entry in (float("inf"), float("-inf")):  # noqa: PLR0124  (nan)
        return str(entry)
    return int(entry) if float(entry).is_integer() else entry


def _decided(verdict: Verdict) -> str:
    """Say how a case was decided, and in which dtype where it is not float64."""
    dtype = named(verdict.regime.dtype)
    if isinstance(verdict.regime, Integers) and verdict.decided != ROUNDING:
        return EXACT.refuted.format(dtype=dtype).removesuffix(" in float64")
    return verdict.decided.refuted.format(dtype=dtype)
