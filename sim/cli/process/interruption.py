"""Ends the process at once on a signal.

The process ends inside the signal's handler. An exception would have to propagate first: code that catches everything
can lose it, and to unwind a world of many requests takes seconds.
"""

import os
import signal
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from sim.clean_up import clean_up_all


def leave_on_signals(message: bytes = b"sim: interrupted\n") -> None:
    """Let Ctrl-C and a TERM signal end the process: cleaned up, with the message, exit code 130 or 143."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_DFL)  # A second signal skips the cleaning up.
        clean_up_all()
        with suppress(OSError):
            os.write(2, message)  # Not through sys.stderr, which may be in the middle of something.
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        # A signal that the parent ignores (nohup, a script's background job) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)
