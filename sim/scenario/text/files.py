"""Reading files that others wrote: regular files only, and never more than a set number of bytes."""

import os
import stat
from pathlib import Path


class UnreadableFile(Exception):
    """The file cannot be used; the message says why and what is allowed."""


def read_regular(path: Path, most_bytes: int) -> bytes:
    """Return the bytes of a regular file of at most `most_bytes`; UnreadableFile if it is anything else."""
    try:
        # Opened before it is examined, so that it cannot be swapped in between; without blocking, since a FIFO
        # with no writer would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise UnreadableFile(f"cannot be opened: {reason}; allowed: a regular file that exists") from None
    except ValueError:
        raise UnreadableFile("has a NUL character in its name; allowed: a regular file that exists") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise UnreadableFile("is a folder; allowed: a file")
        if not stat.S_ISREG(mode):
            raise UnreadableFile("is not a regular file; allowed: no device, FIFO or socket")
        return _read(descriptor, most_bytes)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise UnreadableFile(f"cannot be read: {reason}; allowed: a regular file that can be read") from None
    finally:
        os.close(descriptor)


def _read(descriptor: int, most_bytes: int) -> bytes:
    parts, left = [], most_bytes + 1
    while left and (part := os.read(descriptor, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    if not left:
        raise UnreadableFile(f"is too large; allowed: at most {most_bytes:,} bytes")
    return b"".join(parts)
