"""How many cases, and which: a gate that answers the same twice, and an explorer that does not."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

PREFIX = "equivalence-"
NAMES = ("gate", "explore")
VARIABLE = "EQUIVALENCE_PROFILE"
GATE_EXAMPLES = 25
EXPLORE_EXAMPLES = 250

settings.register_profile(
    PREFIX + "gate",
    max_examples=GATE_EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
settings.register_profile(
    PREFIX + "explore",
    settings.get_profile(PREFIX + "gate"),
    max_examples=EXPLORE_EXAMPLES,
    derandomize=False,
    database=settings.get_profile("default").database,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


def profile(name: str) -> settings:
    """Give one of the profiles; ValueError for another name."""
    if name not in NAMES:
        message = f"a profile is one of {', '.join(NAMES)}, but got {name!r}"
        raise ValueError(message)
    return settings.get_profile(PREFIX + name)


def current() -> str:
    """Name the profile that suites are made with: the environment's EQUIVALENCE_PROFILE, else the gate."""
    return os.environ.get(VARIABLE, "gate")
