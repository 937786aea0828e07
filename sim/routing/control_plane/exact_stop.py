"""Whether a worker that is told to stop a process finds it by the address in the registry."""

from collections.abc import Callable

Finds = Callable[[str], bool]
"""Returns whether a worker has the process at the address that it is advertised under."""

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def finds_at_loopback(address: str) -> bool:
    """Find it only where the two are on one machine: the worker knows its processes by loopback addresses.

    LocalAI's way. A worker elsewhere answers that it has another process there, and its row stays.
    """
    return address.rpartition(":")[0] in LOOPBACK_HOSTS


def finds_anywhere(_address: str) -> bool:
    """Find it by the replica's key. Repaired."""
    return True
