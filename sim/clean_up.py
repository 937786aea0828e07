"""What a process puts in order before a signal ends it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

_clean_ups: list[Callable[[], object]] = []


@contextmanager
def cleaned_up_by(clean_up: Callable[[], object]) -> Iterator[None]:
    """While the block runs, a signal that ends the process calls `clean_up` first."""
    _clean_ups.append(clean_up)
    try:
        yield
    finally:
        _clean_ups.remove(clean_up)


def clean_up_all() -> None:
    """Do what the blocks at work have registered, the latest first, whatever fails; a signal's handler calls it."""
    for clean_up in reversed(_clean_ups):
        with suppress(Exception):
            clean_up()


def leave(number: int, _frame: FrameType | None, *, last_words: bytes = b"") -> NoReturn:
    """End the process at once, cleaned up, as the handler of a signal; the last words go to standard error."""
    signal.signal(number, signal.SIG_DFL)  # A second signal skips the cleaning up.
    clean_up_all()
    with suppress(OSError):
        os.write(2, last_words)  # Not through sys.stderr, which may be in the middle of something.
    os._exit(128 + number)
