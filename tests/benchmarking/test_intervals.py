"""What the rounds allow to be said: an interval that covers, and a ranking that noise does not make."""

import numpy as np
import pytest

from properties.benchmarking.intervals import MARGIN, Interval, compared, leaders

RUNS = 100
ROUNDS = 60
Array = np.ndarray


def rounds(run: int, ratio: float, noise: float) -> tuple[Array, Array]:
    """Simulate a reference and a form: a machine that slows down and recovers, and rounds cut off."""
    generator = np.random.default_rng(run)
    machine = np.exp(generator.normal(0, 0.3, ROUNDS).cumsum() / 8)

    def seconds(true: float) -> Array:
        interrupted = np.where(generator.random(ROUNDS) < 0.1, 3.0, 1.0)
        return true * machine * interrupted * np.exp(generator.normal(0, noise, ROUNDS))

    return seconds(1.0), seconds(ratio)


@pytest.mark.parametrize("ratio", [0.7, 1.0, 1.3])
@pytest.mark.parametrize("noise", [0.02, 0.2])
def test_the_interval_covers_the_true_ratio(ratio: float, noise: float) -> None:
    found = [
        compared(form, reference) for reference, form in (rounds(run, ratio, noise) for run in range(RUNS))
    ]
    covered = sum(one.low <= ratio <= one.high for one in found)
    assert covered >= 0.96 * RUNS


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.5])
def test_two_equal_forms_are_not_ranked(noise: float) -> None:
    standings = [
        compared(form, reference).standing
        for reference, form in (rounds(run, 1.0, noise) for run in range(RUNS))
    ]
    assert standings.count("not told apart") >= 0.99 * RUNS


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.3])
def test_a_form_that_does_the_work_three_times_is_separated(noise: float) -> None:
    for run in range(20):
        reference, form = rounds(run, 3.0, noise)
        assert compared(form, reference).standing == "slower"
        assert compared(reference, form).standing == "faster"
        assert leaders({"form": form, "reference": reference}) == ["reference"]


@pytest.mark.parametrize(
    ("low", "high", "standing"),
    [
        (1 + 2 * MARGIN, 2.0, "slower"),
        (1 + MARGIN / 2, 2.0, "not told apart"),
        (0.9, 2.0, "not told apart"),
        (0.5, 1 - MARGIN / 2, "not told apart"),
        (0.5, 1 - 2 * MARGIN, "faster"),
    ],
)
def test_a_form_is_ranked_where_the_whole_interval_lies_beyond_the_margin(
    low: float, high: float, standing: str
) -> None:
    assert Interval((low + high) / 2, low, high).standing == standing


def test_the_interval_is_the_same_every_time_and_leaves_numpys_generator_alone() -> None:
    reference, form = rounds(0, 1.2, 0.1)
    before = str(np.random.get_state())  # noqa: NPY002  (the user's)
    assert compared(form, reference) == compared(form, reference)
    assert str(np.random.get_state()) == before  # noqa: NPY002


def test_all_that_cannot_be_told_apart_from_the_fastest_lead() -> None:
    one, other = rounds(3, 1.0, 0.1)
    assert leaders({"one": one, "slow": 3 * one, "other": other}) == ["one", "other"]
