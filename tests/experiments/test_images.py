"""Where the images of an experiment come from, and what is said of a folder that does not hold them."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from properties.cli import main
from properties.experiments import images
from properties.experiments.images import SAMPLE, load, source

Captured = pytest.CaptureFixture[str]
LABELS = "train-labels-idx1-ubyte.gz"
IMAGES = "t10k-images-idx3-ubyte.gz"


def test_the_sample_holds_real_digits_of_every_class_and_stays_small() -> None:
    found = load(str(SAMPLE))
    for (pixels, classes), count in ((found.training, 1500), (found.validation, 500)):
        assert pixels.shape == (count, 28, 28)
        assert classes.unique().tolist() == list(range(10))
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 600_000
    assert "Attribution-Share Alike 3.0" in (SAMPLE / "NOTICE").read_text(encoding="utf-8")


def test_labels_are_those_of_their_images() -> None:
    # A one has the least ink of all digits, whatever writes it.
    pixels, classes = load(str(SAMPLE)).training
    ink = [float(pixels[classes == digit].float().mean()) for digit in range(10)]
    assert ink.index(min(ink)) == 1


def without_pooch(_: str) -> str:
    raise ModuleNotFoundError


def without_network(_: str) -> str:
    raise ConnectionError


def with_another_checksum(_: str) -> str:
    raise ValueError


@pytest.mark.parametrize(
    ("fetched", "reason"),
    [
        (without_pooch, 'pip install "layer-equivalence[data]"'),
        (without_network, "gave none (ConnectionError)"),
        (with_another_checksum, "gave none (ValueError)"),
    ],
)
def test_where_nothing_can_be_fetched_the_sample_is_taken_and_one_line_says_why(
    fetched: Callable[[str], str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "_fetched", fetched)
    found = source(None, "mnist")
    assert found.folder == str(SAMPLE)
    assert reason in found.told
    assert "\n" not in found.told


@pytest.mark.parametrize("fetched", [without_pooch, without_network])
def test_images_of_which_no_sample_ships_are_asked_for(
    fetched: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(images, "_fetched", fetched)
    assert main(["train", "fashion-mnist", "--output", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "the images of fashion-mnist are needed, but " in err
    assert "name a folder with --data" in err


def test_what_was_fetched_before_is_taken_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pooch = pytest.importorskip("pooch", reason="the extra data is not installed")
    monkeypatch.setattr(pooch, "os_cache", lambda _: tmp_path)
    kept = tmp_path / "mnist"
    shutil.copytree(SAMPLE, kept)
    checksums = {
        path.name: f"sha256:{pooch.file_hash(str(path))}" for path in kept.iterdir() if path.suffix == ".gz"
    }
    monkeypatch.setitem(images.CHECKSUMS, "mnist", checksums)
    assert source(None, "mnist").folder == str(kept)


def test_a_fetched_file_with_another_checksum_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pooch = pytest.importorskip("pooch", reason="the extra data is not installed")
    monkeypatch.setattr(pooch, "os_cache", lambda _: tmp_path / "kept")
    monkeypatch.setitem(images.HOMES, "mnist", "http://127.0.0.1:9/")
    shutil.copytree(SAMPLE, tmp_path / "kept" / "mnist")
    # The kept files are not MNIST's own, so they are asked for again, of a port where no one answers.
    assert source(None, "mnist").folder == str(SAMPLE)


def missing(folder: Path) -> None:
    (folder / LABELS).unlink()


def truncated(folder: Path) -> None:
    (folder / LABELS).write_bytes(gzip.compress(gzip.decompress((folder / LABELS).read_bytes())[:-1]))


def broken_archive(folder: Path) -> None:
    (folder / IMAGES).write_bytes((folder / IMAGES).read_bytes()[:-100])


def foreign(folder: Path) -> None:
    (folder / LABELS).write_bytes(gzip.compress(b"<html>not found</html>"))


def images_for_labels(folder: Path) -> None:
    shutil.copy(folder / IMAGES, folder / LABELS)


def labels_of_others(folder: Path) -> None:
    shutil.copy(folder / "t10k-labels-idx1-ubyte.gz", folder / LABELS)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (missing, "train-labels-idx1-ubyte, plain or .gz, but it was not found"),
        (truncated, "its header promises (450,) in 458 bytes, but it has 457"),
        (broken_archive, "t10k-images-idx3-ubyte.gz: cannot be read"),
        (foreign, "an IDX label file begins with 00000801, but this begins with 3c68746d"),
        (images_for_labels, "an IDX label file begins with 00000801, but this begins with 00000803"),
        (labels_of_others, "holds 100 for 450"),
    ],
)
def test_a_folder_that_does_not_hold_the_images_gets_one_line_and_exit_2(
    spoil: Callable[[Path], None], said: str, digits: Path, tmp_path: Path, capsys: Captured
) -> None:
    folder = tmp_path / "spoilt"
    shutil.copytree(digits, folder)
    spoil(folder)
    code = main(["train", "mnist", "--data", str(folder), "--output", str(tmp_path / "out")])
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_plain_files_are_read_as_compressed_ones_are(digits: Path, tmp_path: Path) -> None:
    for path in digits.iterdir():
        (tmp_path / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    assert torch.equal(load(str(tmp_path)).training[0], load(str(digits)).training[0])
