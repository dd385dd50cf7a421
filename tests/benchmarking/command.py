"""`equivalence bench`, with hardly a round."""

from properties.cli import main


def bench(*arguments: str) -> int:
    """Give the exit code."""
    return main(["bench", "--seconds=0.001", *arguments])
