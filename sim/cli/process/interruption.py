"""Ends the process at once on a signal.

The process ends inside the signal's handler. An exception would have to propagate first: code that catches everything
can lose it, and to unwind a world of many requests takes seconds.
"""

import signal
from functools import partial

from sim.clean_up import leave


def leave_on_signals() -> None:
    """Let Ctrl-C and a TERM signal end the process: cleaned up, with a message, exit code 130 or 143."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A signal that the parent ignores (nohup, a script's background job) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, partial(leave, last_words=b"sim: interrupted\n"))
