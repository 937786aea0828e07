"""Waiting for events: as long as it takes on a slow machine, and with a word of what never came."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

LIMIT_S = 300
"""How long a test waits for one event. No event takes so long, however busy the machine is."""

_POLL_S = 0.01


def wait_until(
    what: str, has_come: Callable[[], object], limit_s: float = LIMIT_S, *, every_s: float = _POLL_S
) -> None:
    """Return once it has come; look every `every_s` seconds.

    Raises AssertionError, which says `what` did not come, at the limit.
    """
    ends_s = time.monotonic() + limit_s
    while not has_come():
        assert time.monotonic() < ends_s, f"waited {limit_s} s for {what}"
        time.sleep(every_s)


async def until(what: str, has_come: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Return as soon as it has come, while other tasks go on. Raises as `wait_until` does."""
    ends_s = time.monotonic() + limit_s
    while not has_come():
        assert time.monotonic() < ends_s, f"waited {limit_s} s for {what}"
        await asyncio.sleep(_POLL_S)


async def in_time(what: str, work: Awaitable[Any], limit_s: float = LIMIT_S) -> Any:
    """Return what the work returns. Raises AssertionError, which says `what` did not end, at the limit."""
    try:
        async with asyncio.timeout(limit_s) as limit:
            return await work
    except TimeoutError:
        assert not limit.expired(), f"waited {limit_s} s for {what}"
        raise
