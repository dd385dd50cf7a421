"""Where a candidate loses its precision: the one operation, or the dtype, that explains most of its noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from properties.cases.answering import FormError
from properties.cases.regime import Regime
from properties.dtypes import named
from properties.judging.noise import State, disturbed_by
from properties.oracle.agreement import Equation
from properties.oracle.disturbance import Disturbance
from properties.oracle.nearness import noise_of

RUNS = 4
EXPLAINS = 0.5
"""An operation explains the noise that it makes so large a part of by itself."""
MOST_OPERATIONS = 64


def culprit(state: State, regime: Regime) -> str:
    """Say in which operation or dtype the candidate loses its digits; empty where in no single one."""
    try:
        rounded = _rounded(state, regime)
        plain = state(regime)
        whole = _noise(plain, state, regime)
        names = list(dict.fromkeys(name for name, _ in rounded))[:MOST_OPERATIONS]
        guilty = [name for name in names if _noise(plain, state, regime, name) > EXPLAINS * whole]
    except FormError:
        return ""
    wide = torch.finfo(regime.dtype).eps
    narrow = [
        f"{name} in {named(dtype)}"
        for name, dtype in rounded
        if name in guilty and torch.finfo(dtype).eps > wide
    ]
    told = narrow or guilty
    return f"lost in {' and '.join(told)}" if 0 < len(told) <= 2 else _dtype(rounded, wide)  # noqa: PLR2004  (a pair)


def _dtype(rounded: Sequence[tuple[str, torch.dtype]], wide: float) -> str:
    """Name the narrowest dtype that is computed in, where that is not the one of the run."""
    narrowest = max((dtype for _, dtype in rounded), key=lambda dtype: torch.finfo(dtype).eps, default=None)
    if narrowest is None or torch.finfo(narrowest).eps <= wide:
        return ""
    return f"it computes in {named(narrowest)} inside"


def _rounded(state: State, regime: Regime) -> list[tuple[str, torch.dtype]]:
    disturbance = Disturbance(0)
    disturbed_by(disturbance, state, regime)
    return list(disturbance.rounded)


def _noise(plain: Equation, state: State, regime: Regime, only: str = "") -> float:
    """Return the largest noise of the candidate's side where all operations are disturbed, or one alone."""
    runs = [disturbed_by(Disturbance(number, only), state, regime).candidate for number in range(RUNS)]
    found = noise_of(plain.candidate, runs)
    return max((float(noise.max()) for _, _, noise in found if noise.numel()), default=0.0)
