"""A replay file, read strictly: it is data, and nothing that it names is imported or run here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from equivalence.variable import ClaimError
from properties.cases.regime import Integers, Reals, Regime
from properties.cases.setting import Setting
from properties.cases.values import LOOKS
from properties.circumstances import CIRCUMSTANCES
from properties.circumstances.registry import together
from properties.dtypes import DTYPES
from properties.oracle.exact import MOST_BITS
from properties.reading.devices import DEVICE, why_not
from properties.refutation.failure import MOST_BYTES, SCHEMA_VERSION, Failure
from properties.report.text import one_line
from properties.ways import EXACT, WAYS

MOST_TEXT = 1000
MOST_QUOTED = 240
MOST_AXES = 16
LARGEST_SIZE = 1 << 24
LARGEST_NUMBER = 1 << 63
SEEDS = 1 << 32
TENSORS = {**DTYPES, "int64": torch.int64, "bool": torch.bool}
"""The dtypes of the values of a file."""
EARLIER = {"dtype": "float64", "schema": SCHEMA_VERSION}
"""What a file of the version before says nothing of: it knew one dtype."""
DECIDED = [word for word, way in WAYS.items() if way.plain]


class FailureFileError(Exception):
    """A file that is no replay file: names it, the rule and what was found, in one line."""


def read(path: Path) -> Failure:
    """Read a failure from its file; FailureFileError for anything that is not exactly one."""
    try:
        return parse(_content(path))
    except FailureFileError as error:
        message = f"{one_line(str(path))}: {error}"
        raise FailureFileError(message) from None


def parse(content: bytes) -> Failure:
    """Read a failure from the bytes of its file; FailureFileError for anything that is not exactly one."""
    try:
        data = json.loads(content.decode(), parse_constant=_no_number, object_pairs_hook=_once)
        data = _as_of_now(data)
        _check(data)
    except RecursionError:
        message = "a replay file is nested a few levels deep, but this one is nested without end"
        raise FailureFileError(message) from None
    except ValueError as error:
        message = f"a replay file is JSON, but {quoted(str(error))}"
        raise FailureFileError(message) from None
    return Failure(**data)


def quoted(text: str) -> str:
    """Keep what is quoted from a file short, and to characters that look like nothing else."""
    shown = ascii(text)[1:-1]
    return shown if len(shown) <= MOST_QUOTED else f"{shown[:MOST_QUOTED]}…"


def tensors(failure: Failure) -> dict[str, Tensor]:
    """Give the values of a failure as tensors."""
    return {
        name: torch.tensor(value["entries"], dtype=TENSORS[value["dtype"]]).reshape(value["shape"])
        for name, value in failure.values.items()
    }


def regime(failure: Failure) -> Regime:
    """Return the numbers that a failure was decided on."""
    dtype = DTYPES[str(failure.regime["dtype"])]
    if failure.regime["numbers"] == "integers":
        return Integers(int(failure.regime["bits"]), dtype)
    return Reals(dtype)


def setting_of(failure: Failure) -> Setting:
    """Return in what a failure was found; FailureFileError for a device that is not here."""
    if reason := why_not(failure.device):
        message = f"the failure was found on {failure.device}, which cannot be used here: {reason}"
        raise FailureFileError(f"{message}; replay it where it can")
    return Setting(DTYPES[failure.dtype], torch.device(failure.device))


def _as_of_now(data: Any) -> Any:
    """Give a file of the version before as one of this version; any other as it is."""
    earlier = isinstance(data, dict) and data.get("schema") == SCHEMA_VERSION - 1 and "dtype" not in data
    return {**data, **EARLIER} if earlier else data


def _check(data: Any) -> None:
    _require(isinstance(data, dict), "a replay file is one object", data)
    _require(data.keys() == RULES.keys(), f"the keys of a replay file are {', '.join(RULES)}", sorted(data))
    for key, (holds, rule) in RULES.items():
        _require(holds(data[key]), f"the {key} of a replay file is {rule}", data[key])
    exact, numbers = WAYS[data["decided"]] == EXACT, data["regime"]["numbers"]
    _require(not exact or numbers == "integers", "exact is decided on integers", numbers)


def _content(path: Path) -> bytes:
    try:
        # Asked first: opening a pipe waits until someone writes.
        _require_file(path)
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        message = f"a replay file can be read, but {error.strerror}; give another path, or the right to read"
        raise FailureFileError(message) from None
    if len(content) > MOST_BYTES:
        message = f"a replay file has at most {MOST_BYTES} bytes, but this one has more"
        raise FailureFileError(message)
    return content


def _require_file(path: Path) -> None:
    if not path.is_file():
        message = (
            "a replay file is a regular file, but there is none; give a path as a counterexample prints it"
        )
        raise FailureFileError(message)


def _require(holds: bool, rule: str, value: Any) -> None:  # noqa: FBT001  (what is required)
    if not holds:
        message = f"{rule}, but got {quoted(repr(value))}"
        raise FailureFileError(message)


def _no_number(name: str) -> NoReturn:
    message = f"{name} is no number of JSON"
    raise ValueError(message)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        message = "a key is given twice"
        raise ValueError(message)
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_TEXT and value.isprintable()


def _is_count(value: Any, below: int) -> bool:
    return type(value) is int and 0 <= value < below


def _is_number(value: Any) -> bool:
    # NaN is below nothing, and an int of a thousand digits is compared without being made a float.
    return type(value) in {int, float} and abs(value) < LARGEST_NUMBER


def _is_integer(value: Any) -> bool:
    return type(value) is int and _is_number(value)


def _is_bool(value: Any) -> bool:
    return type(value) is bool


def _is_mapping(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict) and all(_is_text(key) and holds(one) for key, one in value.items())
    )


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MOST_AXES
        and all(_is_count(size, LARGEST_SIZE) for size in value)
    )


def _is_regime(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("dtype") not in list(DTYPES):
        return False
    if value.get("numbers") == "integers":
        return value.keys() == {"numbers", "bits", "dtype"} and _is_count(value["bits"], MOST_BITS + 1)
    return value == {"numbers": "reals", "dtype": value["dtype"]}


def _is_tensor(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"shape", "dtype", "entries"}:
        return False
    shape, dtype, entries = value["shape"], value["dtype"], value["entries"]
    return (
        _is_shape(shape)
        and isinstance(entries, list)
        and len(entries) == math.prod(shape)
        and dtype in list(TENSORS)
        and all(map(ENTRIES.get(dtype, _is_number), entries))
    )


def _is_choice(value: Any) -> bool:
    """Accept a size, an option, or the rows of a mask, which may be long."""
    word = isinstance(value, str) and value.isprintable()
    return word or value is None or _is_bool(value) or _is_number(value)


def _are_circumstances(value: Any) -> bool:
    if not isinstance(value, list) or not all(name in list(CIRCUMSTANCES) for name in value):
        return False
    try:
        return list(together(value)) == value
    except ClaimError:
        return False


def _is_difference(value: Any) -> bool:
    keys = {"kind", "where", "reference", "candidate"}
    return (
        isinstance(value, dict)
        and value.keys() == keys
        and all(isinstance(one, str) for one in value.values())
    )


ENTRIES: Mapping[str, Callable[[Any], bool]] = {"int64": _is_integer, "bool": _is_bool}
"""What the entries of a tensor are; of all others, numbers."""
Rule = tuple[Callable[[Any], bool], str]
RULES: Mapping[str, Rule] = {
    "id": (
        lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{8}", value)),
        "eight hex digits",
    ),
    "claim": (_is_text, "one line of text"),
    "law": (lambda value: _is_text(value) and value.isidentifier(), "the name of a law"),
    "fields": (_is_mapping(_is_choice), "names with numbers and words"),
    "axes": (_is_mapping(_is_shape), "names with lists of sizes"),
    "seed": (lambda value: _is_count(value, SEEDS), f"an integer from 0 to {SEEDS - 1}"),
    "look": (lambda value: value in list(LOOKS), f"one of {', '.join(LOOKS)}"),
    "under": (_are_circumstances, f"a list of circumstances, of each aspect one: {', '.join(CIRCUMSTANCES)}"),
    "decided": (lambda value: value in DECIDED, f"one of {', '.join(DECIDED)}"),
    "regime": (_is_regime, f"integers with bits, at most {MOST_BITS}, and dtype, or reals with dtype"),
    "values": (_is_mapping(_is_tensor), "names with shape, dtype and as many finite entries of that dtype"),
    "difference": (_is_difference, "kind, where, reference and candidate, in words"),
    "versions": (_is_mapping(_is_text), "names with words"),
    "dtype": (lambda value: value in list(DTYPES), f"one of {', '.join(DTYPES)}"),
    "device": (
        lambda value: isinstance(value, str) and bool(DEVICE.fullmatch(value)),
        "cpu, cuda or cuda:N",
    ),
    "schema": (lambda value: type(value) is int and value == SCHEMA_VERSION, f"{SCHEMA_VERSION}"),
}
