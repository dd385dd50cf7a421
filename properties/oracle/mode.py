"""The base of our dispatch modes: what watches a run, or changes what it computes."""

from __future__ import annotations

from torch.utils._python_dispatch import TorchDispatchMode


class Mode(TorchDispatchMode):
    """A dispatch mode that does without torch.compile: torch imports it for others, 75 MiB in a second."""

    def __init__(self) -> None:
        """Start with nothing on the stack."""
        super().__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False
