"""What counts as the answer of a form that gives no value: what it raises, or that it ends the process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pickle import PicklingError
from typing import NoReturn
from unittest import SkipTest

from properties.cases.regime import Regime

REFUSALS = (
    ValueError,
    TypeError,
    RuntimeError,
    IndexError,
    ArithmeticError,
    AssertionError,
    PicklingError,
    SkipTest,
)
"""What a form raises to refuse an input. Any other (ImportError, NameError) is an error, and no answer."""
REFUSED = "refused"


class FormError(Exception):
    """The user's form raised, where a value was asked for."""

    def __init__(self, side: str, original: BaseException) -> None:
        """Keep which form it was and what it raised."""
        # What an exception is made of again, in another process.
        super().__init__(side, original)
        self.side = side
        self.original = original
        self.regime: Regime | None = None
        """The numbers on which it raised, where a judge knows them."""

    def __str__(self) -> str:
        """Name the form and what it raised."""
        return f"{self.side} raised {type(self.original).__name__}: {self.original}"


@contextmanager
def answering(side: str) -> Iterator[None]:
    """Take a refusal inside as the answer of that form, and one that ends the process or the test as such."""
    exits = os._exit
    os._exit = _raising(exits)  # type: ignore[assignment]
    try:
        yield
    except FormError:
        raise
    except BaseException as error:
        if isinstance(error, REFUSALS) or _ends_more_than_the_form(error):
            raise FormError(side, error) from error
        raise
    finally:
        os._exit = exits


def _raising(exits: Callable[[int], NoReturn]) -> Callable[[int], NoReturn]:
    """Make an os._exit that raises SystemExit: no one who waits for exit code 0 would learn of it else.

    A process that another thread ends does end.
    """
    thread = threading.get_ident()

    def _exit(status: int) -> NoReturn:
        if threading.get_ident() != thread:
            exits(status)
        message = f"os._exit({status}): a form returns or raises, but never ends the process"
        raise SystemExit(message)

    return _exit


_exits = os._exit


def _let_forks_exit() -> None:
    """Let a process that a form has forked end as it means to."""
    os._exit = _exits


if sys.platform != "win32":
    # To ask for the process at every call would take longer than many a form.
    os.register_at_fork(after_in_child=_let_forks_exit)


def _ends_more_than_the_form(error: BaseException) -> bool:
    """Whether a form skips or ends its test, or the process, where it was asked for a value.

    Ctrl-C is none of the form's where it can be heard, nor is a failure of the test, by which its limit of
    time ends it.
    """
    if isinstance(error, KeyboardInterrupt):
        return signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if isinstance(error, _outcome("Failed")):
        return False
    return not isinstance(error, Exception) or isinstance(error, _outcome("Exit"))


def _outcome(name: str) -> tuple[type[BaseException], ...]:
    """Give an exception of pytest's by name; none where pytest does not run."""
    outcomes = sys.modules.get("_pytest.outcomes")
    return (getattr(outcomes, name),) if outcomes else ()
