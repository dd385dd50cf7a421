"""Kept epochs with one thing changed are not believed, and get one line."""

from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.experiments.conftest import AT, OUTPUT, Train

Captured = pytest.CaptureFixture[str]
LANE = Path("out", "epochs", "candidate-carried-weights-seed-0.npz")
SHORTEST = [*AT, "--epochs", "1", *OUTPUT]
RUN = ["--forms", "forms.py:RowwiseIsLinear", *SHORTEST]
EPOCH = ("history", 1)
MEASURE = (*EPOCH, "measures", 0)
COMPARISON = (*EPOCH, "comparison")
WORDS: list[tuple[tuple[str | int, ...], object]] = [
    (("identity",), [1]),
    (("history",), []),
    ((*EPOCH, "lane"), "zzz"),
    ((*EPOCH, "measures"), []),
    ((*MEASURE, "form"), "zzz"),
    ((*MEASURE, "form"), ["zzz"]),
    ((*MEASURE, "seed"), 1),
    ((*MEASURE, "epoch"), "a"),
    ((*MEASURE, "epoch"), True),
    ((*MEASURE, "epoch"), 7),
    ((*MEASURE, "accuracy"), None),
    ((*MEASURE, "accuracy"), 7.0),
    ((*MEASURE, "accuracy"), math.nan),
    ((*MEASURE, "validation_loss"), -1.0),
    ((*MEASURE, "validation_loss"), "a"),
    ((*MEASURE, "training_loss"), None),
    (("history", 0, "measures", 0, "training_loss"), 1.0),
    ((*MEASURE, "gradient_norms"), {}),
    ((*MEASURE, "gradient_norms"), [1.0]),
    (COMPARISON, None),
    ((*COMPARISON, "reference"), "zzz"),
    ((*COMPARISON, "epoch"), 0),
    ((*COMPARISON, "loss"), None),
    ((*COMPARISON, "logits"), -1.0),
    ((*COMPARISON, "parameters"), {"zzz": 0.0}),
    ((*COMPARISON, "double"), None),
    ((*COMPARISON, "double", "allowance"), -1.0),
    ((*COMPARISON, "double", "same"), "yes"),
]
TENSORS: dict[str, np.ndarray] = {
    "0/1.weight": np.array(3, np.float32),
    "1/1.weight": np.zeros((10, 784), np.float32),
    "2/weight": np.zeros((784, 10), np.complex64),
    "0/weird": np.zeros(3, np.float32),
    "4/weight": np.zeros((784, 10), np.float32),
    "7/weight": np.zeros((784, 10), np.float32),
}


def save(content: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **content)
    LANE.write_bytes(buffer.getvalue())


def content() -> dict[str, Any]:
    with np.load(LANE, allow_pickle=False) as file:
        return dict(file)


def assert_refused(train: Train, capsys: Captured) -> None:
    assert train(*RUN, "--resume") == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"{LANE.name}: keeps the epochs of a run, but cannot be read" in err
    assert "leave out --resume to train anew" in err


@pytest.fixture
def kept(train: Train) -> Train:
    assert train(*RUN) == 0
    return train


@pytest.mark.parametrize(("place", "word"), WORDS)
def test_a_changed_word_of_a_kept_lane_is_refused(
    place: tuple[str | int, ...], word: object, kept: Train, capsys: Captured
) -> None:
    found = content()
    text = json.loads(found["text"].tobytes())
    inner = text
    for key in place[:-1]:
        inner = inner[key]
    assert json.dumps(inner[place[-1]]) != json.dumps(word)
    inner[place[-1]] = word
    save(found | {"text": np.frombuffer(json.dumps(text).encode(), np.uint8)})
    assert_refused(kept, capsys)


@pytest.mark.parametrize("name", TENSORS)
def test_a_changed_tensor_of_a_kept_lane_is_refused(name: str, kept: Train, capsys: Captured) -> None:
    save(content() | {name: TENSORS[name]})
    assert_refused(kept, capsys)


@pytest.mark.parametrize("size", [10**13, 2**70])
def test_a_tensor_that_promises_more_than_there_is_is_refused(
    size: int, kept: Train, capsys: Captured
) -> None:
    promise = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (size,)}
    np.lib.format.write_array_header_1_0(promise, header)
    with zipfile.ZipFile(LANE, "a") as archive:
        archive.writestr("0/promised.npy", promise.getvalue())
    assert_refused(kept, capsys)


def test_a_run_that_diverged_is_believed(train: Train) -> None:
    words = ["--forms", "forms.py:DivergingIsLinear", *SHORTEST]
    assert train(*words) == 1
    before = Path("out", "results.json").read_bytes()
    assert b'"nan"' in before
    assert train(*words, "--resume") == 1
    assert Path("out", "results.json").read_bytes() == before
