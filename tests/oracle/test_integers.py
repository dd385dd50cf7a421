"""The integers of a case: every value equally likely, every entry independent, all from the seed."""

import math

import numpy as np
import pytest
import torch

from properties.cases.regime import FEW, NUMBER, NUMBERS_A_WORD, Integers, Traced
from properties.operations.bounds import Exact
from properties.oracle.exact import MOST_BITS, Trace

COUNT = 1 << 20
SIGMAS = 6


def draw(bits: int, *shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return Integers(bits, dtype).draw(shape, torch.Generator().manual_seed(seed))


def assert_equally_likely(codes: torch.Tensor, kinds: int) -> None:
    """Hold every count within six standard deviations of the binomial distribution."""
    counts = torch.bincount(codes.long(), minlength=kinds)
    assert len(counts) == kinds
    expected = codes.numel() / kinds
    assert ((counts - expected).abs() < SIGMAS * math.sqrt(expected)).all()


@pytest.mark.parametrize("bits", [1, 3, 6, 10])
def test_every_value_is_equally_likely(bits: int) -> None:
    assert_equally_likely(draw(bits, COUNT) + 2**bits, 2 ** (bits + 1))


@pytest.mark.parametrize("bits", [1, 6])
def test_few_values_are_equally_likely_too(bits: int) -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.cat([Integers(bits).draw((FEW,), generator) for _ in range(100)])
    assert_equally_likely(drawn + 2**bits, 2 ** (bits + 1))


@pytest.mark.parametrize("apart", [1, 2, 3, 4, 5])
def test_entries_of_one_word_and_of_the_next_are_independent(apart: int) -> None:
    first, second = draw(2, COUNT)[:-apart], draw(2, COUNT)[apart:]
    assert_equally_likely((first + 4) * 8 + second + 4, 64)


def test_most_bits_and_a_sign_are_what_a_word_is_cut_into() -> None:
    assert np.iinfo(NUMBER).bits == MOST_BITS + 1
    assert np.iinfo(NUMBER).bits * NUMBERS_A_WORD == np.iinfo(np.uint64).bits
    drawn = draw(MOST_BITS, COUNT)
    assert drawn.min() == -(2**MOST_BITS)
    assert drawn.max() == 2**MOST_BITS - 1


@pytest.mark.parametrize("bits", [-1, MOST_BITS + 1, 24])
def test_bits_that_no_number_holds_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match=f"0 to 15 bits, but {bits}"):
        Integers(bits)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (2, 5), (4, 1, 2), (FEW,), (FEW + 1,), (3, FEW)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_shape_is_drawn_in_memory_of_its_own(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    drawn = draw(5, *shape, dtype=dtype)
    assert (drawn.shape, drawn.dtype) == (shape, dtype)
    assert drawn.is_contiguous()
    assert drawn.untyped_storage().nbytes() == drawn.numel() * drawn.element_size()


@pytest.mark.parametrize("size", [7, FEW + 1])
def test_a_seed_gives_the_same_numbers_and_two_draws_different_ones(size: int) -> None:
    generator = torch.Generator().manual_seed(1)
    first, second = (Integers(9).draw((size,), generator) for _ in range(2))
    assert torch.equal(first, draw(9, size, seed=1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("size", [5, FEW + 1])
def test_a_trace_is_told_of_what_is_drawn(size: int) -> None:
    trace = Trace()
    with trace:
        drawn = Traced(Integers(3), trace).draw((size,), torch.Generator().manual_seed(0))
    assert trace.bound(drawn) == Exact(1, 1.0)
    assert torch.equal(drawn, draw(3, size))
