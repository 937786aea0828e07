"""A file that a command is to write at its end: checked at its beginning, because the work between takes long."""

import os
from pathlib import Path

from sim.cli.process.exits import BadInput


def check_new_file(option: str, path: Path) -> None:
    """Make the folder of the file. Raises BadInput if there is such a file, or if there cannot be one."""
    try:
        exists = path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise BadInput(f"{option}: {path.parent} is not a folder; allowed: a new file in a folder") from None
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise BadInput(f"{option}: {path} cannot be written: {reason}; allowed: a new file") from None
    if exists:
        raise BadInput(f"{option}: {path} exists; allowed: a new file")
    if not os.access(path.parent, os.W_OK):
        raise BadInput(f"{option}: nothing can be written to {path.parent}; allowed: a folder that can be written to")
