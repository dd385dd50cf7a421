"""What a picture draws: for every form its name, its style, and its values by epoch over the seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean

from properties.experiments.outcome import Outcome, parameters
from properties.experiments.plan import Variant
from properties.experiments.records import Measure

COLOURS = ("#0072B2", "#C44E00", "#007A5A", "#A0508A", "#6B6B00", "#56708F")
"""After Okabe and Ito, told apart with every kind of colour vision; darker, for names are written in them."""
INK = "#1a1a1a"
DASHES = ("solid", (0, (5, 2)), "dashdot", (0, (1, 1.2)))


@dataclass(frozen=True)
class Curve:
    """One line of a picture: the values of every seed, by epoch."""

    name: str
    colour: str
    dash: object
    rings: bool
    """Whether it is drawn as rings: on the curve that it should meet."""
    points: list[tuple[int, list[float]]]

    @property
    def means(self) -> list[float]:
        """The mean over the seeds, by epoch."""
        return [fmean(values) for _, values in self.points]


def validation_curves(outcome: Outcome, quantity: str) -> Iterator[Curve]:
    """Give accuracy or validation_loss of every form; carried weights as rings."""
    lines = 0
    for variant in outcome.experiment.variants:
        points = _points(outcome, variant, lambda one: float(getattr(one, quantity)))
        if variant.carried:
            yield Curve(f"○ {variant.label}", INK, "none", rings=True, points=points)
        else:
            yield Curve(variant.label, *_style(lines), rings=False, points=points)
            lines += 1


def gradient_curves(outcome: Outcome) -> Iterator[Curve]:
    """Give the gradient norms of the weights of the experiment's one layer, in every form."""
    lines = 0
    for variant in outcome.experiment.variants:
        for name, _ in parameters(variant, outcome.source):
            if _of(outcome.experiment.layer, name):
                points = _points(outcome, variant, _norm(name))
                label = f"{variant.label}, {name.removesuffix('.weight')}"
                yield Curve(label, *_style(lines), rings=False, points=points)
                lines += 1


def drift_curves(outcome: Outcome) -> Iterator[Curve]:
    """Give |φ(θ) - θ'| of the weights of the experiment's one layer, in every pair that is compared."""
    found = outcome.comparisons
    layer = outcome.experiment.layer
    names = [(one.candidate, name) for one in found for name in one.parameters if _of(layer, name)]
    for place, (candidate, name) in enumerate(dict.fromkeys(names), start=1):
        points: dict[int, list[float]] = {}
        for one in found:
            if one.candidate == candidate:
                points.setdefault(one.epoch, []).append(one.parameters[name])
        label = f"{candidate}, {name.removesuffix('.weight')}"
        yield Curve(label, *_style(place), rings=False, points=sorted(points.items()))


def _of(layer: str, name: str) -> bool:
    return name.startswith(layer) and name.endswith("weight")


def _norm(name: str) -> Callable[[Measure], float | None]:
    return lambda one: one.gradient_norms.get(name)


def _points(
    outcome: Outcome, variant: Variant, read: Callable[[Measure], float | None]
) -> list[tuple[int, list[float]]]:
    found = []
    for epoch in range(outcome.experiment.settings.epochs + 1):
        values = [value for one in outcome.of(variant, epoch) if (value := read(one)) is not None]
        if values:
            found.append((epoch, values))
    return found


def _style(place: int) -> tuple[str, object]:
    return COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
