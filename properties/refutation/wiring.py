"""Which entries a wrong output reads, and which it should: one-hot probes of both forms.

An entry feeds an output where changing it changes the output. The point that is probed has random integers
other than 0 in every input and parameter, so that no weight of 0 hides a connection. Where the forms seem to
read other entries, further points and larger steps are tried before an entry is said not to be read: far from
0, a saturated tanh or a relu does not move by a small step.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from properties.cases.answering import FormError
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.form import Form
from properties.cases.regime import Integers
from properties.cases.sample import Sample

MOST_PROBES = 128
"""Entries of inputs and parameters together, beyond which the wiring is not looked at."""
BITS = 6
SCALES = (1.0, 2.0**-6, 2.0**-12)
"""What the point is multiplied by: powers of two, which keep whole numbers exact."""
STEPS = (1.0, -1.0, 2.0**12, -(2.0**12))
"""What is added to an entry, by that scale: the large ones take any sum of products to its other sign."""
ROUNDING = 1e-9
"""A change of no more than this part of an output is none."""
SHOWN = 4
Entries = dict[str, list[list[int]]]
"""Name of an input or parameter -> the entries of it that an output reads."""
Entered = Mapping[str, Tensor]
"""A point: name of an input, parameter or buffer -> its value."""


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
            return list(_sentences(sample, point, random))
    except FormError:
        return []


def _sentences(sample: Sample, point: Entered, random: Iterable[str]) -> Iterator[str]:
    wrong = _first_wrong(_outputs(sample.reference, point), _outputs(sample.candidate, point))
    if wrong is None:
        return
    output, place = wrong
    every = {name: _indices(value) for name, value in _probed(point).items()}
    forms = (sample.candidate, sample.reference)
    reads, should = (_read(form, point, wrong, every) for form in forms)
    unlike = {name: indices for name, indices in every.items() if reads[name] != should[name]}
    for scale, step in itertools.product(SCALES, STEPS):
        scaled = {**point, **{name: scale * point[name] for name in random}}
        for form, found in zip(forms, (reads, should), strict=True):
            left = {name: [one for one in every[name] if one not in found[name]] for name in unlike}
            for name, indices in _read(form, scaled, wrong, left, scale * step).items():
                found[name] = sorted(found[name] + indices)
    for name in unlike:
        if reads[name] != should[name]:
            yield (
                f"output{_numbered(output)} {place} reads {_listed(name, reads)}, "
                f"should read {_listed(name, should)}"
            )


def _probed(point: Entered) -> dict[str, Tensor]:
    """Leave out masks and other buffers of bools and integers."""
    return {name: value for name, value in point.items() if value.is_floating_point()}


def _without_zeros(value: Tensor) -> Tensor:
    """Put in the place of 0 the one integer of so many bits that is not drawn."""
    return torch.where(value == 0, 2**BITS, value.detach())


def _outputs(form: Form, point: Entered) -> tuple[Tensor, ...]:
    names = form.claim.inputs()
    theta = {name: value for name, value in point.items() if name not in names}
    return form(theta, [point[name] for name in names])


def _first_wrong(reference: Sequence[Tensor], candidate: Sequence[Tensor]) -> tuple[int, list[int]] | None:
    for output, (one, other) in enumerate(zip(reference, candidate, strict=False)):
        if one.shape == other.shape and (places := (one != other).nonzero()).numel():
            return output, places[0].tolist()
    return None


def _indices(value: Tensor) -> list[list[int]]:
    return [list(index) for index in itertools.product(*map(range, value.shape))]


def _read(
    form: Form, point: Entered, wrong: tuple[int, list[int]], asked: Entries, step: float = STEPS[0]
) -> Entries:
    """Give those of the entries whose change by a step changes the output."""
    output, place = wrong
    before = _outputs(form, point)[output][tuple(place)]

    def feeds(name: str, index: Sequence[int]) -> bool:
        probed = point[name].detach().clone()
        probed[tuple(index)] += step
        return _moved(before, _outputs(form, {**point, name: probed})[output][tuple(place)])

    return {name: [index for index in indices if feeds(name, index)] for name, indices in asked.items()}


def _moved(before: Tensor, after: Tensor) -> bool:
    if not before.is_floating_point():
        return bool(before != after)
    return not torch.isclose(after, before, rtol=ROUNDING, atol=0, equal_nan=True)


def _listed(name: str, entries: Entries) -> str:
    found = entries[name]
    words = [f"{name} {index}" for index in found[:SHOWN]]
    if len(found) > SHOWN:
        words.append(f"{len(found) - SHOWN} more")
    return " and ".join(words) or f"nothing of {name}"


def _numbered(output: int) -> str:
    return f" {output + 1}" if output else ""
