"""How a script finds what hangs together in what a form starts with, by signs alone."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from properties.replaying.scripts.numbers import State


def drawn_anew(alive: State, expected: State, found: State) -> State:
    """Leave out what both forms draw as a copy of an entry before it, within a parameter."""
    again = {
        name: (alike(signs({name: expected[name]})) & alike(signs({name: found[name]}))).any(0)
        for name in alive
    }
    return {name: live & ~again[name].reshape(live.shape) for name, live in alive.items()}


def other_copies(expected: State, found: State) -> list[str]:
    """Name the pairs of entries that one form copies, and that part in the other.

    In 60 pairs of constructions or more, where chance gives all of them to one form with 2^-60.
    """
    one, other = signs(expected), signs(found)
    wrong = (alike(one) & (partings(one, other) >= 60)) | (alike(other) & (partings(other, one) >= 60))  # noqa: PLR2004
    return named(wrong, found)


def dependent(expected: State, found: State) -> list[str]:
    """Name the pairs, but for copies in both forms, that rise and fall alike more often than by chance.

    More often than once in 10^9 times: n products of signs exceed sqrt(2 n t) with at most 2 exp(-t).
    """
    drawn = signs(found)
    limit = math.sqrt(2 * len(drawn) * math.log(1e9 * max(2, drawn.shape[1]) ** 2))
    beyond = (drawn.T @ drawn).abs().triu(1) > limit
    return named(beyond & ~(alike(signs(expected)) & alike(drawn)), found)


def signs(fresh: State) -> Tensor:
    """Say whether every entry rises or falls from one construction to another, (pairs, entries)."""
    rows = torch.cat([rows.flatten(1) for rows in fresh.values()], dim=1)
    half = len(rows) // 2
    return (rows[:half] - rows[half : 2 * half]).sign()


def alike(signs: Tensor) -> Tensor:
    """Whether an entry and a later one rise and fall alike, or unlike, all of at least 60 times."""
    sums, drawn = (signs.T @ signs).abs().triu(1), signs.abs().sum(0)
    return (sums == drawn) & (sums == drawn[:, None]) & (sums >= 60)  # noqa: PLR2004  (as said above)


def partings(copied: Tensor, apart: Tensor) -> Tensor:
    """Count how often two entries do not keep to the sign that they have to each other as copies."""
    moving = apart.abs()
    still = (1 - moving).T @ (1 - moving)
    kept = (moving.T @ moving + (copied.T @ copied).sign() * (apart.T @ apart)) / 2
    return len(apart) - still - kept


def named(pairs: Tensor, fresh: State) -> list[str]:
    """Name pairs of entries."""
    places = [f"{name}{list(place)}" for name, rows in fresh.items() for place in indices(rows)]
    return [f"{places[one]} and {places[other]}" for one, other in pairs.nonzero().tolist()]


def indices(rows: Tensor) -> list[tuple[int, ...]]:
    """Give the index of every entry of one row."""
    return list(itertools.product(*map(range, rows.shape[1:])))
