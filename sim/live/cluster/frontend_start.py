"""How a frontend process begins: its parent's end is watched for before the imports, which take a second or more."""

import gc
import os
import signal
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from threading import Thread

from sim.clean_up import clean_up_all, leave


def start_frontend(line: Connection) -> None:
    """Take the order from the line and run the frontend; the process ends at once when its parent does."""
    # Ctrl-C in a terminal reaches both, and the parent stops this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, leave)
    Thread(target=_end_with_parent, daemon=True).start()
    # Imports leave no garbage, but looking for it among all that they make would take a fifth of their time.
    gc.disable()
    order = line.recv()

    from sim.live.cluster.frontend_process import run_frontend  # Watched too.

    gc.freeze()
    gc.enable()
    run_frontend(order, line)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        clean_up_all()
        os._exit(1)
