"""IDX files are read strictly; anything else gets one clear line."""

import gzip
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from properties.reading.images import DataError, load_images, parse_images

NAME = "t10k-images-idx3-ubyte"


def idx(images: int = 2, rows: int = 3, columns: int = 4) -> bytes:
    header = b"\x00\x00\x08\x03" + b"".join(size.to_bytes(4, "big") for size in (images, rows, columns))
    return header + bytes(place % 256 for place in range(images * rows * columns))


def test_a_right_file_is_read_plain_and_compressed(tmp_path: Path) -> None:
    expected = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4)
    (tmp_path / (NAME + ".gz")).write_bytes(gzip.compress(idx()))
    assert torch.equal(load_images(tmp_path), expected)
    (tmp_path / NAME).write_bytes(idx(1))
    assert torch.equal(load_images(tmp_path), expected[:1])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        idx()[:10],
        idx()[:-1],
        idx() + b"\x00",
        b"\x00\x00\x08\x01" + idx()[4:],
        idx()[:4] + b"\xff" * 12 + idx()[16:],
        b"<html>not found</html>",
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_malformed_file_is_refused_in_one_line(tmp_path: Path, content: bytes, compressed: bool) -> None:  # noqa: FBT001
    path = tmp_path / (NAME + (".gz" if compressed else ""))
    path.write_bytes(gzip.compress(content) if compressed else content)
    with pytest.raises(DataError) as error:
        load_images(tmp_path)
    assert "\n" not in str(error.value)


def test_a_broken_archive_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither was found"):
        load_images(tmp_path)
    (tmp_path / (NAME + ".gz")).write_bytes(gzip.compress(idx())[:-12])
    with pytest.raises(DataError, match="cannot be read"):
        load_images(tmp_path)
    (tmp_path / (NAME + ".gz")).write_bytes(idx())
    with pytest.raises(DataError, match="cannot be read"):
        load_images(tmp_path)


@given(st.binary(max_size=64))
def test_no_bytes_do_anything_but_parse_or_be_refused(content: bytes) -> None:
    try:
        images = parse_images(content, "file")
    except DataError:
        return
    assert images.numel() == len(content) - 16
