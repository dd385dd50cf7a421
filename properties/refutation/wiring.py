"""Which entries a wrong output reads, and which it should: one-hot probes of both forms.

An entry feeds an output where adding 1 to it changes the output. The point that is probed has random integers
other than 0 in every input and parameter, so that no weight of 0 hides a connection.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.form import Form, FormError
from properties.cases.regime import Integers
from properties.cases.sample import Sample

MOST_PROBES = 128
"""Entries of inputs and parameters together, beyond which the wiring is not looked at."""
BITS = 6
SHOWN = 4
Entries = dict[str, list[list[int]]]
"""Name of an input or parameter -> the entries of it that an output reads."""


def wiring(domain: Domain, case: Case) -> list[str]:
    """Say which entries the first wrong output reads instead of those it should; empty where none differ."""
    sample = Sample(case, Integers(BITS), domain.data)
    drawn = dict(zip(sample.claim.inputs(), sample.inputs, strict=True)) | dict(sample.theta)
    # A buffer stays as the constructor makes it: the zeros of a mask are what it says.
    random = _probed(drawn).keys() - sample.reference.buffers.keys()
    point = drawn | {name: _without_zeros(drawn[name]) for name in random}
    if sum(value.numel() for value in _probed(point).values()) > MOST_PROBES:
        return []
    try:
        with torch.no_grad():
            return list(_sentences(sample, point))
    except FormError:
        return []


def _sentences(sample: Sample, point: Mapping[str, Tensor]) -> Iterator[str]:
    wrong = _first_wrong(_outputs(sample.reference, point), _outputs(sample.candidate, point))
    if wrong is None:
        return
    output, place = wrong
    reads, should = (_read(form, point, wrong) for form in (sample.candidate, sample.reference))
    for name in _probed(point):
        if reads.get(name) != should.get(name):
            yield (
                f"output{_numbered(output)} {place} reads {_listed(name, reads)}, "
                f"should read {_listed(name, should)}"
            )


def _probed(point: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out masks and other buffers of bools and integers."""
    return {name: value for name, value in point.items() if value.is_floating_point()}


def _without_zeros(value: Tensor) -> Tensor:
    """Put in the place of 0 the one integer of so many bits that is not drawn."""
    return torch.where(value == 0, 2**BITS, value.detach())


def _outputs(form: Form, point: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    names = form.claim.inputs()
    theta = {name: value for name, value in point.items() if name not in names}
    return form(theta, [point[name] for name in names])


def _first_wrong(reference: Sequence[Tensor], candidate: Sequence[Tensor]) -> tuple[int, list[int]] | None:
    for output, (one, other) in enumerate(zip(reference, candidate, strict=False)):
        if one.shape == other.shape and (places := (one != other).nonzero()).numel():
            return output, places[0].tolist()
    return None


def _read(form: Form, point: Mapping[str, Tensor], wrong: tuple[int, list[int]]) -> Entries:
    """Probe every entry of the point in turn."""
    output, place = wrong
    before = _outputs(form, point)[output][tuple(place)]
    entries: Entries = {}
    for name, value in _probed(point).items():
        for index in itertools.product(*map(range, value.shape)):
            probed = value.detach().clone()
            probed[index] += 1
            if _outputs(form, {**point, name: probed})[output][tuple(place)] != before:
                entries.setdefault(name, []).append(list(index))
    return entries


def _listed(name: str, entries: Entries) -> str:
    found = entries.get(name, [])
    words = [f"{name} {index}" for index in found[:SHOWN]]
    if len(found) > SHOWN:
        words.append(f"{len(found) - SHOWN} more")
    return " and ".join(words) or f"nothing of {name}"


def _numbered(output: int) -> str:
    return f" {output + 1}" if output else ""
