"""The routing code's runtime on asyncio and the machine's clock: small, but real."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from sim.routing.errors import DeadlineExceeded

T = TypeVar("T")


class AsyncioRuntime:
    """Clock and tasks of the running event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def now_ns(self) -> int:
        """Return the monotonic time."""
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        """Return the time of day."""
        return time.time_ns()

    async def sleep(self, delay_ns: int) -> None:
        """Wait."""
        await asyncio.sleep(delay_ns / 1e9)

    def future(self) -> asyncio.Future[Any]:
        """Make an answer that is not given yet."""
        return asyncio.get_running_loop().create_future()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start the coroutine; asyncio keeps its tasks weakly, so they are held here."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or cancel it and raise DeadlineExceeded."""
        try:
            async with asyncio.timeout(limit_ns / 1e9):
                return await work
        except TimeoutError as error:
            raise DeadlineExceeded(f"no answer within {limit_ns} ns") from error
