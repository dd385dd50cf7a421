"""The numbers of a case as assignments: the forms that are built, their parameters, the inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

from equivalence.claim import Equivalence
from properties.cases.definition import field_values
from properties.cases.regime import Integers
from properties.cases.sample import NAMES, Sample, Stream, Values
from properties.laws.inputs import wrong_inputs
from properties.laws.recipes import ADAFACTOR, RATE, RECIPES, Recipe
from properties.laws.training import PULLS, chosen
from properties.replaying.scripting.finding import Finding
from properties.replaying.scripting.literals import mapping, sequence, tensor

EXACT = """\
# Whole numbers this small are exact in floating point, and so is what is made of them here.
TOLERANCE = 0
"""
UP_TO_ROUNDING = """\
# float64 rounds by 1e-16 of a number: what differs by more than this part of the largest is no rounding.
TOLERANCE = 1e-9
"""
THETAS = {Stream.THETA: "theta", Stream.OTHER_THETA: "other_theta"}
MOST_CONSTRUCTIONS, FEWEST_CONSTRUCTIONS = 2048, 512
ENOUGH_DRAWS = 2**17
"""Fresh scalars of a form: as many as the suite looks at, or more, whatever the sizes."""


def numbers(finding: Finding, sample: Sample) -> dict[str, str]:
    """Give, by name, the lines that set everything a script may read, each after what it reads itself."""
    case, values = finding.case, finding.values
    exactly = isinstance(finding.regime, Integers)
    theta, other = (_theta(sample, stream, name) for stream, name in THETAS.items())
    inputs = case.claim.inputs()
    second = sample.draw_inputs(Stream.SECOND_ROW)
    return {
        "TOLERANCE": EXACT if exactly else UP_TO_ROUNDING,
        "CONSTRUCTIONS": f"CONSTRUCTIONS = {_constructions(sample)}\n",
        **forms(finding),
        "batch": f"batch = {prod(map(prod, case.axes.values()))}\n",
        "theta": f"\n# The parameters of the reference, and what they are for the candidate.\n{theta}",
        "carried": "carried = cast(claim.carry(theta), DTYPE)\n",
        "other_theta": f"\n{other}",
        "other_carried": "other_carried = cast(claim.carry(other_theta), DTYPE)\n",
        "inputs": "\n" + sequence("inputs", dict(zip(inputs, map(tensor, sample.inputs), strict=True))),
        "second_row": sequence("second_row", dict(zip(inputs, map(tensor, second), strict=True))),
        "cotangents": sequence("cotangents", _numbered(values, Stream.COTANGENTS)),
        "tangents": sequence("tangents", _numbered(values, Stream.TANGENTS)),
        "targets": sequence("targets", _numbered(values, Stream.TARGETS)),
        "wrong": "\n" + mapping("wrong", dict(_wrong(sample))),
        **_recipe(chosen(RECIPES, sample)),
    }


def forms(finding: Finding) -> dict[str, str]:
    """Give, by name, the lines that construct the forms."""
    case = finding.case
    name = type(case.claim).__name__
    return {
        "SEED": f"SEED = {case.seed}\n",
        "DTYPE": f"DTYPE = {finding.regime.dtype}\n",
        "claim": f"\nclaim = {name}()\n",
        "other": "\n".join([f"other = {name}()", *_other_fields(case.claim)]) + "\n",
        "reference": "torch.manual_seed(SEED)\nreference = claim.reference().to(DTYPE)\n",
        "candidate": "torch.manual_seed(SEED)\ncandidate = claim.candidate().to(DTYPE)\n",
    }


def _recipe(recipe: Recipe) -> dict[str, str]:
    """Give, by name, the lines that say how the forms are trained."""
    usual = Recipe(recipe.name)
    beside = {
        name: value
        for name in ("accumulated", "clip_norm", "clip_value", "decay", "set_to_none")
        if (value := getattr(recipe, name)) != getattr(usual, name)
    }
    return {
        "PULLS": f"PULLS = {PULLS}\n",
        "LR": f"LR = {RATE}\n",
        "EPS": f"EPS = {ADAFACTOR.options['eps']}\n",
        "OPTIMISER": f"\n# {recipe.name}.\nOPTIMISER = torch.optim.{recipe.optimiser}\n",
        "OPTIONS": f"OPTIONS = {_words(recipe.options)}\n",
        "BESIDE": f"BESIDE = {_words(beside)}\n",
    }


def _words(options: Mapping[str, object]) -> str:
    return "{" + ", ".join(f'"{name}": {value!r}' for name, value in options.items()) + "}"


def _theta(sample: Sample, stream: Stream, name: str) -> str:
    drawn = sample.draw_theta(stream)
    parameters = {
        key: tensor(value, trained=value.requires_grad)
        for key, value in drawn.items()
        if value.requires_grad or key in sample.trained
    }
    constants = f"{name} = dict(reference.named_buffers()) | {name}\n"
    buffers = constants if len(parameters) < len(drawn) else ""
    return mapping(name, parameters) + buffers


def _numbered(values: Values, stream: Stream) -> dict[str, str]:
    """Give the tensors that are drawn like others, in their order."""
    names = [NAMES[stream].format(place) for place in range(len(values))]
    return {name: tensor(values[name]) for name in names if name in values}


def _other_fields(claim: Equivalence) -> Iterable[str]:
    for name, kind, value in field_values(claim):
        if (other := kind.other(value)) != value:
            yield f"other.{name} = {kind.source(other)}"


def _wrong(sample: Sample) -> Iterable[tuple[str, str]]:
    for change, wrong in wrong_inputs(sample):
        yield change, f"[{', '.join(map(tensor, wrong))}]"


def _constructions(sample: Sample) -> int:
    scalars = sum(prod(one.shape) for one in sample.candidate.module.parameters())
    return max(FEWEST_CONSTRUCTIONS, min(MOST_CONSTRUCTIONS, ENOUGH_DRAWS // max(1, scalars)))
