"""Kinds of fields: every value is read as it was written, and what is drawn lies within."""

import itertools
from typing import Annotated, Any, Literal

import pytest

from equivalence import variable
from equivalence.claim import AtLeast, Between, Mask, Over
from properties.cases.fields import Choice, Field, MaskField, SizeField, field_of, full, mask_of

MASK = Annotated[Mask, Over("rows columns")]
VALUES: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (bool, (False, True)),
    (Literal["tanh", 3], ("tanh", 3)),
    (Annotated[int, AtLeast(2)], (2, 70)),
    (Annotated[int, Between(1, 4)], (1, 4)),
    (MASK, (Mask("10/01"), Mask(""), Mask("//"))),
)
EACH = [(field_of(hint), value) for hint, values in VALUES for value in values]


@pytest.mark.parametrize(("kind", "value"), EACH, ids=str)
def test_a_value_is_read_as_it_was_written(kind: Field, value: Any) -> None:
    assert kind.keeps(kind.plain(value))
    assert kind.read(str(kind.plain(value))) == value
    assert eval(kind.source(value), {name: getattr(variable, name) for name in kind.names}) == value  # noqa: S307
    assert type(kind.other(value)) is type(value)


@pytest.mark.parametrize(
    ("hint", "plain"),
    [
        (bool, 1),
        (bool, "true"),
        (Literal[1], True),
        (Annotated[int, AtLeast(0)], True),
        (Annotated[int, AtLeast(0)], "1"),
        (Annotated[int, AtLeast(0)], 1.0),
        (MASK, 10),
    ],
)
def test_a_value_of_another_type_is_none_of_a_file(hint: Any, plain: object) -> None:
    kind = field_of(hint)
    assert kind is not None
    assert not kind.keeps(plain)


@pytest.mark.parametrize(("low", "high"), [(0, None), (3, None), (0, 0), (1, 4), (2, 90)])
@pytest.mark.parametrize("wide", [False, True])
def test_every_size_that_is_asked_for_lies_within(low: int, high: int | None, *, wide: bool) -> None:
    kind = field_of(Annotated[int, AtLeast(low) if high is None else Between(low, high)])
    assert isinstance(kind, SizeField)
    asked = [
        *kind.drawn(wide=wide),
        *map(kind.above, range(9)),
        *(kind.cut(kind.low, itertools.repeat(size)) for size in range(9)),
        *(kind.usual(itertools.repeat(size)) for size in range(99)),
        kind.largest(kind.low),
    ]
    assert all(low <= size <= (size if high is None else high) for size in asked)
    assert kind.largest(kind.low) >= min(kind.drawn(wide=False))


def test_a_choice_takes_no_size() -> None:
    kind = field_of(Literal["relu", "tanh"])
    assert isinstance(kind, Choice)
    sizes = iter([7])
    assert kind.usual(sizes) == kind.above(3) == "tanh"
    assert kind.cut("relu", sizes) == kind.largest("relu") == "relu"
    assert next(sizes) == 7


def test_the_other_mask_lives_where_one_is_dead() -> None:
    kind = field_of(MASK)
    assert isinstance(kind, MaskField)
    assert kind.other(Mask("10/00")) == Mask("01/11")
    assert kind.shown(Mask("10/00")).tolist() == [[1, 0], [0, 0]]
    covered = [kind.covered(Mask(rows)) for rows in ("00", "10", "11")]
    assert covered == ["none alive", "some alive", "all alive"]


@pytest.mark.parametrize("shape", [(0, 2), (2, 0), (2, 3)])
def test_a_mask_fits_its_own_sizes_alone(shape: tuple[int, int]) -> None:
    kind = field_of(MASK)
    assert isinstance(kind, MaskField)
    rows, columns = shape
    kind.check(full(shape), shape)
    assert full(shape).tensor(rows, columns).all()
    for other in ((rows + 1, columns), (2, columns + 1)):
        with pytest.raises(ValueError, match="words of"):
            kind.check(full(shape), other)


def test_a_mask_has_no_other_digits() -> None:
    kind = field_of(MASK)
    assert isinstance(kind, MaskField)
    with pytest.raises(ValueError, match="digits 0 or 1"):
        kind.check(Mask("12/01"), (2, 2))


def test_digits_fill_a_mask_row_after_row() -> None:
    assert mask_of("100111", (2, 3)) == Mask("100/111")


@pytest.mark.parametrize("hint", [int, str, list[int], Annotated[int, "many"], None])
def test_what_is_no_kind_of_field_is_none(hint: Any) -> None:
    assert field_of(hint) is None
