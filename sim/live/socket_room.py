"""Where a temporary folder has to be for the sockets in it: the system limits the length of their paths."""

import os
import tempfile

LONGEST_BYTES = 103
"""Of a socket's path on macOS; Linux allows 4 more."""


_UNIQUE = "12345678"
"""As long as what `tempfile` puts after a prefix."""


def root_for_socket(prefix: str, socket: str) -> str | None:
    """Return where to make a temporary folder: `None` for the usual place, `/tmp` if that has too long a name.

    `prefix` is of the folder's name, `socket` the path of the socket in it.
    """
    path = os.path.join(tempfile.gettempdir(), prefix + _UNIQUE, socket)
    return None if len(os.fsencode(path)) <= LONGEST_BYTES else "/tmp"
