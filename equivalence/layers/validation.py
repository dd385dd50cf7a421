"""What every validating layer refuses: the message names the rule, the value received and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def check_size(name: str, size: int, minimum: int = 0) -> None:
    """Raise ValueError for a size that is no integer of at least the minimum."""
    is_integer = isinstance(size, int) and not isinstance(size, bool)
    if not is_integer or size < minimum:
        raise ValueError(
            f"{name} must be an integer of at least {minimum}, but is {size!r}; pass {minimum} or more"
        )


def check_mask(mask: Tensor) -> None:
    """mask: (out_features, in_features), every entry 0 or 1; ValueError otherwise."""
    if mask.ndim != 2:
        raise ValueError(
            f"mask must have the axes (out_features, in_features), but has shape {tuple(mask.shape)}; "
            "reshape it to a matrix"
        )
    strays = mask[(mask != 0) & (mask != 1)]
    if strays.numel():
        raise ValueError(
            f"mask must hold only 0 and 1, but holds {strays[0].item()}; pass a comparison such as mask > 0"
        )


def check_input(x: Tensor, trailing_shape: tuple[int | None, ...], weight: Tensor) -> None:
    """x: (*batch, *trailing_shape), of weight's dtype; None in trailing_shape stands for any size.

    Raises ValueError when the last axes of x differ, so that nothing is broadcast and no axis is missing,
    and TypeError when the dtypes differ.
    """
    received = tuple(x.shape[-len(trailing_shape) :])
    if not _shapes_match(received, trailing_shape):
        expected = ", ".join("any" if size is None else str(size) for size in trailing_shape)
        raise ValueError(
            f"the last axes of the input must be ({expected}), but its shape is {tuple(x.shape)}; "
            "reshape the input, or build the layer for its sizes"
        )
    if x.dtype != weight.dtype:
        raise TypeError(
            f"the input must have the dtype of the weight, {weight.dtype}, but has {x.dtype}; "
            "convert the input or the layer with .to(dtype)"
        )


def _shapes_match(received: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    if len(received) != len(expected):
        return False
    return all(wanted in (None, size) for size, wanted in zip(received, expected, strict=True))


def flatten_leading(x: Tensor, trailing: int) -> Tensor:
    """(*batch, *trailing_shape) -> (rows, *trailing_shape), one row for no leading axes at all."""
    leading = x.shape[: x.ndim - trailing]
    return x.reshape(leading.numel(), *x.shape[x.ndim - trailing :])
