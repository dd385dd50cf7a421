"""Which numbers a case is decided on: integers with as many bits as stay exact, or reals."""

from __future__ import annotations

import torch

from properties.cases.case import Case
from properties.cases.regime import Integers, Reals
from properties.oracle.exact import TRACED_BITS, Exactness

SINGLE, DOUBLE = Reals(torch.float32), Reals(torch.float64)
FEW_TRACED_BITS = 1
"""Of a dtype with a few digits alone: the sums of a trace must fit."""


def usual(case: Case) -> Reals:
    """Give the reals of a case: in the dtype of its setting."""
    return Reals(case.setting.dtype)


def of_distributions(case: Case) -> Reals:
    """Give the reals that two random forms are compared on: what float16 rounds is no draw of theirs."""
    return SINGLE if case.setting.is_narrow else usual(case)


def integers(case: Case, exactness: Exactness) -> tuple[Integers, ...]:
    """Give float64, and for every eighth case float32 in its place, or beside it where few bits are left.

    In another setting there is its dtype alone.
    """
    own = Integers(exactness.bits, case.setting.dtype)
    if not case.in_single or exactness.single_bits <= 0:
        return (own,)
    single = Integers(exactness.single_bits, torch.float32)
    return (single,) if exactness.single_suffices else (own, single)


def traced_integers(case: Case) -> Integers:
    """Give the integers that a case is traced with."""
    bits = FEW_TRACED_BITS if case.setting.is_narrow else TRACED_BITS
    return Integers(bits, case.setting.dtype)
