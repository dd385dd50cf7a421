"""What a law needs of the forms of a claim, each with the reason it gives where they have it not."""

from __future__ import annotations

from contextlib import suppress

from equivalence.claim import Equivalence
from properties.cases.answering import FormError
from properties.cases.sample import build
from properties.needs import real_inputs


def parameters(claim: Equivalence) -> str:
    """Need a reference with parameters."""
    return "" if any(True for _ in build(claim, "reference", 0).parameters()) else "no parameters"


def matrices(claim: Equivalence) -> str:
    """Need a parameter with two axes."""
    forms = [build(claim, "reference", 0)]
    with suppress(FormError):
        # That a candidate cannot be constructed is for every law to show that applies.
        forms.append(build(claim, "candidate", 0))
    axes = {one.ndim for form in forms for one in form.parameters()}
    return "" if 2 in axes else "no matrix among the parameters"  # noqa: PLR2004


def real_inputs_or_parameters(claim: Equivalence) -> str:
    """Need something to differentiate in."""
    return "nothing to differentiate in" if real_inputs(claim) and parameters(claim) else ""


def dead_entries(claim: Equivalence) -> str:
    """Need a claim that declares dead entries."""
    declared = {**claim.dead_in_reference(), **claim.dead_in_candidate()}
    return "" if declared else "no entries declared dead"
