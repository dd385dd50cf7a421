"""The numbers of a case as assignments: what a law draws in it, in the place of what would draw it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

from torch import Tensor

from equivalence.claim import Equivalence
from properties.cases.answering import FormError
from properties.cases.definition import field_values
from properties.cases.sample import NAMES, InapplicableError, OutsideDomainError, Sample, Stream
from properties.circumstances.registry import ASPECTS, CIRCUMSTANCES
from properties.judging.isolation import own_state
from properties.laws import all_laws
from properties.laws.inputs import wrong_inputs
from properties.replaying.scripting.finding import Finding
from properties.replaying.scripting.literals import mapping, sequence, tensor
from properties.replaying.scripting.source import attributes_of

EXACT = """\
# What is compared is exact: whole numbers as small as these, zeros, counts or words.
UNITS = 0
"""
UP_TO_ROUNDING = """\
# Of the last place of a tensor's largest number: more than rounding explains, and less than was seen.
UNITS = {:.0f}
"""
GIVEN = ("Stream", wrong_inputs.__name__)
"""What a script gives by its numbers, and does not take from the package."""
SET = ("reference", "candidate", "claim", "dtype", "theta", "inputs", "named_inputs")
"""What every sample of a script has as values."""
ASKED = ("other_theta", "other_claim", "case")
"""What a sample has as values where a law reads them."""


class Recorded(Sample):
    """A sample that keeps all that a law draws of it."""

    resized: tuple[Tensor, ...] = ()
    """The inputs of earlier calls, which all have the same sizes in one case."""

    def draw_resized(self, change: Callable[[int], int]) -> tuple[Tensor, ...]:
        """Draw, and keep what was drawn."""
        self.resized = super().draw_resized(change)
        return self.resized

    @property
    def leading(self) -> int:
        """The axes of all inputs before those that they are claimed to have."""
        return self._leading


def recorded(finding: Finding) -> Recorded:
    """Draw all that the law draws; FormError where a form cannot be constructed."""
    sample, law = Recorded(finding.case, finding.regime, None, finding.values), all_laws()[finding.law]
    # The reference in the place of a candidate that may raise comes first: what is drawn last is kept.
    for state in (law.premise, law.equation):
        with own_state(finding.case), suppress(FormError, OutsideDomainError, InapplicableError):
            state(sample)
    return sample


def numbers(finding: Finding, sample: Recorded, read: Collection[str], text: str) -> str:
    """Write the forms and the sample; `read` are names of GIVEN and ASKED, `text` is what reads them."""
    asked = {name: lines for name, lines in _asked(finding, sample).items() if name in read}
    values = [
        "theta",
        "inputs",
        *(f"{name}={value}" for name, (_, value) in asked.items()),
    ]
    parts = [
        EXACT if not finding.allowed else UP_TO_ROUNDING.format(finding.allowed),
        _circumstances(sample, text) if finding.case.under else "",
        forms(finding),
        _constants(sample),
        f"\n# The parameters of the reference, and the inputs.\n{_theta(sample, Stream.THETA, 'theta')}",
        mapping("inputs", {name: tensor(value) for name, value in sample.named_inputs.items()}),
        *(lines for lines, _ in asked.values()),
        _streams(sample, text) if "Stream" in read else "",
        _wrong(sample) if wrong_inputs.__name__ in read else "",
        f"\nsample = Sample(reference, candidate, {', '.join(values)})\n",
    ]
    return "".join(parts)


def forms(finding: Finding) -> str:
    """Write the lines that construct the forms."""
    made, more = ("FormInUse", ", under=under, **given") if finding.case.under else ("Form", "")
    given = f"claim, {finding.case.seed}, {finding.regime.dtype}{more}"
    sides = (f'{side} = {made}("{side}", {given})\n' for side in ("reference", "candidate"))
    return "".join([f"\nclaim = {type(finding.case.claim).__name__}()\n", *sides])


def _constants(sample: Sample) -> str:
    """Say which buffers of the candidate are its own, where a claim has no carry that says so."""
    constants = sorted(name for name in sample.candidate.constants if name in sample.theta)
    if not constants or type(sample.claim).carry is not Equivalence.carry:
        return ""
    return f"candidate.constants = {json.dumps(constants, ensure_ascii=False)}\n"


def _theta(sample: Sample, stream: Stream, name: str) -> str:
    drawn = sample.draw_theta(stream)
    parameters = {
        key: tensor(value, trained=value.requires_grad)
        for key, value in drawn.items()
        if value.requires_grad or key in sample.trained
    }
    constants = f"{name} = reference.buffers | {name}\n" if len(parameters) < len(drawn) else ""
    return mapping(name, parameters) + constants


def _asked(finding: Finding, sample: Sample) -> Mapping[str, tuple[str, str]]:
    """Give what a law may read of a sample: the lines that set it, and its value."""
    case = finding.case
    other = [f"other = {type(case.claim).__name__}()\n", *_other_fields(case.claim)]
    return {
        "other_theta": (_theta(sample, Stream.OTHER_THETA, "other_theta"), "other_theta"),
        "other_claim": ("".join(other), "other"),
        "case": ("", f"SimpleNamespace(seed={case.seed}, under={case.under!r})"),
    }


def _other_fields(claim: Equivalence) -> Iterable[str]:
    for name, kind, value in field_values(claim):
        if (other := kind.other(value)) != value:
            yield f"other.{name} = {kind.source(other)}\n"


def _streams(sample: Sample, text: str) -> str:
    """Write what is drawn beside theta and the inputs, by the name of its stream."""
    names = sorted(set(re.findall(r"\bStream\.([A-Z_]+)", text)))
    lines = "".join(sequence(name, _drawn(sample, Stream[name])) for name in names if Stream[name] in NAMES)
    values = (f"    {name} = {name if Stream[name] in NAMES else _seed(sample, name)}\n" for name in names)
    return "".join([lines, '\n\nclass Stream:\n    """What else was drawn."""\n\n', *values, "\n"])


def _seed(sample: Sample, name: str) -> int:
    """Return the seed of a stream that a law draws places from, and no numbers."""
    return sample.generator(Stream[name]).initial_seed()


def _drawn(sample: Sample, stream: Stream) -> dict[str, str]:
    """Give the tensors that were drawn from a stream, by what they are called."""
    places = sample.claim.inputs() if stream == Stream.SECOND_ROW else map(str, range(len(sample.drawn)))
    names = (NAMES[stream].format(place) for place in places)
    return {name: tensor(sample.drawn[name]) for name in names if name in sample.drawn}


def _wrong(sample: Sample) -> str:
    wrong = {change: f"[{', '.join(map(tensor, inputs))}]" for change, inputs in wrong_inputs(sample)}
    return f'''
{mapping("wrong", wrong)}

def {wrong_inputs.__name__}(_):
    """Give inputs that are none of the claim's."""
    return wrong.items()

'''


def _circumstances(sample: Recorded, text: str) -> str:
    """Write the circumstances of a case, the outermost first, and what they read of it."""
    circumstances = [CIRCUMSTANCES[name] for name in sample.case.under]
    under: dict[str, str] = {
        one.aspect: one.change.__name__
        for one in sorted(circumstances, key=lambda one: ASPECTS.index(one.aspect))
    }
    read = attributes_of(text, "use")
    given = {name: lines for name, lines in _given(sample).items() if name in read}
    values = {name: value for name, (_, value) in given.items()}
    lines = "".join(lines for lines, _ in given.values())
    return f"\n{lines}{mapping('under', under)}{mapping('given', values)}"


def _given(sample: Recorded) -> Mapping[str, tuple[str, str]]:
    """Give what a circumstance may read of a case: the lines that set it, and its value."""
    earlier = dict(zip(sample.claim.inputs(), map(tensor, sample.resized), strict=False))
    return {
        "resized": (sequence("earlier", earlier), "lambda _: earlier"),
        "directions": (
            sequence("directions", _drawn(sample, Stream.TANGENTS)),
            "lambda _: tuple(directions)",
        ),
        "leading": ("", f"{sample.leading}"),
    }
