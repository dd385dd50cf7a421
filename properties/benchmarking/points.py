"""The sizes to measure, from the words of a command line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from equivalence.claim import Equivalence
from equivalence.variable import Mask
from properties.benchmarking.sizes import Family
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cases.fields import mask_of, read_size
from properties.reading.claims import UsageError, parse_pins
from properties.reading.fitting import pinned

OWN_SWEEP = "own"
"""--sweep own: along the axis that the claim itself names."""
USUAL = {"small": 4, "published": 32, "large": 256}
"""Every size of a claim that has no sizes of its own."""
SHARE, WHOLE = 5, 100
"""The percentage of live connections in a mask that is not given, and that of a full one."""
RANGE = re.compile(r"(?P<low>\d{1,18}):(?P<high>\d{1,18})")
PERCENT = re.compile(r"(?P<name>[^=]+)=(?P<share>.*)%")
EVERY = "every"
"""--at every=64 is a word for all sizes that are not given."""


@dataclass(frozen=True)
class Point:
    """One set of sizes: its name, its text of --at, and its place on the swept axis if it is of a sweep."""

    name: str
    at: str
    axis: str = ""
    value: int = 0


def named_points(family: Family | None, names: tuple[str, ...], at: str) -> list[Point]:
    """Give one point for each named size; `at` gives one alone, completed from the published."""
    if at:
        base = family.published if family else ""
        return [Point("as given", completed(base, at))]
    return [Point(name, family.sizes[name] if family else f"every={USUAL[name]}") for name in names]


def swept_points(family: Family | None, sweep: str, at: str) -> list[Point]:
    """Give a point for every doubling of the one range: batch=1:8 -> 1, 2, 4, 8; UsageError where none is."""
    text = _own(family) if sweep == OWN_SWEEP else sweep
    ranges = {name: RANGE.fullmatch(value) for name, value in _words(text).items()}
    found = [(name, match) for name, match in ranges.items() if match]
    if len(found) != 1:
        message = f"--sweep takes one range, as in batch=1:4096, but got {text!r}"
        raise UsageError(message)
    axis, match = found[0]
    _check_once({axis} if sweep == OWN_SWEEP else set(_words(text)), at)
    published = family.published if family else ""
    base = _words(completed(text, at) if sweep == OWN_SWEEP else completed(published, f"{at},{text}"))
    values = list(_doublings(int(match["low"]), int(match["high"])))
    texts = [",".join(_joined({**base, axis: str(value)})) for value in values]
    return [Point(f"{axis}={value}", one, axis, value) for value, one in zip(values, texts, strict=True)]


def case_at(claim: type[Equivalence], text: str) -> Case:
    """Give the case that a text of --at names; what it leaves out is small, and its masks are drawn."""
    words = _words(text)
    usual = _every(words.pop(EVERY, str(USUAL["published"])))
    matches = filter(None, map(PERCENT.fullmatch, _joined(words)))
    shares = {match["name"]: _share(match["share"]) for match in matches}
    exact = [word for word in _joined(words) if not PERCENT.fullmatch(word)]
    domain = Domain(claim)
    pins = parse_pins(claim, ",".join(exact))
    pins = {**_usual(domain, usual), **pins}
    masks = {
        name: _mask(Domain(claim, pins).mask_shape(name, {}), shares.pop(name, SHARE))
        for name in domain.masks
        if name not in pins
    }
    if shares:
        message = f"{claim.__name__}: a percentage is of a mask, but {', '.join(shares)} is none"
        raise UsageError(message)
    return pinned(claim, {"seed": 0, **pins, **masks})


def completed(base: str, text: str) -> str:
    """Let the words of a text stand before those of a base; `every` stands before the whole base."""
    words = _words(text)
    return ",".join(_joined(words if EVERY in words else {**_words(base), **words}))


def _check_once(swept: set[str], at: str) -> None:
    twice = [name for name in _words(at) if name in swept]
    if twice:
        message = f"--at and --sweep both give {', '.join(twice)}; leave it out of one of them"
        raise UsageError(message)


def _every(text: str) -> int:
    try:
        return read_size(text)
    except ValueError as error:
        message = f"--at {EVERY}={text}: {error}"
        raise UsageError(message) from error


def _share(text: str) -> int:
    if not re.fullmatch(r"\d{1,3}", text, re.ASCII) or int(text) > WHOLE:
        message = f"a mask's share lies between 0% and {WHOLE}%, in whole numbers, but got {text}%"
        raise UsageError(message)
    return int(text)


def _words(text: str) -> dict[str, str]:
    """Split name=value words; UsageError where one is none, or a name comes twice."""
    words: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, separator, value = part.partition("=")
        if not separator or name in words:
            message = f"sizes are name=value pairs, each name once, but got {part!r} in {text!r}"
            raise UsageError(message)
        words[name] = value
    return words


def _joined(words: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in words.items()]


def _own(family: Family | None) -> str:
    if family is None:
        message = f"--sweep {OWN_SWEEP} is for claims of the catalogue; name the axis: --sweep batch=1:4096"
        raise UsageError(message)
    return family.sweep


def _doublings(low: int, high: int) -> Iterator[int]:
    if not 1 <= low <= high:
        message = f"a sweep runs from 1 or more upwards, but got {low}:{high}"
        raise UsageError(message)
    value = low
    while value <= high:
        yield value
        value *= 2


def _usual(domain: Domain, size: int) -> dict[str, Any]:
    fields = {name: kind.usual(itertools.repeat(size)) for name, kind in domain.free.items()}
    return fields | dict.fromkeys(domain.axes, (size,))


def _mask(shape: tuple[int, int], share: int) -> Mask:
    """Draw a mask with this percentage of live entries, the same one every time."""
    try:
        alive = np.random.default_rng(0).random(shape) < share / WHOLE
    except (MemoryError, ValueError) as error:
        message = f"the mask is too large to be drawn: {shape[0]} by {shape[1]}; give smaller sizes with --at"
        raise UsageError(message) from error
    return mask_of("".join("01"[entry] for entry in alive.reshape(-1).tolist()), shape)
