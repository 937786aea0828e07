"""Writing to the terminal, to a pipe or to nobody: results to standard output, everything else to standard error."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sim.cli.process.exits import OutputClosed
from sim.measure.saved.staged_files import CannotWrite


@contextmanager
def writing_results() -> Iterator[None]:
    """Within the block, raise OutputClosed if the reader has left, CannotWrite if there is no room."""
    try:
        yield
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        raise CannotWrite(f"cannot write to standard output: {error.strerror}") from None


def emit(text: str) -> None:
    """Write results. Raises OutputClosed if the reader has left, CannotWrite if there is no room."""
    with writing_results():
        sys.stdout.write(text)
        sys.stdout.flush()


def complain(text: str) -> None:
    """Write a message for the user. An unwritable standard error is no failure."""
    if sys.stderr is None:  # `print` would take standard output instead.
        return
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def require_output() -> None:
    """Raise CannotWrite if standard output was closed before we started: results would be lost."""
    if sys.stdout is None:
        raise CannotWrite("standard output is closed; allowed: a terminal, file or pipe, or /dev/null")


def accept_any_text() -> None:
    """Let standard output replace what its encoding lacks, where it would raise."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")


def abandon() -> None:
    """Drop buffered output, so that the interpreter does not fail to write it when it ends."""
    if sys.stdout is None:
        return
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
