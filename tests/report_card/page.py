"""Card -> the page, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from properties.laws import LAWS
from properties.oracle.exact import SINGLE_EVERY
from tests.report_card import summary, words
from tests.report_card.card import Card
from tests.report_card.finding import FUNCTION_LAWS, PRODUCT, PUBLISHED, Tried
from tests.report_card.growth import KEPT_BYTES, Grown
from tests.report_card.pairs import EVERY as BY_PAIRS
from tests.report_card.pairs import Judged
from tests.report_card.scaling import LAWS as SCALED_LAWS
from tests.report_card.ways import EXAMPLES, ROWS, WAYS

SECONDS_GOAL = 0.5
RATIO_GOAL = 1.1
LARGE = 10**6
"""Entries from which the ratio has its goal."""
EVERY = (PRODUCT, *WAYS)


def page(card: Card) -> str:
    """Give the whole page."""
    return "\n".join(
        [
            *words.HEAD.splitlines(),
            f"\nMeasured on {card.machine}.\n",
            *goals(card),
            *words.FOUND.format(rows=ROWS, examples=EXAMPLES, seeds=_runs(card)).splitlines(),
            "\n![Share of the mutants found](pictures/report-card-found.svg)\n",
            *found(card.tried),
            *words.TIMES.splitlines(),
            "",
            *times(card.tried),
            *words.RIGHT.splitlines(),
            "",
            *right(card),
            *words.PAIRS.format(
                examples=card.pair_examples, seeds=max((one.runs for one in card.judged), default=0)
            ).splitlines(),
            "",
            *pairs(card.judged),
            *words.LAWS.splitlines(),
            "",
            *laws(card),
            *words.GROWTH.format(every=SINGLE_EVERY, kept=KEPT_BYTES >> 20).splitlines(),
            "",
            *growth(card.grown),
            *words.CLAIMS.format(laws=", ".join(f"`{law}`" for law in SCALED_LAWS)).splitlines(),
            "",
            *claims(card),
            "",
        ]
    )


def goals(card: Card) -> Iterator[str]:
    """Give the four goals, what was measured, and whether they are met."""
    own = summary.of_way(card.tried, PRODUCT)
    middle = summary.seconds(own)[0]
    forms, rejected, _, _ = summary.rejected(card.held, PRODUCT)
    large = [one for one in card.grown if one.entries >= LARGE]
    over = [one for one in large if one.training.middle > RATIO_GOAL]
    yield from ("| goal | measured | |", "|---|---|---|")
    yield _goal("all mutants found", _percent(summary.share(own)), met=summary.share(own) == 1)
    yield _goal("no right form rejected", f"{rejected} of {forms} rejected", met=forms > 0 and not rejected)
    yield _goal(
        f"first counterexample in less than {SECONDS_GOAL} s, as the median",
        f"{middle:.3f} s",
        met=middle < SECONDS_GOAL,
    )
    yield _goal(
        f"from {LARGE:,} entries on, a case takes at most {RATIO_GOAL} × the forms' own time",
        f"{len(large) - len(over)} of {len(large)} layers × laws × sizes" + _worst(large),
        met=bool(large) and not over,
    )


def found(trials: Sequence[Tried]) -> Iterator[str]:
    """Give the table law × way, what is a matter of the function alone, and all."""
    yield f"| first seen by the law | mutants | {' | '.join(EVERY)} |"
    yield "|---|--:|" + "--:|" * len(EVERY)
    for law in LAWS:
        if of_law := summary.of_laws(trials, [law]):
            yield _shares(law, of_law)
    yield _shares("**the function and its derivatives**", summary.of_laws(trials, FUNCTION_LAWS))
    yield _shares("**all**", trials)
    yield ""
    of_function = summary.of_laws(trials, FUNCTION_LAWS)
    for way in EVERY:
        missed = summary.never(summary.of_way(of_function, way))
        yield f"* Of the function and its derivatives, {way} finds in no run: {', '.join(missed) or 'none'}."


def times(trials: Sequence[Tried]) -> Iterator[str]:
    """Give the seconds to the first counterexample of every way, and the slowest mutant of this suite."""
    yield from ("| way | runs that found | median | 90 % below | maximum |", "|---|--:|--:|--:|--:|")
    for way in EVERY:
        of_way = summary.of_way(trials, way)
        figures = " | ".join(f"{value:.3f} s" for value in summary.seconds(of_way))
        yield f"| {way} | {sum(len(one.seconds) for one in of_way):,} | {figures} |"
    if slowest := summary.slowest(trials):
        yield f"\nThe maximum of this suite is {slowest.mutant}, under `{slowest.law}`."


def right(card: Card) -> Iterator[str]:
    """Give what every way rejects of the right forms."""
    yield from (
        "| way | right forms | rejected in some run | runs | runs that rejected |",
        "|---|--:|--:|--:|--:|",
    )
    for way in (*EVERY, PUBLISHED):
        forms, some, runs, rejecting = summary.rejected(card.held, way)
        share = _percent(rejecting / runs) if runs else "-"
        yield f"| {way} | {forms} | {some} | {runs:,} | {rejecting:,} ({share}) |"


def pairs(judged: Sequence[Judged]) -> Iterator[str]:
    """Give what every way says of the right pairs and of the wrong ones, and what it gets wrong."""
    yield "| way | right pairs | of these rejected | wrong pairs | of these found in every run |"
    yield "|---|--:|--:|--:|--:|"
    for way in BY_PAIRS:
        right, wrong = (summary.of_pairs(judged, way, side) for side in ("right", "wrong"))
        alarms, found = summary.alarms(right), summary.always_found(wrong)
        yield (
            f"| {way} | {len(right)} | {len(alarms)} ({_part(alarms, right)}) "
            f"| {len(wrong)} | {len(found)} ({_part(found, wrong)}) |"
        )
    yield ""
    for way in BY_PAIRS:
        alarms = summary.alarms(summary.of_pairs(judged, way, "right"))
        yield f"* Of the right pairs, {way} rejects: {', '.join(alarms) or 'none'}."


def laws(card: Card) -> Iterator[str]:
    """Give the time of every law beside the forms' own."""
    yield from (
        "| law | claims | cases | ms a case | whole run / own time | deciding / own time |",
        "|---|--:|--:|--:|--:|--:|",
    )
    for one in card.laws:
        yield f"| {one.law} | {one.claims} | {one.cases} | {one.milliseconds} | {one.run} | {one.decide} |"


def growth(rows: Sequence[Grown]) -> Iterator[str]:
    """Give the table of the ratios by layer, law and size."""
    parts = list(rows[0].parts) if rows else []
    yield (
        "| layer | law | entries | ms a case | / forward and backward | / needed passes | "
        f"{' | '.join(parts)} | trace |"
    )
    yield "|---|---|--:|--:|--:|--:|" + "--:|" * (len(parts) + 1)
    for one in rows:
        shares = " | ".join(_percent(share) for share in one.parts.values())
        yield (
            f"| {one.claim} | {one.law} | {one.entries:,} | {one.milliseconds:.2f} | {one.training} | "
            f"{one.passes} | {shares} | {one.trace:.1f} |"
        )
    yield ""
    yield from _missed(rows)


def claims(card: Card) -> Iterator[str]:
    """Give the wall times."""
    yield from ("| claims | --jobs | seconds |", "|--:|--:|--:|")
    for one in card.scaled:
        yield f"| {one.claims} | {one.jobs} | {min(one.seconds):.1f} to {max(one.seconds):.1f} |"


def _missed(rows: Sequence[Grown]) -> Iterator[str]:
    """Say of every ratio of a large size that misses its goal what most of the rest is spent on."""
    for one in rows:
        if one.entries >= LARGE and one.training.middle > RATIO_GOAL:
            part = max(one.parts, key=lambda name: one.parts[name])
            yield (
                f"* {one.claim}, `{one.law}`, {one.entries:,} entries: {one.training.middle:.2f}, more than "
                f"{RATIO_GOAL}; the largest part of the rest is spent to {part}."
            )


def _runs(card: Card) -> int:
    """Give the seeds of every way for a mutant."""
    return max((one.runs for one in card.tried), default=0)


def _part(some: Sequence[object], every: Sequence[object]) -> str:
    return _percent(len(some) / len(every)) if every else "-"


def _worst(rows: Sequence[Grown]) -> str:
    if not rows:
        return ""
    worst = max(rows, key=lambda one: one.training.middle)
    return (
        f", the worst {worst.training.middle:.2f} ({worst.claim}, `{worst.law}`, {worst.entries:,} entries)"
    )


def _shares(name: str, trials: Sequence[Tried]) -> str:
    shares = [_percent(summary.share(summary.of_way(trials, way))) for way in EVERY]
    return f"| {name} | {len(summary.of_way(trials, PRODUCT))} | {' | '.join(shares)} |"


def _goal(goal: str, figure: str, *, met: bool) -> str:
    return f"| {goal} | {figure} | {'met' if met else '**missed**'} |"


def _percent(share: float) -> str:
    """Write a share with one decimal, never rounded up to 100 % nor down to 0 %."""
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return "< 0.1 %" if 0 < share < 0.0005 else f"{share:.1%}".replace("%", " %").replace(".0 ", " ")
