"""Timing that is the same every time."""

import pytest

from properties.benchmarking import run
from properties.benchmarking.clock import HostClock
from properties.benchmarking.peak import Peak
from tests.benchmarking.forms import Work


@pytest.fixture
def without_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the work of the forms instead of measuring time."""
    monkeypatch.setattr(run, "clock_of", lambda *_: HostClock("work", Work.seconds))
    monkeypatch.setattr(run, "measured", lambda *_: Peak(1e9, 1e9))
