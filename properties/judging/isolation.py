"""A case runs in a state of its own, and what its forms change of the process is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import torch

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.form import on_cpu
from properties.cases.generators import generator_state, generators_kept
from properties.cases.sample import OutsideDomainError, Sample, build
from properties.cases.surroundings import surroundings_kept
from properties.judging.numbers import usual


@contextmanager
def own_state(case: Case) -> Iterator[list[str]]:
    """Run a case with gradients, with random states of its own; gives what forms have changed.

    What a form makes without a word of where lies on the CPU, whatever the user's default device is.
    """
    with (
        torch.enable_grad(),
        generators_kept(),
        generator_state(case.seed, case.setting.device),
        on_cpu(),
        surroundings_kept() as changed,
    ):
        yield changed


def told_changes(domain: Domain, case: Case, changed: Sequence[str]) -> Iterator[str]:
    """Say which form changes what belongs to the whole process, or that one does."""
    by_side = {side: _changed_by(domain, case, side) for side in ("reference", "candidate")}
    for name in changed:
        sides = [f"the {side}" for side, names in by_side.items() if name in names]
        yield f"{' and '.join(sides) or 'a form'} changed {name} for the whole process; it was put back"


def _changed_by(domain: Domain, case: Case, side: str) -> list[str]:
    """Name what one form changes as it is made, and as it is called."""
    with own_state(case):
        with surroundings_kept() as made, suppress(FormError):
            build(case.claim, side, case.seed)
        with surroundings_kept(), suppress(FormError, OutsideDomainError):
            sample = Sample(case, usual(case), domain.data)
            form = sample.reference if side == "reference" else sample.candidate
            with surroundings_kept() as called:
                form(sample.theta, sample.inputs)
            return [*made, *called]
    return made
