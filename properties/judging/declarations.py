"""What a claim declares about itself, held against its forms: a slip here would silently check nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import torch
from torch import Tensor, nn

from equivalence.variable import ClaimError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.form import on_cpu
from properties.cases.generators import generator_state
from properties.cases.regime import Integers
from properties.cases.sample import Sample, build
from properties.circumstances import CIRCUMSTANCES
from properties.laws import all_laws
from properties.laws.registry import SCOPES


def check_declarations(domain: Domain) -> None:
    """ClaimError for a break of no law, or of one that is not claimed or does not apply, and for a misfit.

    That is a closed form or dead entries of a parameter that is none, a carry that misses a parameter, and
    an output that is no tensor.
    """
    for name in domain.claim.breaks:
        known_law(name)
    _check_scope(domain)
    _check_circumstances(domain)
    # With bias=False fixed, a statement about the bias would look like a slip.
    domain = Domain(domain.claim, setting=domain.setting) if domain.pins else domain
    forms = _forms(domain)
    if forms is None:
        return
    reference, candidate = forms
    claim = domain.exemplar
    _check_names(domain, "initial", claim.initial(), candidate)
    _check_dead(domain, "dead_in_reference", claim.dead_in_reference(), reference)
    _check_dead(domain, "dead_in_candidate", claim.dead_in_candidate(), candidate)
    for name in domain.claim.breaks:
        if reason := all_laws()[name].needs(claim):
            message = (
                f"{domain.name}: a claim breaks laws that apply to it, but {name} does not ({reason}); "
                f"take {name!r} out of breaks"
            )
            raise ClaimError(message)
    # A transposed weight shows where sizes are unequal, as they are in wide cases.
    for case in (domain.typical, next(domain.wide())):
        _try_forms(case)


def known_law(name: str) -> str:
    """Give the name of a law; ClaimError with the nearest one for another name."""
    laws = all_laws()
    if name in laws:
        return name
    near = get_close_matches(name, laws, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    message = f"a law is one of {', '.join(laws)}, but got {name!r}{hint}"
    raise ClaimError(message)


def _forms(domain: Domain) -> tuple[nn.Module, nn.Module] | None:
    """Construct both forms once; one that cannot be constructed is for its laws to report."""
    try:
        return build(domain.exemplar, "reference", 0), build(domain.exemplar, "candidate", 0)
    except ClaimError:
        raise
    except Exception:  # noqa: BLE001  (the user's code may raise anything)
        return None


def _try_forms(case: Case) -> None:
    """Run both forms once, for what carry gives and the forms return; any other trouble is for the laws."""
    seeded = generator_state(case.seed, case.setting.device)
    try:
        with warnings.catch_warnings(action="ignore"), torch.no_grad(), seeded, on_cpu():
            sample = Sample(case, Integers(1, case.setting.dtype))
            sample.reference(sample.theta, sample.inputs)
            sample.candidate(sample.theta, sample.inputs)
    except ClaimError:
        raise
    except (Exception, SystemExit):  # noqa: BLE001  (the user's code may raise anything)
        return


def _check_scope(domain: Domain) -> None:
    """Refuse a word that is none, and a break of a law that the word does not speak of."""
    same = domain.claim.same
    if same not in SCOPES:
        message = f"{domain.name}: same is one of {', '.join(SCOPES)}, but is {same!r}; say one of them"
        raise ClaimError(message)
    for name in domain.claim.breaks:
        law = all_laws()[name]
        if law.beyond(domain.claim):
            message = (
                f"{domain.name}: a claim breaks laws that it claims, but {name} is about the {law.scope} and "
                f"same is {same!r}; take {name!r} out of breaks, or say same = {law.scope!r}"
            )
            raise ClaimError(message)


def _check_circumstances(domain: Domain) -> None:
    """Refuse a circumstance that is asked for and cannot be had: its cases would be plain ones."""
    for name in domain.under:
        if reason := CIRCUMSTANCES[name].needs(domain.exemplar):
            raise ClaimError(
                f"{domain.name}: a circumstance that is asked for can be had, but {name} cannot ({reason}); "
                "leave it out"
            )


def _check_names(domain: Domain, method: str, names: Iterable[str], form: nn.Module) -> None:
    parameters = [name for name, _ in form.named_parameters()]
    if unknown := sorted({*names} - {*parameters}):
        message = f"{domain.name}: {method} names parameters, {parameters}, but gives {unknown}"
        raise ClaimError(message)


def _check_dead(domain: Domain, method: str, dead: Mapping[str, Tensor], form: nn.Module) -> None:
    _check_names(domain, method, dead, form)
    for name, entries in dead.items():
        shape = form.get_parameter(name).shape
        if entries.shape != shape:
            message = (
                f"{domain.name}: {method} gives each parameter its own shape, but {name!r} is "
                f"{tuple(entries.shape)} where the parameter is {tuple(shape)}"
            )
            raise ClaimError(message)
