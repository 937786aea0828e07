"""Leaving at once when a signal asks for it.

The process ends from within the signal's handler. An exception would have to find its way out first: code that
catches everything can lose it, and taking down a world of many requests in good order takes seconds.
"""

import os
import signal
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from sim.measure.saved.clean_up import clean_up_all


def leave_on_signals(message: bytes = b"sim: interrupted\n") -> None:
    """Let Ctrl-C and a TERM signal end the process: cleaned up, with the message, exit code 130 or 143."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_DFL)  # A second one does without the cleaning up.
        clean_up_all()
        with suppress(OSError):
            os.write(2, message)  # Not through sys.stderr, which may be in the middle of something.
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        # A signal that whoever started us wants ignored (nohup, a script's background job) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)
