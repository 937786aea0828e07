"""Runtimes that change something between a frontend and its time and tasks."""

from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from sim.routing.ports import Clock, Future, Runtime, Task

T = TypeVar("T")


class InterposedRuntime:
    """Passes everything on. A fault overrides what it changes."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.now_ns = runtime.now_ns
        self.wall_ns = runtime.wall_ns

    def sleep(self, delay_ns: int) -> Awaitable[None]:
        return self._runtime.sleep(delay_ns)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> Task:
        return self._runtime.spawn(work, name)

    def future(self) -> Future[Any]:
        return self._runtime.future()

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or cancel it and raise DeadlineExceeded."""
        return await self._runtime.within(limit_ns, work)


class SkewedRuntime(InterposedRuntime):
    """The run's tasks and monotonic time, with another clock's wall time."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        super().__init__(runtime)
        self.wall_ns = clock.wall_ns
