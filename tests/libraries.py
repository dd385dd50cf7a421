"""What only some machines have."""

from __future__ import annotations

import pytest


def skip_without_library(*circumstances: str) -> None:
    """Skip a test of a circumstance that takes a library, where it is not there."""
    if "safetensors" in circumstances:
        pytest.importorskip("safetensors")
