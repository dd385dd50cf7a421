"""What a run came to: statements with numbers, each by a stated rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from properties.experiments.outcome import Outcome
from properties.experiments.plan import Group, Variant
from properties.experiments.records import Comparison, Double
from properties.experiments.statistics import LEAST, margin
from properties.report.numbers import plural, scientific

RULE = (
    "within the spread: the means over the seeds differ by no more than t · s · √(1/n + 1/m), in accuracy "
    "and in loss; n and m runs of one form exceed each once in 200, so one or the other at most once in 100 "
    "(s: the deviation of {reference}'s n runs, t: Student's 99.75 % quantile of n - 1 degrees)"
)


@dataclass(frozen=True)
class Statement:
    """A sentence, and whether the run bears out what was claimed: None where nothing was."""

    text: str
    holds: bool | None = None


def statements(outcome: Outcome) -> list[Statement]:
    """Say what the run shows of every pair, and of every form with weights of its own."""
    said = [one for group in outcome.experiment.groups for one in _of_pair(outcome, group)]
    return [*said, *_of_spread(outcome)]


def _of_pair(outcome: Outcome, group: Group) -> Iterator[Statement]:
    names = [variant.label for variant in group.variants]
    found = [one for one in outcome.comparisons if [one.reference, one.candidate] == names]
    doubles = [one.double for one in found if one.double]
    if doubles:
        yield _laddered(found, doubles)
    elif found:
        yield _drifting(found)


def _laddered(found: list[Comparison], doubles: list[Double]) -> Statement:
    pair = f"{found[0].candidate} and {found[0].reference}"
    epochs, seeds = ({getattr(one, of) for one in found} for of in ("epoch", "seed"))
    over = f"{plural(len(epochs) - 1, 'epoch')} and {plural(len(seeds), 'seed')}"
    single = max(one.logits for one in found)
    loss = max(one.loss for one in found)
    figures = (
        f"in float64 the logits differ by {scientific(max(one.logits for one in doubles))} at most, "
        f"{scientific(max(one.allowance for one in doubles))} of what rounding explains (1 is the limit); "
        f"in float32 by {scientific(single)}, and the loss of a batch by {scientific(loss)}"
    )
    apart = next((one for one in found if one.double and not one.double.same), None)
    if apart is None:
        equal = f"{pair} stay equal over {over}, as far as float32 beside float64 shows: {figures}"
        return Statement(equal, holds=True)
    where = f"after epoch {apart.epoch} under seed {apart.seed}"
    return Statement(f"{pair} are NOT equal {where}: over {over}, {figures}", holds=False)


def _drifting(found: list[Comparison]) -> Statement:
    epochs = sorted({one.epoch for one in found})
    shown = [epochs[0], *epochs[1:2], *epochs[2:][-1:]]
    largest = {epoch: max(one.logits for one in found if one.epoch == epoch) for epoch in shown}
    ends = [one.parameters for one in found if one.epoch == epochs[-1]]
    furthest = max(((value, name) for one in ends for name, value in one.items()), default=(0.0, "none"))
    path = ", ".join(f"{scientific(value)} after epoch {epoch}" for epoch, value in largest.items())
    return Statement(
        f"{found[0].candidate} and {found[0].reference} start from the same weights; their logits "
        f"differ by {path}; a weight by {scientific(furthest[0])} at the end ({furthest[1]})"
    )


def _of_spread(outcome: Outcome) -> Iterator[Statement]:
    reference, *others = outcome.experiment.variants
    own = [variant for variant in others if not variant.carried]
    if not outcome.complete or not own:
        return
    seeds = outcome.experiment.seeds
    if seeds < LEAST:
        yield Statement(
            f"a spread takes {LEAST} seeds or more, but this run has {seeds}: give --seeds {LEAST} to hold "
            "the forms against it"
        )
        return
    for variant in own:
        yield _placed(outcome, reference, variant)
    yield Statement(RULE.format(reference=reference.label))


def _placed(outcome: Outcome, reference: Variant, variant: Variant) -> Statement:
    epoch = outcome.experiment.settings.epochs
    figures, inside = [], True
    for quantity, word in (("accuracy", "accuracy"), ("validation_loss", "loss")):
        base, other = (
            [getattr(one, quantity) for one in outcome.of(form, epoch)] for form in (reference, variant)
        )
        allowed = margin(base, len(other))
        inside &= abs(fmean(other) - fmean(base)) <= allowed
        figures.append(f"{word} {fmean(other):.4f} beside {fmean(base):.4f} (margin {allowed:.4f})")
    place = "within" if inside else "outside"
    return Statement(
        f"{variant.label}, its own weights, ends {place} {reference.label}'s spread: {', '.join(figures)}"
    )
