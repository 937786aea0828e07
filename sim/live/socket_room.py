"""Where a temporary folder has to be for the sockets in it: the system limits the length of their paths."""

import os
import tempfile

LONGEST_BYTES = 103
"""Of a socket's path on macOS; Linux allows 4 more."""


def root_for_socket(below: str) -> str | None:
    """Return where to make a temporary folder: `None` for the usual place, `/tmp` if that has too long a name.

    `below` is the path of the socket from there, such as `run-12345678/a.sock`.
    """
    path = os.path.join(tempfile.gettempdir(), below)
    return None if len(os.fsencode(path)) <= LONGEST_BYTES else "/tmp"
