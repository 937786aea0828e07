"""The routing code's runtime on asyncio, with a clock that may run faster or slower than the machine's."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from sim.routing.errors import DeadlineExceeded
from sim.routing.units import NS_PER_S

T = TypeVar("T")


class AsyncioRuntime:
    """Clock and tasks of the running event loop.

    Time is scenario time: with a `time_scale` of 0.1, one second of it passes in 0.1 s. It starts at 0 when the
    machine's monotonic clock shows `epoch_ns`, so that the processes of one machine agree on it.
    """

    def __init__(self, time_scale: float = 1.0, epoch_ns: int = 0) -> None:
        self.time_scale = time_scale
        self.on_failure: Callable[[BaseException], None] | None = None
        """Is told how a spawned task has failed; else that is left to whoever waits for the task."""
        self._epoch_ns = epoch_ns
        self._tasks: set[asyncio.Task[Any]] = set()

    def start_at(self, epoch_ns: int) -> None:
        """Let scenario time be 0 when the machine's monotonic clock shows `epoch_ns`."""
        self._epoch_ns = epoch_ns

    def now_ns(self) -> int:
        """Return the scenario time; it never goes back."""
        return int((time.monotonic_ns() - self._epoch_ns) / self.time_scale)

    wall_ns = now_ns

    async def sleep(self, delay_ns: int) -> None:
        """Wait for so much scenario time."""
        await asyncio.sleep(self.real_s(delay_ns))

    def future(self) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start the coroutine; asyncio keeps its tasks weakly, so they are held here until they end."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if self.on_failure is not None and not task.cancelled() and (failure := task.exception()) is not None:
            self.on_failure(failure)

    async def all_done(self) -> None:
        """Wait until every spawned task has ended, including tasks spawned meanwhile."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def end_all(self, limit_s: float) -> None:
        """Cancel every spawned task, and wait until they and the tasks they spawn on the way have ended.

        Tasks that take longer than `limit_s` are left running.
        """
        for task in self._tasks:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self.all_done()

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or cancel it and raise DeadlineExceeded."""
        limit = asyncio.timeout(self.real_s(limit_ns))
        try:
            async with limit:
                return await work
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise DeadlineExceeded(f"no answer within {limit_ns} ns") from error

    def real_s(self, delay_ns: int) -> float:
        """Convert scenario time to seconds on the machine's clock."""
        return delay_ns * self.time_scale / NS_PER_S
